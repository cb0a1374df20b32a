//! The set-up every command starts with: what can be installed is, the rest is asked for.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use duct::{Expression, cmd};
use serde_json::Value;

pub const WASM_TARGET: &str = "wasm32-unknown-unknown";
const OLDEST_NODE: u32 = 20;

/// Where things are, once everything needed is installed.
pub struct Tools {
    /// The root of the repository.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
    /// What `cargo metadata` says about the workspace.
    pub metadata: Value,
    /// `wasm-bindgen`, of the very version in `Cargo.lock`.
    pub wasm_bindgen: PathBuf,
    /// `wasm-bindgen-test-runner`, of the same version.
    pub wasm_test_runner: PathBuf,
}

impl Tools {
    pub fn set_up() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask/ has no parent folder")?
            .to_path_buf();
        let metadata = cmd!("cargo", "metadata", "--no-deps", "--format-version=1").dir(&root);
        let metadata: Value = serde_json::from_str(&metadata.read()?)?;
        let target = metadata["target_directory"].as_str().context("no target folder")?;
        let target = PathBuf::from(target);

        check_node()?;
        install_npm_packages(&root)?;
        install_wasm_target()?;
        install_rust_component("rustfmt", "fmt")?;
        install_rust_component("clippy", "clippy")?;
        let version = locked_wasm_bindgen_version(&root)?;
        let [wasm_bindgen, wasm_test_runner] = install_wasm_bindgen(&version, &target)?;
        Ok(Self { root, target, metadata, wasm_bindgen, wasm_test_runner })
    }

    /// A command installed by npm, run at the root.
    pub fn npm_tool<'a>(
        &self,
        name: &str,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Expression> {
        let folder = self.root.join("node_modules/.bin");
        let program = which::which_in(name, Some(&folder), &self.root)
            .with_context(|| format!("no {name} in {}: run npm ci", folder.display()))?;
        Ok(cmd(program, arguments).dir(&self.root))
    }

    /// A cargo command, run at the root.
    pub fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Expression {
        cmd("cargo", arguments).dir(&self.root)
    }
}

fn check_node() -> Result<()> {
    let install = format!("install Node.js {OLDEST_NODE} or newer, with npm: https://nodejs.org");
    let version =
        cmd!("node", "--version").read().with_context(|| format!("no node: {install}"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|it| it.parse().ok());
    ensure!(
        major.is_some_and(|major: u32| major >= OLDEST_NODE),
        "node is {version}, too old: {install}"
    );
    which::which("npm").with_context(|| format!("no npm: {install}"))?;
    Ok(())
}

/// Installs what a folder's package-lock.json says, unless that is done.
pub fn install_npm_packages(folder: &Path) -> Result<()> {
    let changed = |file: &str| fs::metadata(folder.join(file)).and_then(|it| it.modified());
    // npm writes this file last, so it dates the installation.
    let installed = changed("node_modules/.package-lock.json").ok();
    let locked = changed("package-lock.json").context("no package-lock.json")?;
    if installed.is_some_and(|installed| installed >= locked) {
        return Ok(());
    }
    println!("▸ npm ci");
    cmd!(which::which("npm")?, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        .dir(folder)
        .run()
        .context("npm ci failed")?;
    Ok(())
}

fn install_wasm_target() -> Result<()> {
    let sysroot = cmd!("rustc", "--print", "sysroot").read().context("no rustc")?;
    if Path::new(&sysroot).join("lib/rustlib").join(WASM_TARGET).exists() {
        return Ok(());
    }
    println!("▸ rustup target add {WASM_TARGET}");
    cmd!("rustup", "target", "add", WASM_TARGET).run().with_context(|| {
        format!(
            "Rust's {WASM_TARGET} target is missing and rustup could not add it: \
             install it the way Rust itself was installed, or use https://rustup.rs"
        )
    })?;
    Ok(())
}

fn install_rust_component(component: &str, subcommand: &str) -> Result<()> {
    let found = cmd!("cargo", subcommand, "--version").stdout_null().stderr_null().unchecked();
    if found.run()?.status.success() {
        return Ok(());
    }
    println!("▸ rustup component add {component}");
    cmd!("rustup", "component", "add", component).run().with_context(|| {
        format!(
            "{component} is missing and rustup could not add it: \
             install it the way Rust itself was installed, or use https://rustup.rs"
        )
    })?;
    Ok(())
}

fn locked_wasm_bindgen_version(root: &Path) -> Result<String> {
    let lock = fs::read_to_string(root.join("Cargo.lock")).context("no Cargo.lock")?;
    let mut lines = lock.lines().skip_while(|line| *line != r#"name = "wasm-bindgen""#);
    lines
        .nth(1)
        .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .map(str::to_owned)
        .context("Cargo.lock names no version of wasm-bindgen")
}

/// The tool and its test runner must be of the version the crate has; any other refuses to work.
fn install_wasm_bindgen(version: &str, target: &Path) -> Result<[PathBuf; 2]> {
    let own_root = target.join("tools");
    let search = env::var_os("PATH")
        .into_iter()
        .flat_map(|path| env::split_paths(&path).collect::<Vec<_>>());
    let folders: Vec<_> = search.chain([own_root.join("bin")]).collect();
    if let Some(found) = folders.iter().find_map(|folder| wasm_bindgen_in(folder, version)) {
        return Ok(found);
    }
    println!("▸ cargo install wasm-bindgen-cli {version}");
    let exact = format!("={version}");
    cmd!("cargo", "install", "wasm-bindgen-cli", "--version", exact, "--root", &own_root)
        .run()
        .with_context(|| format!("could not install wasm-bindgen-cli {version}"))?;
    match wasm_bindgen_in(&own_root.join("bin"), version) {
        Some(found) => Ok(found),
        None => bail!("no wasm-bindgen {version} in {} after installing it", own_root.display()),
    }
}

fn wasm_bindgen_in(folder: &Path, version: &str) -> Option<[PathBuf; 2]> {
    let [tool, runner] = ["wasm-bindgen", "wasm-bindgen-test-runner"].map(|name| {
        let program = which::which_in(name, Some(folder), folder).ok()?;
        let says = cmd!(&program, "--version").stderr_null().read().ok()?;
        (says.split_whitespace().nth(1) == Some(version)).then_some(program)
    });
    Some([tool?, runner?])
}
