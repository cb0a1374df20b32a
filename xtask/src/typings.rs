//! Which of the typings a package needs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

/// Removes the typings in a folder that none of the entries leads to.
pub fn keep_reachable(folder: &Path, mut entries: Vec<PathBuf>) -> Result<()> {
    let mut reachable = BTreeSet::new();
    while let Some(file) = entries.pop() {
        let text = fs::read_to_string(&file)
            .with_context(|| format!("no typings at {}", file.display()))?;
        if reachable.insert(file.clone()) {
            let beside = file.parent().context("a file in no folder")?;
            entries.extend(imports(&text).map(|it| resolve(beside, it)));
        }
    }
    remove_others(folder, &reachable)
}

/// What a file imports by a path, as `from './a.js'` or `import('./a.js')`.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split(['\'', '"']).collect::<Vec<_>>();
    let pairs = quoted.windows(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>();
    pairs.into_iter().filter_map(|(before, path)| {
        let is_import =
            ["from ", "import(", "import ", "module "].iter().any(|it| before.ends_with(it));
        (is_import && path.starts_with('.')).then_some(path)
    })
}

fn resolve(folder: &Path, import: &str) -> PathBuf {
    let mut path = folder.to_path_buf();
    for part in Path::new(import.trim_end_matches(".js")).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path.as_mut_os_string().push(".d.ts");
    path
}

fn remove_others(folder: &Path, reachable: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, reachable)?;
            if fs::read_dir(&path)?.next().is_none() {
                fs::remove_dir(&path)?;
            }
        } else if !reachable.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}
