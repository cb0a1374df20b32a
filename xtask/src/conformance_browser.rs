//! `cargo xtask conformance --browser`: the tests in a tab of a real browser, with their hubs in a
//! SharedWorker. `tests/conformance/browser` has what runs there.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use duct::cmd;
use serde_json::Value;

use crate::browsers::{CHROMIUM, FIREFOX, Program};
use crate::conformance::{Combination, one_or_all, report_of};
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

/// A report as that of mocha's reporter `json`.
pub fn run(
    tools: &Tools,
    results: &Path,
    browser: &str,
    Combination { version, transport, codec }: Combination,
    flags: &Conformance,
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
    arguments.extend(flags.grep.iter().map(|grep| format!("--grep={grep}")));
    let command = cmd("node", arguments).dir(&tools.root).env(program.variable, program.find()?);
    report_of(command, &file)
}
