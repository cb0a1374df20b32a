//! Finds the programs the browser tests need, or says how to install them.

use std::env;
use std::ffi::OsString;

use anyhow::{Result, anyhow, bail};

/// A program, and the environment variable that tells the tests where it is.
pub struct Program {
    pub variable: &'static str,
    names: &'static [&'static str],
    debian_packages: &'static str,
    /// What `@puppeteer/browsers` calls it, where that tool offers it.
    download: Option<&'static str>,
}

pub const CHROMIUM: Program = Program {
    variable: "TABMUX_CHROMIUM",
    names: &["chromium", "chromium-browser", "google-chrome"],
    debian_packages: "chromium",
    download: Some("chrome@stable"),
};

pub const CHROMEDRIVER: Program = Program {
    variable: "CHROMEDRIVER",
    names: &["chromedriver"],
    debian_packages: "chromium-driver",
    download: Some("chromedriver@stable"),
};

pub const FIREFOX: Program = Program {
    variable: "TABMUX_FIREFOX",
    names: &["firefox", "firefox-esr"],
    debian_packages: "firefox-esr",
    download: Some("firefox@stable"),
};

pub const WEBKIT_DRIVER: Program = Program {
    variable: "TABMUX_WEBKIT_DRIVER",
    names: &["WebKitWebDriver"],
    debian_packages: "webkit2gtk-driver",
    download: None,
};

pub const XVFB: Program =
    Program { variable: "TABMUX_XVFB", names: &["Xvfb"], debian_packages: "xvfb", download: None };

/// What is needed to run tests in an engine.
///
/// # Errors
///
/// There is no such engine.
pub fn of_engine(engine: &str) -> Result<&'static [Program]> {
    match engine {
        "chromium" => Ok(&[CHROMIUM]),
        "firefox" => Ok(&[FIREFOX]),
        "webkit" => Ok(&[WEBKIT_DRIVER, XVFB]),
        _ => bail!("no engine {engine}: there are chromium, firefox, webkit"),
    }
}

impl Program {
    /// The path: what the environment variable says, or else the first name found on PATH.
    ///
    /// # Errors
    ///
    /// There is none; the message is the command that installs it.
    pub fn find(&self) -> Result<OsString> {
        if let Some(path) = env::var_os(self.variable) {
            return Ok(path);
        }
        let found = self.names.iter().find_map(|name| which::which(name).ok());
        found.map(Into::into).ok_or_else(|| anyhow!("{}", self.how_to_install()))
    }

    fn how_to_install(&self) -> String {
        let Self { variable, names, debian_packages, download } = self;
        let download = download.map(|it| format!("npx @puppeteer/browsers install {it}, then "));
        format!(
            "{} is missing.\nDebian and Ubuntu: apt-get install {debian_packages}\n\
             Elsewhere: {}set {variable} to the path of the program.",
            names[0],
            download.unwrap_or_default()
        )
    }
}
