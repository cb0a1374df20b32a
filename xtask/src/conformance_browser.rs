//! `cargo xtask conformance --browser`: the tests in a tab of a real browser, with their hubs in a
//! SharedWorker. `tests/conformance/browser` has what runs there.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use duct::cmd;
use serde_json::Value;

use crate::browsers::{CHROMIUM, FIREFOX, Program};
use crate::conformance_run::{Combination, one_or_all, report_of};
use crate::flags::Conformance;
use crate::tools::Tools;

const BROWSERS: [(&str, Program); 2] = [("chromium", CHROMIUM), ("firefox", FIREFOX)];
const VERSION: &str = "7.0.0";
const TRANSPORTS: [&str; 2] = ["message-port", "broadcast-channel"];
const CODECS: [&str; 3] = ["structured-clone", "json", "cbor"];

/// What the flags ask for; by default what an application has by default.
pub fn select(flags: &Conformance) -> Result<Combination> {
    let asked = flags.version.as_deref().unwrap_or(VERSION);
    ensure!(asked == VERSION, "sharedb {asked} is not tested in browsers, {VERSION} is");
    Ok(Combination {
        version: VERSION,
        transport: one_or_all(&flags.transport, &TRANSPORTS)?[0],
        codec: one_or_all(&flags.codec, &CODECS)?[0],
    })
}

/// Of the exemptions, those of tests that also pass if the browser is fast: their reason says
/// `at times`.
pub fn unsteady(exemptions: &str) -> BTreeSet<String> {
    let names = exemptions.lines().filter_map(|line| line.split_once("\tat times: "));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// A report as that of mocha's reporter `json`.
pub fn run(
    tools: &Tools,
    results: &Path,
    browser: &str,
    Combination { version, transport, codec }: Combination,
    grep: Option<&str>,
) -> Result<Value> {
    let names = BROWSERS.map(|(name, _)| name).join(", ");
    let (_, program) = BROWSERS
        .iter()
        .find(|(name, _)| *name == browser)
        .with_context(|| format!("{browser} is not one of {names}"))?;
    let file = results.join(format!("{browser}-{version}-{transport}-{codec}.json"));
    let mut arguments = vec![
        "tests/conformance/browser/run.mjs".to_owned(),
        format!("--browser={browser}"),
        format!("--transport={transport}"),
        format!("--codec={codec}"),
        format!("--output={}", file.display()),
    ];
    arguments.extend(grep.map(|grep| format!("--grep={grep}")));
    let command = cmd("node", arguments).dir(&tools.root).env(program.variable, program.find()?);
    report_of(command, &file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exemption_for_some_of_the_time_says_so_in_its_reason() {
        let text = "a\tstubs b at times: c\nd\tat times: it needs e\n";
        assert_eq!(unsteady(text), BTreeSet::from(["d".to_owned()]));
    }

    #[test]
    fn browsers_run_what_is_the_default_unless_told_otherwise() {
        let flags = |version: Option<&str>, codec: Option<&str>| Conformance {
            version: version.map(Into::into),
            transport: None,
            codec: codec.map(Into::into),
            browser: Some("chromium".into()),
            grep: None,
            built: false,
        };
        let Combination { version, transport, codec } = select(&flags(None, None)).unwrap();
        assert_eq!([version, transport, codec], ["7.0.0", "message-port", "structured-clone"]);
        assert_eq!(select(&flags(None, Some("json"))).unwrap().codec, "json");
        assert!(select(&flags(Some("5.2.2"), None)).is_err());
    }
}
