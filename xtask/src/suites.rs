//! The test suites, in the order they run.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use duct::{Expression, cmd};

use crate::browsers::{self, CHROMEDRIVER, CHROMIUM, FIREFOX, Program};
use crate::counts::{self, Counts};
use crate::tools::{Tools, WASM_TARGET};

/// The environment variable that says what cargo runs a test program with.
const WASM_RUNNER: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER";

/// The suite that makes what the suites after it test.
pub const BUILD: &str = "build";

/// A command that stands for one test or many.
pub struct Suite {
    pub name: String,
    /// What to run, or why it can't run.
    pub command: Result<Expression>,
    pub kind: Kind,
    pub needs_build: bool,
    /// Nothing else may run meanwhile.
    pub is_alone: bool,
}

pub enum Kind {
    /// Passes or fails as a whole.
    Check,
    /// The same; what it prints is shown in any case.
    Report,
    /// Made of tests, which this counts in the output.
    Tests(fn(&str) -> Counts),
}

pub fn all(tools: &Tools) -> Result<Vec<Suite>> {
    let mut suites = vec![
        check("rustfmt", tools.cargo(["fmt", "--all", "--check", "--", "--color=never"])),
        check("clippy", clippy(tools, &["--all-targets"])),
        check("clippy-wasm", clippy(tools, &["--exclude=xtask", "--lib", "--target", WASM_TARGET])),
        check(
            "doc",
            tools.cargo(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"),
        ),
        check("package", package(tools)),
        report(
            "example",
            tools.cargo(["run", "--package=tabmux-middleware", "--example=lossy_link"]),
        ),
        cargo_tests("unit", Ok(unit_tests(tools))),
        cargo_tests(
            "doctests",
            Ok(tools.cargo(["test", "--workspace", "--doc", "--no-fail-fast"])),
        ),
        cargo_tests(
            "simulation",
            Ok(tools.cargo(["test", "--profile=simulation", "--test=simulation"])),
        ),
    ];
    for member in ["transports", "codecs"] {
        let package = format!("--package=tabmux-{member}");
        let tests = wasm_tests(tools, &[&package, "--lib", "--tests"]);
        suites.push(cargo_tests(&format!("{member}-node"), Ok(in_node(tools, &tests))));
        suites.push(cargo_tests(&format!("{member}-chromium"), in_chromium(tools, &tests)));
    }
    let contexts = ["page", "worker", "shared_worker"].map(|it| format!("--test=store_{it}"));
    let mut store = vec!["--package=tabmux", "--lib"];
    store.extend(contexts.iter().map(String::as_str));
    let store = wasm_tests(tools, &store);
    suites.extend([
        cargo_tests("store-chromium", in_chromium(tools, &store)),
        cargo_tests("store-firefox", in_engine(tools, &store, "firefox")),
        cargo_tests("store-webkit", in_engine(tools, &store, "webkit")),
        check("biome", tools.npm_tool("biome", ["check", "--error-on-warnings"])?),
        check(BUILD, cmd!(env::current_exe()?, "build")),
        report("size", cmd!("node", "tests/size/size.mjs").dir(&tools.root)),
        node_tests("tsc", node(tools, "tests/types")),
        node_tests("node", node(tools, "tests/node")),
        node_tests("docs", node(tools, "tests/docs")),
        node_tests("api", npm_test(tools, "docs/generator")),
        conformance("conformance", Ok(cmd!(env::current_exe()?, "conformance", "--built"))),
        node_tests("differential", node(tools, "tests/differential")),
        in_browser("chromium", CHROMIUM)?,
        in_browser("firefox", FIREFOX)?,
        node_tests("bundlers", bundlers(tools, "tap")),
        node_tests("consumer", npm_test(tools, "tests/consumer")),
        node_tests("chromium", browser(tools, "chromium")),
        node_tests("firefox", browser(tools, "firefox")),
        node_tests("webkit", browser(tools, "webkit")),
    ]);
    Ok(suites)
}

fn check(name: &str, command: Expression) -> Suite {
    let kind = Kind::Check;
    Suite { name: name.into(), command: Ok(command), kind, needs_build: false, is_alone: false }
}

/// Measures what the build has made.
fn report(name: &str, command: Expression) -> Suite {
    let kind = Kind::Report;
    Suite { name: name.into(), command: Ok(command), kind, needs_build: true, is_alone: false }
}

fn cargo_tests(name: &str, command: Result<Expression>) -> Suite {
    let kind = Kind::Tests(counts::of_cargo);
    Suite { name: name.into(), command, kind, needs_build: false, is_alone: false }
}

fn node_tests(name: &str, command: Result<Expression>) -> Suite {
    let kind = Kind::Tests(counts::of_tap);
    Suite { name: name.into(), command, kind, needs_build: true, is_alone: false }
}

fn conformance(name: &str, command: Result<Expression>) -> Suite {
    let kind = Kind::Tests(counts::of_conformance);
    Suite { name: name.into(), command, kind, needs_build: true, is_alone: false }
}

/// ShareDB's tests in a tab, with their hubs in a SharedWorker. They wait no longer for a browser than for
/// a process of its own, which on a busy machine is not enough.
fn in_browser(browser: &str, program: Program) -> Result<Suite> {
    let run = cmd!(env::current_exe()?, "conformance", "--built", "--browser", browser);
    let suite = conformance(&format!("conformance-{browser}"), program.find().map(|_| run));
    Ok(Suite { is_alone: true, ..suite })
}

/// Makes the crates that are published, and builds each from what is in it.
fn package(tools: &Tools) -> Expression {
    let crates = ["tabmux-transports", "tabmux-codecs", "tabmux-middleware", "tabmux"];
    let packages = crates.iter().flat_map(|it| ["--package", it]);
    tools.cargo(["package", "--allow-dirty"].into_iter().chain(packages))
}

fn clippy(tools: &Tools, what: &[&'static str]) -> Expression {
    let arguments = ["clippy", "--workspace"].iter().chain(what).chain(&["--", "--deny=warnings"]);
    tools.cargo(arguments.copied())
}

/// Every test program but the simulation, which is too slow without optimisation.
fn unit_tests(tools: &Tools) -> Expression {
    let mut arguments = vec!["test", "--workspace", "--no-fail-fast", "--lib", "--bins"];
    let packages = tools.metadata["packages"].as_array().into_iter().flatten();
    for target in packages.flat_map(|it| it["targets"].as_array().into_iter().flatten()) {
        let is_test = target["kind"][0] == "test";
        if let Some(name) = target["name"].as_str().filter(|it| is_test && *it != "simulation") {
            arguments.extend(["--test", name]);
        }
    }
    tools.cargo(arguments)
}

fn wasm_tests(tools: &Tools, what: &[&str]) -> Expression {
    let arguments = ["test", "--target", WASM_TARGET, "--no-fail-fast"].iter().chain(what);
    tools.cargo(arguments.copied())
}

/// Leaves out the tests configured for the browser alone.
fn in_node(tools: &Tools, tests: &Expression) -> Expression {
    tests.env(WASM_RUNNER, &tools.wasm_test_runner).env("WASM_BINDGEN_TEST_ONLY_NODE", "1")
}

/// Runs the tests configured for the browser, and those configured for no place in particular.
fn in_chromium(tools: &Tools, tests: &Expression) -> Result<Expression> {
    CHROMIUM.find()?;
    let tests = tests.env(WASM_RUNNER, &tools.wasm_test_runner);
    Ok(only_web(&tests).env(CHROMEDRIVER.variable, CHROMEDRIVER.find()?))
}

/// As [`in_chromium`], in a browser that the runner can't drive without a driver of its own.
fn in_engine(tools: &Tools, tests: &Expression, engine: &str) -> Result<Expression> {
    let runner = format!("node {}", tools.root.join("tests/browser/rust.mjs").display());
    let tests =
        tests.env(WASM_RUNNER, runner).env("TABMUX_WASM_TEST_RUNNER", &tools.wasm_test_runner);
    with_browser(&only_web(&tests), engine)
}

fn only_web(tests: &Expression) -> Expression {
    tests.env("WASM_BINDGEN_USE_BROWSER", "1").env("WASM_BINDGEN_TEST_ONLY_WEB", "1")
}

fn browser(tools: &Tools, engine: &str) -> Result<Expression> {
    with_browser(&node(tools, "tests/browser")?, engine)
}

/// Says which browser to start, and where it is.
pub fn with_browser(tests: &Expression, engine: &str) -> Result<Expression> {
    let mut command = tests.env("TABMUX_BROWSER", engine);
    for program in browsers::of_engine(engine)? {
        command = command.env(program.variable, program.find()?);
    }
    Ok(command)
}

/// Builds and opens projects that use the packed package.
pub fn bundlers(tools: &Tools, reporter: &str) -> Result<Expression> {
    let reporter = format!("--test-reporter={reporter}");
    let flags = ["--test", "--test-timeout=600000", &reporter, "tests/bundlers/bundlers.test.mjs"];
    with_browser(&cmd("node", flags).dir(&tools.root), "chromium")
}

/// Runs the tests of an npm package of its own, which installs what it needs first.
fn npm_test(tools: &Tools, folder: &str) -> Result<Expression> {
    Ok(cmd(which::which("npm")?, ["test"]).dir(tools.root.join(folder)))
}

/// Runs the files `*.test.mjs` of a folder.
fn node(tools: &Tools, folder: &str) -> Result<Expression> {
    // A test file that hangs fails after ten minutes.
    let flags = ["--test", "--test-reporter=tap", "--test-timeout=600000"];
    let mut arguments: Vec<OsString> = flags.map(Into::into).into();
    arguments.extend(test_files(&tools.root.join(folder))?);
    Ok(cmd("node", arguments).dir(&tools.root))
}

fn test_files(folder: &Path) -> Result<Vec<OsString>> {
    let mut files = Vec::new();
    if folder.exists() {
        for entry in fs::read_dir(folder)? {
            files.push(entry?.path().into_os_string());
        }
    }
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    // Without a file name Node would look for tests everywhere.
    ensure!(!files.is_empty(), "ran no tests: there is no *.test.mjs in {}", folder.display());
    Ok(files)
}
