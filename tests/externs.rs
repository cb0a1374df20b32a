//! What JavaScript throws must not pass through the core: it would leave it in the middle of something.

use std::fs;
use std::path::{Path, PathBuf};

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// The functions in blocks of `extern "C"`, each with its attribute.
fn imports(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for block in source.split("extern \"C\" {").skip(1) {
        let mut attribute = String::new();
        for line in block.lines().map(str::trim).take_while(|line| *line != "}") {
            if line.starts_with("#[wasm_bindgen") {
                attribute = line.to_owned();
            } else if let Some((_, rest)) = line.split_once("fn ") {
                let name = rest.split('(').next().unwrap_or_default();
                found.push((name.to_owned(), std::mem::take(&mut attribute)));
            }
        }
    }
    found
}

/// The methods of the doors, each of which the macro makes one that is caught.
fn door_methods(source: &str) -> usize {
    let doors =
        source.split("door! {").skip(1).map(|it| it.split("\n}").next().unwrap_or_default());
    doors.map(|it| it.matches("\n        fn ").count()).sum()
}

#[test]
fn every_function_of_javascript_that_the_core_calls_is_caught() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "bindings", "transports/src", "codecs/src", "middleware/src"] {
        rust_files(&root.join(folder), &mut files);
    }
    let (mut seen, mut in_doors) = (0, 0);
    let mut uncaught = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).expect("it can be read");
        in_doors += door_methods(&source);
        for (name, attribute) in imports(&source) {
            seen += 1;
            // Those of JavaScript files of our own, which catch what others throw.
            let own = [
                "codecs/src/platform/web.rs",
                "src/wire/web.rs",
                "bindings/shared/src/clock.rs",
                "transports/src/microtask.rs",
            ];
            let is_own = own.iter().any(|it| file.ends_with(it));
            if !attribute.contains("catch") && !is_own {
                uncaught.push(format!("{name} in {}", file.display()));
            }
        }
    }
    assert!(seen > 20, "only {seen} were found");
    assert!(in_doors > 60, "only {in_doors} were found");
    assert!(uncaught.is_empty(), "{uncaught:?}");
}
