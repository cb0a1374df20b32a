//! The licences of the npm packages that a bundle contains.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

/// The notices for all bundles, from the metafiles that esbuild wrote of their inputs.
pub fn of_bundles(root: &Path, metafiles: &[PathBuf]) -> Result<String> {
    let mut packages = BTreeSet::new();
    for metafile in metafiles {
        let metafile: Value = serde_json::from_str(&fs::read_to_string(metafile)?)?;
        let inputs = metafile["inputs"].as_object().context("a metafile without inputs")?;
        packages.extend(inputs.keys().filter_map(|input| package_of(input)));
    }
    let mut notices = String::from("The scripts contain these packages, or parts of them.\n");
    for package in packages {
        notices += &notice(&root.join(package))?;
    }
    Ok(notices)
}

/// The folder of the package a file belongs to, if it comes from one.
fn package_of(input: &str) -> Option<PathBuf> {
    let (before, inside) = input.rsplit_once("node_modules/")?;
    let names = if inside.starts_with('@') { 2 } else { 1 };
    let name = inside.split('/').take(names).collect::<Vec<_>>().join("/");
    Some(Path::new(before).join("node_modules").join(name))
}

fn notice(package: &Path) -> Result<String> {
    let manifest = fs::read_to_string(package.join("package.json"))?;
    let manifest: Value = serde_json::from_str(&manifest)?;
    let text = |key: &str| manifest[key].as_str().unwrap_or("not stated").to_owned();
    let title = format!("{} {}, licence: {}", text("name"), text("version"), text("license"));
    let mut notice = format!("\n{}\n{title}\n", "-".repeat(title.len()));
    for entry in fs::read_dir(package)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if name.starts_with("licen") {
            notice += &format!("\n{}\n", fs::read_to_string(path)?.trim_end());
        }
    }
    Ok(notice)
}
