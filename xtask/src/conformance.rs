//! `cargo xtask conformance`: runs ShareDB's own tests on `ProxyConnection`s.
//!
//! The tests are those that the npm package `sharedb` contains, as they are. The package.json of
//! `tests/conformance/sharedb-*` names what they import, `tests/conformance/connect.mjs` puts the
//! proxies in their way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::build;
use crate::conformance_browser;
use crate::conformance_run::{Combination, folder_of, install, one_or_all, run_mocha};
use crate::flags::Conformance;
use crate::tools::Tools;

const VERSIONS: [&str; 3] = ["5.2.2", "6.0.3", "7.0.0"];
const TRANSPORTS: [&str; 4] = ["direct", "message-port", "broadcast-channel", STORE];
/// A hub that keeps documents, in memory; the codec makes no difference to that.
const STORE: &str = "direct+store";
const CODECS: [&str; 3] = ["structured-clone", "json", "cbor"];

/// So many tests of one run that fail are run again: what they wait for has ten milliseconds in some, and
/// five seconds in all, which on a busy machine is now and then too little.
const MOST_AGAIN: usize = 5;

/// What must exist in every tab can't be given up for more tests than this.
const MOST_EXEMPTIONS: usize = 40;

pub fn run(tools: &Tools, flags: &Conformance) -> Result<ExitCode> {
    let combinations = match flags.browser {
        Some(_) => vec![conformance_browser::select(flags)?],
        None => select(flags)?,
    };
    let folder = tools.root.join("tests/conformance");
    let mut exemptions = read_exemptions(&folder.join("exempt.txt"))?;
    check_replacements(&fs::read_to_string(folder.join("exempt.txt"))?, &own_tests(tools)?)?;
    let with_store = read_exemptions(&folder.join("exempt-with-store.txt"))?;
    let mut expected = &exemptions | &with_store;
    let mut unsteady = BTreeSet::new();
    if flags.browser.is_some() {
        let file = folder.join("exempt-in-browser.txt");
        expected = read_exemptions(&file)?;
        unsteady = conformance_browser::unsteady(&fs::read_to_string(&file)?);
        exemptions.extend(expected.iter().cloned());
    }
    if !flags.built {
        build::run(tools)?;
    }

    let results = tools.target.join("conformance");
    fs::create_dir_all(&results)?;
    println!(
        "\n{:<8} {:<18} {:<17} {:>6} {:>6} {:>6}",
        "version", "transport", "codec", "passed", "run", "exempt"
    );
    let mut summary = Summary::default();
    let mut installed = "";
    for combination in combinations {
        if installed != combination.version {
            installed = combination.version;
            install(tools, &folder_of(&folder, installed))?;
        }
        let run_tests = |grep: Option<String>| match &flags.browser {
            Some(browser) => {
                conformance_browser::run(tools, &results, browser, combination, grep.as_deref())
            }
            None => run_mocha(&folder, &results, combination, grep.as_deref()),
        };
        let report = run_tests(flags.grep.clone())?;
        let may_fail = match combination.transport {
            STORE => &exemptions | &with_store,
            _ => exemptions.clone(),
        };
        let mut verdict = Verdict::of(&report, &may_fail);
        if (1..=MOST_AGAIN).contains(&verdict.failures.len()) {
            let report = run_tests(Some(pattern_of(verdict.failures.keys())))?;
            for name in verdict.take_passed(&Verdict::of(&report, &may_fail)) {
                println!("passes when it is run again: {name}");
            }
        }
        verdict.needless.retain(|name| !unsteady.contains(name));
        let Combination { version, transport, codec } = combination;
        let Verdict { passed, run, exempt, .. } = verdict;
        println!("{version:<8} {transport:<18} {codec:<17} {passed:>6} {run:>6} {exempt:>6}");
        summary.add(combination, verdict);
    }
    let everything = flags.version.is_none() && flags.grep.is_none();
    let complaints = summary.complaints(&expected, everything);
    print!("{complaints}");
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn select(flags: &Conformance) -> Result<Vec<Combination>> {
    let mut combinations = Vec::new();
    for version in one_or_all(&flags.version, &VERSIONS)? {
        for transport in one_or_all(&flags.transport, &TRANSPORTS)? {
            for codec in one_or_all(&flags.codec, &CODECS)? {
                if transport == STORE && codec != CODECS[0] {
                    continue;
                }
                combinations.push(Combination { version, transport, codec });
            }
        }
    }
    Ok(combinations)
}

/// The text of our own tests in Node.
fn own_tests(tools: &Tools) -> Result<String> {
    let mut text = String::new();
    for entry in fs::read_dir(tools.root.join("tests/node"))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            text += &fs::read_to_string(path)?;
        }
    }
    Ok(text)
}

/// Each line of exempt.txt ends with the name of our own test of what an application sees of it.
fn check_replacements(text: &str, own_tests: &str) -> Result<()> {
    for line in text.lines() {
        let own = line.split('\t').nth(2).unwrap_or_default().trim();
        ensure!(
            !own.is_empty() && own_tests.contains(own),
            "exempt.txt names no test of tests/node after the reason in {line:?}"
        );
    }
    Ok(())
}

fn read_exemptions(file: &Path) -> Result<BTreeSet<String>> {
    parse_exemptions(&fs::read_to_string(file)?).with_context(|| format!("in {}", file.display()))
}

/// The full names of the tests that may fail. Each line is a name, a tab and the reason.
fn parse_exemptions(text: &str) -> Result<BTreeSet<String>> {
    let mut exemptions = BTreeSet::new();
    for line in text.lines() {
        let mut parts = line.split('\t').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let reason = parts.next().unwrap_or_default();
        ensure!(!reason.is_empty(), "no reason is given for {name:?}");
        ensure!(exemptions.insert(name.to_owned()), "{name:?} is there twice");
    }
    let count = exemptions.len();
    ensure!(count <= MOST_EXEMPTIONS, "{count} lines, {MOST_EXEMPTIONS} at most");
    Ok(exemptions)
}

/// What a report means in the light of the exemptions. Tests of one name count as one with another.
#[derive(Debug, Default, PartialEq)]
struct Verdict {
    passed: usize,
    run: usize,
    /// How many tests failed and may.
    exempt: usize,
    /// The tests and hooks that failed and must not, with the first line of the error.
    failures: BTreeMap<String, String>,
    /// The tests that passed although their exemption says they can't.
    needless: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Verdict {
    fn of(report: &Value, exemptions: &BTreeSet<String>) -> Self {
        let mut verdict = Self::default();
        for failure in entries(report, "failures") {
            let message = failure["err"]["message"].as_str().unwrap_or_default();
            let first_line = message.lines().next().unwrap_or_default().to_owned();
            verdict.failures.insert(name_of(failure), first_line);
        }
        for name in entries(report, "tests").map(name_of) {
            verdict.run += 1;
            match (verdict.failures.contains_key(&name), exemptions.contains(&name)) {
                (true, true) => verdict.exempt += 1,
                (true, false) => {}
                (false, exempt) => {
                    verdict.passed += 1;
                    if exempt {
                        verdict.needless.insert(name.clone());
                    }
                }
            }
            verdict.names.insert(name);
        }
        verdict.failures.retain(|name, _| !exemptions.contains(name));
        verdict
    }

    /// Takes those for passed that have passed in another run; returns their names.
    fn take_passed(&mut self, again: &Verdict) -> Vec<String> {
        let has_passed =
            |name: &String| again.names.contains(name) && !again.failures.contains_key(name);
        let passed: Vec<String> =
            self.failures.keys().filter(|it| has_passed(it)).cloned().collect();
        self.failures.retain(|name, _| !passed.contains(name));
        self.passed += passed.len();
        passed
    }
}

fn entries<'a>(report: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    report[list].as_array().into_iter().flatten()
}

fn name_of(test: &Value) -> String {
    test["fullTitle"].as_str().unwrap_or_default().to_owned()
}

/// A regular expression, as JavaScript has it, for the full names of these tests.
fn pattern_of<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let escaped = |name: &String| {
        let special = |it: char| ".*+?^${}()|[]\\/".contains(it);
        name.chars().flat_map(|it| special(it).then_some('\\').into_iter().chain([it])).collect()
    };
    format!("^(?:{})$", names.map(escaped).collect::<Vec<String>>().join("|"))
}

/// The verdicts over all combinations.
#[derive(Default)]
struct Summary {
    combinations: usize,
    /// The combinations in which each test failed, and the first error.
    failures: BTreeMap<String, (Vec<Combination>, String)>,
    needless: BTreeSet<String>,
    names: BTreeSet<String>,
    without_tests: usize,
}

impl Summary {
    fn add(&mut self, combination: Combination, verdict: Verdict) {
        self.combinations += 1;
        self.without_tests += usize::from(verdict.run == 0);
        for (name, message) in verdict.failures {
            self.failures.entry(name).or_insert((vec![], message)).0.push(combination);
        }
        self.needless.extend(verdict.needless);
        self.names.extend(verdict.names);
    }

    /// All that is wrong; empty if nothing is.
    fn complaints(&self, exemptions: &BTreeSet<String>, everything: bool) -> String {
        let mut text = String::new();
        if self.without_tests > 0 {
            text += "\nno test ran\n";
        }
        if !self.failures.is_empty() {
            text += &format!("\nfailed tests: {}\n", self.failures.len());
        }
        for (name, (combinations, message)) in &self.failures {
            text += &format!("  {name}\n    {}: {message}\n", self.places(combinations));
        }
        for name in &self.needless {
            text += &format!("\npasses, so take it out of the exemptions: {name}\n");
        }
        if everything {
            for name in exemptions.difference(&self.names) {
                text += &format!("\nno such test, so take it out of the exemptions: {name}\n");
            }
        }
        text
    }

    /// Where a test failed; the combinations are not listed if they are all or many.
    fn places(&self, combinations: &[Combination]) -> String {
        let count = combinations.len();
        if count == self.combinations && count > 1 {
            return format!("all {count}");
        }
        if count > 3 {
            return format!("{count} of {}", self.combinations);
        }
        let names = combinations.iter().map(|it| [it.version, it.transport, it.codec].join(" "));
        names.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(passed: &[&str], failed: &[&str]) -> Value {
        let test = |name: &&str| json!({"fullTitle": name});
        let failure = |name: &&str| json!({"fullTitle": name, "err": {"message": "no\nmore"}});
        json!({
            "tests": passed.iter().chain(failed).map(test).collect::<Vec<_>>(),
            "failures": failed.iter().map(failure).collect::<Vec<_>>(),
        })
    }

    fn exemptions(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn complaints(report: &Value, exempt: &[&str]) -> String {
        let exempt = exemptions(exempt);
        let mut summary = Summary::default();
        let combination = Combination { version: "1", transport: "wire", codec: "text" };
        summary.add(combination, Verdict::of(report, &exempt));
        summary.complaints(&exempt, true)
    }

    #[test]
    fn a_failure_counts_as_exempt_only_if_it_is_listed() {
        let verdict = Verdict::of(&report(&["a"], &["b", "c"]), &exemptions(&["b"]));
        assert_eq!((verdict.passed, verdict.run, verdict.exempt), (1, 3, 1));
        assert_eq!(verdict.failures, BTreeMap::from([("c".to_owned(), "no".to_owned())]));
    }

    #[test]
    fn a_test_that_also_fails_after_it_passed_has_failed() {
        let mut both = report(&["a"], &[]);
        both["failures"] = report(&[], &["a"])["failures"].clone();
        let verdict = Verdict::of(&both, &exemptions(&[]));
        assert_eq!((verdict.passed, verdict.run, verdict.failures.len()), (0, 1, 1));
    }

    #[test]
    fn only_exempt_failures_leave_nothing_to_complain_of() {
        assert_eq!(complaints(&report(&["a"], &["b"]), &["b"]), "");
    }

    #[test]
    fn a_failure_is_named_with_where_and_why() {
        let text = complaints(&report(&["a"], &["b"]), &[]);
        assert_eq!(text, "\nfailed tests: 1\n  b\n    1 wire text: no\n");
    }

    #[test]
    fn an_exempt_test_that_passes_is_a_complaint() {
        let text = complaints(&report(&["a"], &[]), &["a"]);
        assert_eq!(text, "\npasses, so take it out of the exemptions: a\n");
    }

    #[test]
    fn an_exemption_of_a_test_that_is_gone_is_a_complaint() {
        let text = complaints(&report(&["a"], &[]), &["b"]);
        assert_eq!(text, "\nno such test, so take it out of the exemptions: b\n");
    }

    #[test]
    fn a_run_of_nothing_is_a_complaint() {
        assert_eq!(complaints(&report(&[], &[]), &[]), "\nno test ran\n");
    }

    #[test]
    fn an_exemption_needs_a_reason() {
        assert_eq!(parse_exemptions("a b\tstubs c\n").unwrap(), exemptions(&["a b"]));
        assert!(parse_exemptions("a b\n").is_err());
        assert!(parse_exemptions("a b\t\n").is_err());
    }

    #[test]
    fn an_exemption_names_a_test_in_its_place() {
        let own = "test('d is done')";
        assert!(check_replacements("a b\tstubs c\td is\n", own).is_ok());
        for line in ["a b\tstubs c\n", "a b\tstubs c\t\n", "a b\tstubs c\te is\n"] {
            assert!(check_replacements(line, own).is_err(), "{line:?}");
        }
    }

    #[test]
    fn a_test_that_passes_when_it_is_run_again_has_passed() {
        let mut verdict = Verdict::of(&report(&["a"], &["b", "c"]), &exemptions(&[]));
        let again = Verdict::of(&report(&["b"], &["c"]), &exemptions(&[]));
        assert_eq!(verdict.take_passed(&again), ["b"]);
        assert_eq!((verdict.passed, verdict.failures.len()), (2, 1));
    }

    #[test]
    fn the_tests_to_run_again_are_named_literally() {
        let names = ["a.b (c)".to_owned(), "d".to_owned()];
        assert_eq!(pattern_of(names.iter()), r"^(?:a\.b \(c\)|d)$");
    }

    #[test]
    fn there_are_at_most_forty_exemptions() {
        let lines = |count: usize| (0..count).map(|it| format!("{it}\twhy\n")).collect::<String>();
        assert!(parse_exemptions(&lines(40)).is_ok());
        assert!(parse_exemptions(&lines(41)).is_err());
    }
}
