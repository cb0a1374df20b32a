//! `cargo xtask soak`: the whole simulation, for as many seeds as there is time for.

use std::process::ExitCode;

use anyhow::Result;

use crate::tools::Tools;

/// How many seeds `cargo xtask test simulation` lives through, at least.
const PER_RUN: u64 = 25_000;

/// Lives through at least so many seeds. Names each that breaks an invariant as soon as it does, and
/// fails at the end if there is one.
pub fn run(tools: &Tools, seeds: u64) -> Result<ExitCode> {
    let times = seeds.div_ceil(PER_RUN);
    println!("{} seeds", times * PER_RUN);
    let output = tools
        .cargo(["test", "--profile=soak", "--test=simulation", "--", "--nocapture"])
        .env("TABMUX_SOAK", times.to_string())
        .unchecked()
        .run()?;
    Ok(if output.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
