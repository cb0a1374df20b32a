//! `cargo xtask test`: runs the suites one after the other and counts.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use duct::Expression;

use crate::counts::Counts;
use crate::suites::{self, BUILD, Kind, Suite};
use crate::tools::Tools;

struct Outcome {
    suite: String,
    counts: Counts,
    time: Duration,
}

pub fn run(tools: &Tools, names: &[String]) -> Result<ExitCode> {
    let mut outcomes = Vec::new();
    let mut build_failed = false;
    for mut suite in select(suites::all(tools)?, names)? {
        if suite.needs_build && build_failed {
            suite.command = Err(anyhow::anyhow!("the suite {BUILD}, which it needs, failed"));
        }
        let outcome = run_suite(suite)?;
        build_failed |= outcome.suite == BUILD && outcome.counts.failed > 0;
        outcomes.push(outcome);
    }
    Ok(if summarise(&outcomes).failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The named suites, with the build they need, or all if none is named.
fn select(mut suites: Vec<Suite>, names: &[String]) -> Result<Vec<Suite>> {
    for name in names {
        if !suites.iter().any(|suite| suite.name == *name) {
            let known: Vec<_> = suites.iter().map(|suite| suite.name.as_str()).collect();
            bail!("no suite {name}: there are {}", known.join(", "));
        }
    }
    if !names.is_empty() {
        let named = |suite: &Suite| names.contains(&suite.name);
        let needs_build = suites.iter().any(|suite| suite.needs_build && named(suite));
        suites.retain(|suite| named(suite) || (needs_build && suite.name == BUILD));
    }
    Ok(suites)
}

fn run_suite(suite: Suite) -> Result<Outcome> {
    print!("▸ {} … ", suite.name);
    io::stdout().flush()?;
    let start = Instant::now();
    let (counts, output) = match suite.command {
        Ok(command) => run_command(command, &suite.kind)?,
        Err(reason) => (Counts { passed: 0, failed: 1 }, format!("{reason}\n")),
    };
    let time = start.elapsed();
    if counts.failed == 0 {
        println!("ok ({} passed, {} s)", counts.passed, time.as_secs());
    } else {
        println!("FAILED ({} failed, {} s)\n{output}", counts.failed, time.as_secs());
    }
    Ok(Outcome { suite: suite.name, counts, time })
}

fn run_command(command: Expression, kind: &Kind) -> Result<(Counts, String)> {
    let ran = command.stderr_to_stdout().stdout_capture().unchecked().run()?;
    let mut output = String::from_utf8_lossy(&ran.stdout).into_owned();
    let succeeded = ran.status.success();
    let mut counts = match kind {
        Kind::Check => Counts { passed: usize::from(succeeded), failed: 0 },
        Kind::Tests(count) => count(&output),
    };
    if succeeded && counts == Counts::default() {
        output += "ran no tests\n";
        counts.failed = 1;
    } else if !succeeded && counts.failed == 0 {
        output += &format!("ended with {}\n", ran.status);
        counts.failed = 1;
    }
    Ok((counts, output))
}

fn summarise(outcomes: &[Outcome]) -> Counts {
    println!("\n{:<20} {:>8} {:>8} {:>8}", "suite", "passed", "failed", "seconds");
    let mut total = Counts::default();
    for Outcome { suite, counts, time } in outcomes {
        let seconds = time.as_secs();
        println!("{suite:<20} {:>8} {:>8} {seconds:>8}", counts.passed, counts.failed);
        total += *counts;
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    total
}
