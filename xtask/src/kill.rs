//! `cargo xtask kill`: kills a browser again and again while its tabs type, and looks for every op.

use std::process::ExitCode;

use anyhow::{Context, Result};
use duct::cmd;

use crate::build;
use crate::flags::Kill;
use crate::suites::with_browser;
use crate::tools::Tools;

pub fn run(tools: &Tools, flags: &Kill) -> Result<ExitCode> {
    build::run(tools)?;
    let arguments = ["--test", "--test-reporter=spec", "tests/browser/kill.test.mjs"];
    let engine = flags.engine.as_deref().unwrap_or("chromium");
    let mut command = with_browser(&cmd("node", arguments).dir(&tools.root), engine)?
        .env("TABMUX_KILLS", flags.count.unwrap_or(50).to_string());
    if let Some(seed) = flags.seed {
        command = command.env("TABMUX_SEED", seed.to_string());
    }
    let ended = command.unchecked().run().context("node did not start")?;
    Ok(if ended.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
