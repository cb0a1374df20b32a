//! Short names for what a WebAssembly module imports.
//!
//! wasm-bindgen names each import after what it calls, with a hash of 16 digits: in the module and in the
//! generated code these are thousands of bytes that nothing compresses.

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
    for at in 0..count {
        let size = reader.number()?;
        write_bytes(&mut renamed, reader.take(size)?);
        let size = reader.number()?;
        let name = std::str::from_utf8(reader.take(size)?)?;
        let short = short_name(at);
        let member = format!("{name}: function");
        ensure!(
            glue.matches(&member).count() == 1,
            "the generated code has no function {name}: see how wasm-bindgen writes imports now"
        );
        *glue = glue.replace(&member, &format!("{short}: function"));
        write_bytes(&mut renamed, short.as_bytes());
        ensure!(reader.byte()? == FUNCTION, "{name} is imported and no function");
        renamed.push(FUNCTION);
        write_number(&mut renamed, reader.number()?);
    }
    Ok(renamed)
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
