//! Short names for what a WebAssembly module imports.
//!
//! wasm-bindgen names each import after what it calls, with a hash of 16 digits: in the module and in the
//! generated code these are thousands of bytes that nothing compresses. Functions that need no generated code
//! it imports from their files, each by a statement of its own: they are made members of the same object.

use anyhow::{Context, Result, ensure};

const IMPORT_SECTION: u8 = 2;
const FUNCTION: u8 = 0;

/// The module and the generated code that loads it, with the imports renamed in both.
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
        let from = reader.text()?;
        let name = reader.text()?;
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
        write_bytes(&mut renamed, module.as_bytes());
        write_bytes(&mut renamed, short.as_bytes());
        ensure!(reader.byte()? == FUNCTION, "{name} is imported and no function");
        renamed.push(FUNCTION);
        write_number(&mut renamed, reader.number()?);
    }
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

    fn text(&mut self) -> Result<&'a str> {
        let size = self.number()?;
        Ok(std::str::from_utf8(self.take(size)?)?)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
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
