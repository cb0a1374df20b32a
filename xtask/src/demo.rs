//! `cargo xtask demo`: builds the package and serves the demo.

use std::process::ExitCode;

use anyhow::{Context, Result};
use duct::cmd;

use crate::build;
use crate::tools::Tools;

pub fn run(tools: &Tools, port: u16, open: bool) -> Result<ExitCode> {
    build::run(tools)?;
    let mut arguments = vec!["examples/demo/server.mjs".to_owned(), format!("--port={port}")];
    if open {
        arguments.push("--open".to_owned());
    }
    let server = cmd("node", arguments);
    let ended = server.dir(&tools.root).unchecked().run().context("node did not start")?;
    Ok(if ended.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
