//! `cargo xtask test`: runs the suites, two at a time, and counts.

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use duct::Expression;

use crate::counts::Counts;
use crate::suites::{self, BUILD, Kind, Suite};
use crate::tools::Tools;

/// A suite, and where it stands among the others.
type Numbered = (usize, Suite);
/// Takes a suite from one end of the list.
type Take = fn(&mut VecDeque<Numbered>) -> Option<Numbered>;

struct Outcome {
    at: usize,
    suite: String,
    counts: Counts,
    time: Duration,
}

pub fn run(tools: &Tools, names: &[String]) -> Result<ExitCode> {
    let mut suites: Vec<_> = select(suites::all(tools)?, names)?.into_iter().enumerate().collect();
    let mut outcomes = Vec::new();
    if let Some(at) = suites.iter().position(|(_, suite)| suite.name == BUILD) {
        let build = run_suite(suites.remove(at))?;
        if build.counts.failed > 0 {
            for (_, suite) in suites.iter_mut().filter(|(_, suite)| suite.needs_build) {
                suite.command = Err(anyhow::anyhow!("the suite {BUILD}, which it needs, failed"));
            }
        }
        outcomes.push(build);
    }
    let (alone, others): (Vec<_>, Vec<_>) = suites.into_iter().partition(|(_, it)| it.is_alone);
    for suite in alone {
        outcomes.push(run_suite(suite)?);
    }
    outcomes.extend(run_side_by_side(others)?);
    outcomes.sort_by_key(|outcome| outcome.at);
    Ok(if summarise(&outcomes).failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the suites from both ends of the list: compilers keep the cores busy at the one, and at the
/// other are browsers, in which most tests wait.
fn run_side_by_side(suites: Vec<Numbered>) -> Result<Vec<Outcome>> {
    let queue = Mutex::new(VecDeque::from(suites));
    let run_all = |take: Take| -> Result<Vec<Outcome>> {
        let next = || take(&mut queue.lock().unwrap_or_else(PoisonError::into_inner));
        std::iter::from_fn(next).map(run_suite).collect()
    };
    thread::scope(|scope| {
        let from_front = scope.spawn(|| run_all(VecDeque::pop_front));
        let mut outcomes = run_all(VecDeque::pop_back)?;
        outcomes.extend(from_front.join().expect("what fails in a suite is counted")?);
        Ok(outcomes)
    })
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

fn run_suite((at, suite): Numbered) -> Result<Outcome> {
    let start = Instant::now();
    let (counts, output) = match suite.command {
        Ok(command) => run_command(command, &suite.kind)?,
        Err(reason) => (Counts { passed: 0, failed: 1 }, format!("{reason}\n")),
    };
    let time = start.elapsed();
    if counts.failed == 0 {
        let shown = if matches!(suite.kind, Kind::Report) {
            format!("\n{}", output.trim_end())
        } else {
            String::new()
        };
        println!("▸ {} ok ({} passed, {} s){shown}", suite.name, counts.passed, time.as_secs());
    } else {
        let (failed, seconds) = (counts.failed, time.as_secs());
        println!("▸ {} FAILED ({failed} failed, {seconds} s)\n{output}", suite.name);
    }
    Ok(Outcome { at, suite: suite.name, counts, time })
}

fn run_command(command: Expression, kind: &Kind) -> Result<(Counts, String)> {
    let ran = command.stderr_to_stdout().stdout_capture().unchecked().run()?;
    let mut output = String::from_utf8_lossy(&ran.stdout).into_owned();
    let succeeded = ran.status.success();
    let mut counts = match kind {
        Kind::Check | Kind::Report => Counts { passed: usize::from(succeeded), failed: 0 },
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
    for Outcome { suite, counts, time, .. } in outcomes {
        let seconds = time.as_secs();
        println!("{suite:<20} {:>8} {:>8} {seconds:>8}", counts.passed, counts.failed);
        total += *counts;
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    total
}
