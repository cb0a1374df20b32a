//! Short names for what a WebAssembly module imports and exports.
//!
//! wasm-bindgen names each import after what it calls, with a hash of 16 digits, and each export after the
//! class and the method: in the module and in the generated code these are thousands of bytes that hardly
//! compress. Functions that need no generated code it imports from their files, each by a statement of its own:
//! they are made members of the same object.

use anyhow::{Context, Result, ensure};

const IMPORT_SECTION: u8 = 2;
const EXPORT_SECTION: u8 = 7;
const FUNCTION: u8 = 0;

/// What all is imported from.
const MODULE: &str = "a";

/// How the names of exports begin that only manage memory, and those of closures. What is made of them tells
/// them apart as well: see `js/src/shared/trap.ts`.
const KINDS: [(&str, &str); 2] = [("__", "__"), ("wasm_bindgen__convert__closures", "_")];

/// These are known by name.
const KEPT: [&str; 2] = ["memory", "__stack_pointer"];

/// The module and the generated code that loads it, with the imports and exports renamed in both.
pub fn rename(module: &[u8], glue: &str) -> Result<(Vec<u8>, String)> {
    let mut reader = Reader { bytes: module, at: 8 };
    let mut renamed = reader.bytes[..8].to_vec();
    let mut glue = glue.to_owned();
    while reader.at < module.len() {
        let id = reader.byte()?;
        let size = reader.number()?;
        let content = reader.take(size)?;
        let content = match id {
            IMPORT_SECTION => rename_imports(content, &mut glue)?,
            EXPORT_SECTION => rename_exports(content, &mut glue)?,
            _ => content.to_vec(),
        };
        renamed.push(id);
        write_bytes(&mut renamed, &content);
    }
    Ok((renamed, glue))
}

fn rename_imports(section: &[u8], glue: &mut String) -> Result<Vec<u8>> {
    let mut reader = Reader { bytes: section, at: 0 };
    let count = reader.number()?;
    let mut renamed = Vec::new();
    write_number(&mut renamed, count);
    let module = module_of(glue)?;
    for at in 0..count {
        let from = reader.name()?;
        let name = reader.name()?;
        let short = short_name(at);
        if from == module {
            let member = format!("{name}: function");
            ensure!(
                glue.matches(&member).count() == 1,
                "the generated code has no function {name}: see how wasm-bindgen writes imports now"
            );
            *glue = glue.replace(&member, &format!("{short}: function"));
        } else {
            *glue = with_direct(glue, from, name, &short)?;
        }
        write_bytes(&mut renamed, MODULE.as_bytes());
        write_bytes(&mut renamed, short.as_bytes());
        ensure!(reader.byte()? == FUNCTION, "{name} is imported and no function");
        renamed.push(FUNCTION);
        write_number(&mut renamed, reader.number()?);
    }
    *glue = glue.replace(&format!("{module:?}: import0"), &format!("{MODULE:?}: import0"));
    Ok(renamed)
}

/// What the module calls the object with the generated functions.
fn module_of(glue: &str) -> Result<String> {
    let name = glue.lines().find_map(|line| line.trim().strip_suffix(": import0,"));
    Ok(name.context("the generated code has no object of imports")?.trim_matches('"').to_owned())
}

/// The generated code with this function of a file, which it imports as one of a whole module, among its own.
fn with_direct(glue: &str, from: &str, name: &str, short: &str) -> Result<String> {
    const OBJECT: &str = "const import0 = {\n";
    let member = format!("\"{from}\": import");
    let mut lines: Vec<&str> = glue.lines().collect();
    let mut remove = |is_it: &dyn Fn(&str) -> bool| {
        let at = lines.iter().position(|line| is_it(line.trim()))?;
        Some(lines.remove(at))
    };
    let is_import = |line: &str| {
        line.starts_with("import * as import") && line.contains(&format!("\"{from}\""))
    };
    let removed = remove(&is_import).and_then(|_| remove(&|line: &str| line.starts_with(&member)));
    let glue = lines.join("\n");
    ensure!(
        removed.is_some() && glue.contains(OBJECT),
        "the generated code does not import {name}: see how wasm-bindgen writes imports now"
    );
    let glue = glue.replace(OBJECT, &format!("{OBJECT}        {short}: direct_{short},\n"));
    Ok(format!("import {{ {name} as direct_{short} }} from '{from}';\n{glue}\n"))
}

fn rename_exports(section: &[u8], glue: &mut String) -> Result<Vec<u8>> {
    let mut reader = Reader { bytes: section, at: 0 };
    let count = reader.number()?;
    let mut renamed = Vec::new();
    write_number(&mut renamed, count);
    for at in 0..count {
        let name = reader.name()?;
        let kind = KINDS.into_iter().find(|(long, _)| name.starts_with(long));
        let short = kind.map_or("", |(_, short)| short).to_owned() + &short_name(at);
        let short = if KEPT.contains(&name) { name } else { &short };
        *glue = rename_member(glue, name, short);
        write_bytes(&mut renamed, short.as_bytes());
        renamed.push(reader.byte()?);
        write_number(&mut renamed, reader.number()?);
    }
    Ok(renamed)
}

/// Renames a member of `wasm`, which is what the generated code calls the exports.
fn rename_member(glue: &str, name: &str, short: &str) -> String {
    let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let long = format!("wasm.{name}");
    let mut parts = glue.split(&long);
    let mut renamed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        renamed += "wasm.";
        renamed += if part.starts_with(is_part) { name } else { short };
        renamed += part;
    }
    renamed
}

/// `a` to `z`, then two of them, and so on.
fn short_name(at: usize) -> String {
    let letter = char::from(b'a' + (at % 26) as u8).to_string();
    match at / 26 {
        0 => letter,
        rest => short_name(rest - 1) + &letter,
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Result<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at + size).context("the module ends early")?;
        self.at += size;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn name(&mut self) -> Result<&'a str> {
        let size = self.number()?;
        Ok(std::str::from_utf8(self.take(size)?)?)
    }

    /// As LEB128.
    fn number(&mut self) -> Result<usize> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(number)
    }
}

fn write_number(to: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn write_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    write_number(to, bytes.len());
    to.extend(bytes);
}
