//! `cargo xtask build`: the Rust core and the TypeScript around it become the npm package in pkg/.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use duct::{Expression, cmd};
use serde_json::Value;

use crate::notices;
use crate::tools::{Tools, WASM_TARGET};

/// What rustc's output uses beyond WebAssembly 1.0; every browser with module workers has them.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Flags of every bundle. `binary` turns an imported .wasm file into a `Uint8Array`.
const BUNDLE: [&str; 6] = [
    "--bundle",
    "--target=es2022",
    "--sourcemap",
    "--loader:.wasm=binary",
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
        ("js/wasm/tabmux_bg.wasm", "tabmux_bg.wasm"),
        ("README.md", "README.md"),
        ("LICENSE-APACHE", "LICENSE-APACHE"),
        ("LICENSE-MIT", "LICENSE-MIT"),
    ] {
        copy(&tools.root.join(from), &package.join(to))?;
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
    tools
        .cargo(
            ["rustc", "--release", "--package=tabmux", "--lib", "--target", WASM_TARGET]
                .into_iter()
                .chain(["--", "-C", "link-arg=--export=__stack_pointer"]),
        )
        .run()
        .context("the Rust code does not compile")?;

    println!("▸ wasm-bindgen, wasm-opt");
    let output = tools.root.join("js/wasm");
    empty(&output)?;
    // The TypeScript says where the module is, so the generated code needs no default for it.
    cmd!(
        &tools.wasm_bindgen,
        tools.target.join(WASM_TARGET).join("release/tabmux.wasm"),
        "--target=web",
        "--omit-default-module-path",
        "--out-name=tabmux",
        "--out-dir",
        &output
    )
    .run()
    .context("wasm-bindgen failed")?;
    guard_exports(&output.join("tabmux.js"))?;
    let wasm = "js/wasm/tabmux_bg.wasm";
    tools
        .npm_tool("wasm-opt", ["-O3", wasm, "-o", wasm].into_iter().chain(WASM_FEATURES))?
        .run()
        .context("wasm-opt failed")?;
    Ok(())
}

/// Has the generated code call the instance by way of `js/src/trap.ts`.
fn guard_exports(glue: &Path) -> Result<()> {
    const INSTANCE: &str = "wasm = instance.exports;";
    let code = fs::read_to_string(glue)?;
    ensure!(
        code.matches(INSTANCE).count() == 1,
        "wasm-bindgen no longer writes `{INSTANCE}`: see where it takes the instance's exports now"
    );
    let code = code.replace(INSTANCE, "wasm = guarded(instance.exports);");
    fs::write(glue, format!("import {{guarded}} from '../src/trap.js';\n{code}"))?;
    Ok(())
}

/// All entries at once, so that what they share, the WebAssembly instance above all, is one file.
fn bundle_modules(tools: &Tools) -> Result<()> {
    let bundle = esbuild(
        tools,
        &[
            "js/src/index.ts",
            "js/src/hub.ts",
            "js/src/url.ts",
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
    fs::create_dir_all(folder.join("wasm"))?;
    let typings = fs::read_to_string(tools.root.join("js/wasm/tabmux.d.ts"))?;
    // Nobody disposes of what these declare, and not every project's `lib` has the symbol.
    let lines = typings.lines().filter(|line| !line.contains("[Symbol.dispose]"));
    fs::write(folder.join("wasm/tabmux.d.ts"), lines.collect::<Vec<_>>().join("\n") + "\n")?;
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
