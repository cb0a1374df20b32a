//! `cargo xtask docs`: the reference of the npm package, made of its typings.

use std::process::ExitCode;

use anyhow::{Context, Result};
use duct::cmd;

use crate::build;
use crate::tools::{Tools, install_npm_packages};

pub fn run(tools: &Tools) -> Result<ExitCode> {
    build::run(tools)?;
    let generator = tools.root.join("docs/generator");
    install_npm_packages(&generator)?;
    println!("▸ docs/api.md");
    cmd!("node", generator.join("generate.mjs")).run().context("TypeDoc failed")?;
    Ok(ExitCode::SUCCESS)
}
