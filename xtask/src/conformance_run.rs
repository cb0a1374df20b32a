//! One run of ShareDB's tests: what it is called, what it needs, and the report it writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use duct::{Expression, cmd};
use serde_json::Value;

use crate::tools::{Tools, install_npm_packages};

/// The tests of ShareDB that speak to a connection, in its folder.
const TESTS: [&str; 2] = ["test/client/**/*.js", "test/db-memory.js"];

/// A test that hangs is ended by mocha; this ends a run that blocks it.
const LONGEST_RUN: Duration = Duration::from_secs(600);

/// Which version of ShareDB is tested, and how its tabs reach their hub.
#[derive(Clone, Copy)]
pub struct Combination {
    pub version: &'static str,
    pub transport: &'static str,
    pub codec: &'static str,
}

pub fn one_or_all(asked: &Option<String>, all: &[&'static str]) -> Result<Vec<&'static str>> {
    let Some(asked) = asked else { return Ok(all.to_vec()) };
    match all.iter().find(|it| *it == asked) {
        Some(found) => Ok(vec![found]),
        None => bail!("{asked} is not one of {}", all.join(", ")),
    }
}

pub fn folder_of(folder: &Path, version: &str) -> PathBuf {
    folder.join(format!("sharedb-{version}"))
}

/// Installs what the tests import. The copy of the package makes it find this version of ShareDB.
pub fn install(tools: &Tools, folder: &Path) -> Result<()> {
    install_npm_packages(folder)?;
    let copy = folder.join("node_modules/tabmux");
    fs::create_dir_all(copy.join("cjs"))?;
    let package = tools.root.join("pkg");
    for entry in fs::read_dir(&package)?.chain(fs::read_dir(package.join("cjs"))?) {
        let path = entry?.path();
        if path.is_dir() {
            continue;
        }
        let (contents, to) = (fs::read(&path)?, copy.join(path.strip_prefix(&package)?));
        // Another run may be using it.
        if fs::read(&to).ok().as_ref() != Some(&contents) {
            fs::write(&to, contents).with_context(|| format!("can't write {}", to.display()))?;
        }
    }
    Ok(())
}

/// What mocha's reporter `json` writes.
pub fn run_mocha(
    folder: &Path,
    results: &Path,
    Combination { version, transport, codec }: Combination,
    grep: Option<&str>,
) -> Result<Value> {
    let file = results.join(format!("{version}-{transport}-{codec}.json"));
    let sharedb = "node_modules/sharedb";
    let mut arguments = vec![
        "node_modules/mocha/bin/mocha.js".to_owned(),
        "--exit".to_owned(),
        "--require=../connect.mjs".to_owned(),
        format!("--file={sharedb}/test/setup.js"),
        "--reporter=json".to_owned(),
        format!("--reporter-option=output={}", file.display()),
    ];
    arguments.extend(grep.map(|grep| format!("--grep={grep}")));
    arguments.extend(TESTS.map(|tests| format!("{sharedb}/{tests}")));
    let mocha = cmd("node", arguments)
        .dir(folder_of(folder, version))
        .env("TABMUX_TRANSPORT", transport)
        .env("TABMUX_CODEC", codec);
    report_of(mocha, &file)
}

/// Runs a command, and reads the report it writes to the file.
pub fn report_of(command: Expression, file: &Path) -> Result<Value> {
    if file.exists() {
        fs::remove_file(file)?;
    }
    let running = command.stderr_to_stdout().stdout_capture().unchecked().start()?;
    let Some(ended) = running.wait_timeout(LONGEST_RUN)? else {
        running.kill()?;
        bail!("it takes too long to write {}", file.display());
    };
    // The exit status says no more than that there were failures.
    let report = fs::read_to_string(file).with_context(|| {
        let output = String::from_utf8_lossy(&ended.stdout);
        format!("there is no {}:\n{output}", file.display())
    })?;
    Ok(serde_json::from_str(&report)?)
}
