//! The project's own commands: `cargo xtask build`, `bundlers`, `demo`, `docs`, `test`, `conformance`,
//! `soak`, `kill` and `bench`.

mod bench;
mod browsers;
mod build;
mod bundlers;
mod conformance;
mod conformance_browser;
mod conformance_run;
mod counts;
mod demo;
mod docs;
mod flags;
mod kill;
mod notices;
mod short_names;
mod soak;
mod suites;
mod test;
mod tools;
mod typings;
mod wasm_text;

use std::process::ExitCode;

use anyhow::Result;
use flags::{Xtask, XtaskCmd};
use tools::Tools;

fn main() -> Result<ExitCode> {
    let command = Xtask::from_env_or_exit().subcommand;
    let tools = Tools::set_up()?;
    match command {
        XtaskCmd::Bench(bench) => bench::run(&tools, &bench.what, bench.json),
        XtaskCmd::Build(_) => build::run(&tools).map(|()| ExitCode::SUCCESS),
        XtaskCmd::Bundlers(flags) => bundlers::run(&tools, &flags.setup),
        XtaskCmd::Docs(_) => docs::run(&tools),
        XtaskCmd::Demo(demo) => demo::run(&tools, demo.port.unwrap_or(8080), demo.open),
        XtaskCmd::Conformance(conformance) => conformance::run(&tools, &conformance),
        XtaskCmd::Soak(soak) => soak::run(&tools, soak.seeds.unwrap_or(1_000_000)),
        XtaskCmd::Kill(flags) => kill::run(&tools, &flags),
        XtaskCmd::Test(test) => test::run(&tools, &test.suite),
    }
}
