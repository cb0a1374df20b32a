//! `cargo xtask bundlers`: the packed package in every set-up that people have.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::build;
use crate::suites::bundlers;
use crate::tools::Tools;

pub fn run(tools: &Tools, setups: &[String]) -> Result<ExitCode> {
    build::run(tools)?;
    let setups = if setups.is_empty() { "all".to_owned() } else { setups.join(",") };
    let tests = bundlers(tools, "spec")?.env("TABMUX_SETUPS", setups);
    let ended = tests.unchecked().run().context("node did not start")?;
    Ok(if ended.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
