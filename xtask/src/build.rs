//! `cargo xtask build`: the Rust core and the TypeScript around it become the npm package in pkg/.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, ensure};
use duct::{Expression, cmd};
use serde_json::Value;

use crate::tools::{Tools, WASM_TARGET};
use crate::wasm_text;
use crate::{notices, short_names};

/// What rustc's output uses beyond WebAssembly 1.0; every browser with module workers has them.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Every page downloads the first, and a worker has the second. The third is for who names it.
const MODULES: [Module; 3] = [
    Module { name: "tab", package: "tabmux-tab", has_core: true },
    Module { name: "hub", package: "tabmux-hub", has_core: true },
    Module { name: "cbor", package: "tabmux-cbor", has_core: false },
];

/// The cargo profile of the modules, and the folder of what it makes.
const PROFILE: &str = "wasm";

/// How a module is made smaller. Functions with one caller stay on their own, and so do zeros among the data:
/// they compress better.
const OPTIMISE: [&str; 4] =
    ["-Oz", "--converge", "--one-caller-inline-max-function-size=0", "--skip-pass=memory-packing"];

/// A WebAssembly module and its crate.
struct Module {
    name: &'static str,
    package: &'static str,
    /// It has the core of a tab or a hub, which notices its failures, and which is offered by URL.
    has_core: bool,
}

impl Module {
    /// The folder in which wasm-bindgen leaves it, and from which the TypeScript imports.
    fn folder(&self, root: &Path) -> PathBuf {
        root.join("js/wasm").join(self.name)
    }

    /// The name of its files.
    fn stem(&self) -> String {
        format!("tabmux_{}", self.name)
    }

    fn wasm(&self, root: &Path) -> PathBuf {
        self.folder(root).join(format!("{}_bg.wasm", self.stem()))
    }
}

/// Flags of every bundle. `text` makes a string of a module that was written as text.
const BUNDLE: [&str; 6] = [
    "--bundle",
    "--target=es2022",
    "--sourcemap",
    "--loader:.txt=text",
    "--log-level=warning",
    "--charset=utf8",
];

pub fn run(tools: &Tools) -> Result<()> {
    let package = tools.root.join("pkg");
    check_version(&tools.root)?;
    compile(tools)?;

    println!("▸ pkg");
    empty(&package)?;
    bundle_modules(tools)?;
    bundle_commonjs(tools)?;
    bundle_worker(tools, &package)?;
    for types in ["types", "cjs/types"] {
        write_typings(tools, &package.join(types))?;
    }
    // Makes the typings beside the CommonJS files count as CommonJS.
    fs::write(package.join("cjs/package.json"), "{\"type\": \"commonjs\"}\n")?;
    for (from, to) in [
        ("js/package.json", "package.json"),
        ("README.md", "README.md"),
        ("LICENSE-APACHE", "LICENSE-APACHE"),
        ("LICENSE-MIT", "LICENSE-MIT"),
    ] {
        copy(&tools.root.join(from), &package.join(to))?;
    }
    for module in MODULES.iter().filter(|it| it.has_core) {
        let to = format!("{}.wasm", module.stem());
        copy(&module.wasm(&tools.root), &package.join(to))?;
    }
    Ok(())
}

fn check_version(root: &Path) -> Result<()> {
    let manifest = root.join("js/package.json");
    let manifest: Value = serde_json::from_str(&fs::read_to_string(manifest)?)?;
    let (npm, cargo) = (&manifest["version"], env!("CARGO_PKG_VERSION"));
    ensure!(
        npm == cargo,
        "js/package.json has version {npm}, Cargo.toml {cargo}: make them the same"
    );
    Ok(())
}

/// Rust to js/wasm: what the TypeScript imports.
fn compile(tools: &Tools) -> Result<()> {
    println!("▸ cargo build --target {WASM_TARGET}");
    let packages = MODULES.iter().flat_map(|it| ["--package", it.package]);
    let build = ["build", "--profile", PROFILE, "--target", WASM_TARGET];
    tools
        .cargo(build.into_iter().chain(packages))
        // For `js/src/shared/trap.ts`.
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-Clink-arg=--export=__stack_pointer")
        .run()
        .context("the Rust code does not compile")?;

    println!("▸ wasm-bindgen, wasm-opt");
    thread::scope(|scope| {
        let modules = MODULES.map(|it| scope.spawn(move || finish_module(tools, &it)));
        modules.into_iter().try_for_each(|it| it.join().expect("what fails is returned"))
    })
}

fn finish_module(tools: &Tools, module: &Module) -> Result<()> {
    let output = module.folder(&tools.root);
    empty(&output)?;
    // The TypeScript says where the module is, so the generated code needs no default for it.
    cmd!(
        &tools.wasm_bindgen,
        tools.target.join(WASM_TARGET).join(PROFILE).join(format!("{}.wasm", module.stem())),
        "--target=web",
        "--omit-default-module-path",
        format!("--out-name={}", module.stem()),
        "--out-dir",
        &output
    )
    .run()
    .context("wasm-bindgen failed")?;
    if module.has_core {
        let glue = output.join(format!("{}.js", module.stem()));
        guard_exports(&glue, module)?;
        if module.name == "hub" {
            look_up_texts(&glue)?;
        }
    }
    let wasm = module.wasm(&tools.root);
    let file = wasm.to_str().context("a path that is not UTF-8")?;
    let files = [file, "-o", file].into_iter();
    tools
        .npm_tool("wasm-opt", files.chain(OPTIMISE).chain(WASM_FEATURES))?
        .run()
        .context("wasm-opt failed")?;
    let glue = output.join(format!("{}.js", module.stem()));
    let (bytes, code) = short_names::rename(&fs::read(&wasm)?, &fs::read_to_string(&glue)?)?;
    fs::write(&glue, code)?;
    fs::write(&wasm, &bytes)?;
    let text = output.join(format!("{}.wasm.txt", module.stem()));
    fs::write(text, wasm_text::write(&bytes))?;
    Ok(())
}

/// Has the generated code call the instance by way of `js/src/shared/trap.ts`.
fn guard_exports(glue: &Path, module: &Module) -> Result<()> {
    let is_tab = module.name == "tab";
    let guarded = format!("wasm = guarded(instance.exports, takePanic, {is_tab});");
    replace_code(
        glue,
        "wasm = instance.exports;",
        &guarded,
        "guarded} from '../../src/shared/trap.js",
    )
}

/// Has the generated code read texts by way of `js/src/shared/short-texts.ts`. A hub passes many with each
/// op; for the few of a tab no page downloads that.
fn look_up_texts(glue: &Path) -> Result<()> {
    let decoded = "return decodeText(getUint8ArrayMemory0().subarray(ptr, ptr + len));";
    let found = "return textAt(getUint8ArrayMemory0(), ptr, ptr + len, decodeText);";
    replace_code(glue, decoded, found, "textAt} from '../../src/shared/short-texts.js")
}

fn replace_code(glue: &Path, from: &str, to: &str, import: &str) -> Result<()> {
    let code = fs::read_to_string(glue)?;
    ensure!(
        code.matches(from).count() == 1,
        "wasm-bindgen no longer writes `{from}`: see how it does that now"
    );
    fs::write(glue, format!("import {{{import}';\n{}", code.replace(from, to)))?;
    Ok(())
}

/// All entries at once, so that what they share, the WebAssembly instances above all, is one file.
/// What a page loads only if it must host its hub is a file of its own.
fn bundle_modules(tools: &Tools) -> Result<()> {
    let bundle = esbuild(
        tools,
        &[
            "js/src/index.ts",
            "js/src/page.ts",
            "js/src/url.ts",
            "js/src/hub.ts",
            "js/src/hub-url.ts",
            "--format=esm",
            "--platform=neutral",
            "--packages=external",
            "--splitting",
            "--chunk-names=chunk-[hash]",
            "--outdir=pkg",
        ],
    )?;
    bundle.run().context("esbuild failed")?;
    Ok(())
}

/// esbuild can't split CommonJS: one file holds everything and each entry names its part of it.
fn bundle_commonjs(tools: &Tools) -> Result<()> {
    const ENTRIES: [&str; 2] = ["index", "hub"];
    let bundle = esbuild(
        tools,
        &[
            "--sourcefile=common.js",
            "--format=cjs",
            "--platform=neutral",
            "--packages=external",
            // `import.meta` finds the default worker; users of CommonJS have to name theirs.
            "--log-override:empty-import-meta=silent",
            "--outfile=pkg/cjs/common.cjs",
        ],
    )?;
    let everything = ENTRIES.map(|it| format!("export * as {it} from './js/src/{it}.ts';"));
    bundle.stdin_bytes(everything.concat()).run().context("esbuild failed")?;
    for entry in ENTRIES {
        let code = format!("module.exports = require('./common.cjs').{entry};\n");
        fs::write(tools.root.join(format!("pkg/cjs/{entry}.cjs")), code)?;
    }
    Ok(())
}

/// One file with everything in it, to be served as it is.
fn bundle_worker(tools: &Tools, package: &Path) -> Result<()> {
    let contents = tools.target.join("worker-contents.json");
    let bundle = esbuild(
        tools,
        &[
            "js/src/worker.ts",
            "--format=esm",
            "--platform=browser",
            "--minify",
            "--legal-comments=none",
            "--outfile=pkg/worker.js",
            &format!("--metafile={}", contents.display()),
        ],
    )?;
    bundle.run().context("esbuild failed")?;
    let notices = notices::of_bundle(&tools.root, &contents)?;
    fs::write(package.join("THIRD-PARTY-NOTICES"), notices)?;
    Ok(())
}

fn esbuild(tools: &Tools, arguments: &[&str]) -> Result<Expression> {
    tools.npm_tool("esbuild", arguments.iter().copied().chain(BUNDLE))
}

fn write_typings(tools: &Tools, folder: &Path) -> Result<()> {
    let folder_name = folder.to_str().context("a path that is not UTF-8")?;
    tools
        .npm_tool(
            "tsc",
            [
                "--project",
                "js/tsconfig.json",
                "--noEmit",
                "false",
                "--emitDeclarationOnly",
                "--outDir",
                folder_name,
            ],
        )?
        .run()
        .context("the TypeScript code has type errors")?;
    // The compiler writes no typings for what already is one.
    for module in MODULES {
        let file = format!("{}.d.ts", module.stem());
        let typings = fs::read_to_string(module.folder(&tools.root).join(&file))?;
        // Nobody disposes of what these declare, and not every project's `lib` has the symbol.
        let lines = typings.lines().filter(|line| !line.contains("[Symbol.dispose]"));
        let copies = folder.join("wasm").join(module.name);
        fs::create_dir_all(&copies)?;
        fs::write(copies.join(file), lines.collect::<Vec<_>>().join("\n") + "\n")?;
    }
    Ok(())
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("can't empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder)?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("can't copy {}", from.display()))?;
    Ok(())
}
