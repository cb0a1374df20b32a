//! `cargo xtask bench`: builds what a benchmark measures, and runs it.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use duct::cmd;

use crate::browsers::CHROMIUM;
use crate::build;
use crate::tools::{self, Tools, WASM_TARGET};

pub fn run(tools: &Tools, what: &str, json: bool) -> Result<ExitCode> {
    match what {
        "store" => store(tools, json),
        _ => bail!("no benchmark {what}: there is store"),
    }
}

/// tabmux's store in IndexedDB and its peer's, in Chromium; alone, and below the whole client.
fn store(tools: &Tools, json: bool) -> Result<ExitCode> {
    build::run(tools)?;
    tools::install_npm_packages(&tools.root.join("benches"))?;
    tools
        .cargo(["build", "--release", "--package=tabmux-bench-store", "--target", WASM_TARGET])
        .run()
        .context("the benchmark does not compile")?;
    let folder = tools.target.join("bench-store");
    cmd!(
        &tools.wasm_bindgen,
        tools.target.join(WASM_TARGET).join("release/tabmux_bench_store.wasm"),
        "--target=web",
        "--omit-default-module-path",
        "--no-typescript",
        "--out-name=store",
        "--out-dir",
        &folder
    )
    .run()
    .context("wasm-bindgen failed")?;

    let script = tools.root.join("benches/store/run.mjs");
    let flag = json.then_some("--json".into());
    let arguments = [script.into_os_string(), folder.into_os_string()].into_iter().chain(flag);
    let measured = cmd("node", arguments)
        .env(CHROMIUM.variable, CHROMIUM.find()?)
        .unchecked()
        .run()
        .context("node did not start")?;
    Ok(if measured.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
