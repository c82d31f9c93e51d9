//! Where secrets come from: environment variables and files.

use std::io;
use std::path::Path;

use super::model::Secret;
use super::words::shown;

/// The process's surroundings that a trial file may refer to, so that tests need none.
pub trait Environment {
    /// The environment variable of that name, if it is set.
    fn variable(&self, name: &str) -> Option<String>;
    /// The text of a file.
    fn file(&self, path: &Path) -> io::Result<String>;
}

/// The environment of this process and its file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        super::file::read_text(path)
    }
}

/// The secret that `${reference}` means: an environment variable, or `file:` and a path from `folder`.
pub(super) fn resolve(
    reference: &str,
    environment: &dyn Environment,
    folder: &Path,
) -> Result<Secret, String> {
    match reference.strip_prefix("file:") {
        Some(path) => from_file(path, environment, folder),
        None => from_variable(reference, environment),
    }
}

fn from_variable(name: &str, environment: &dyn Environment) -> Result<Secret, String> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let expected = "expected ${VARIABLE} or ${file:PATH} (`$${` is a dollar sign and a brace)";
        return Err(format!("{} is no environment variable; {expected}", shown(name)));
    }
    match environment.variable(name) {
        None => Err(format!("environment variable {name} is not set; expected it to hold this value")),
        Some(value) if value.is_empty() => {
            Err(format!("environment variable {name} is empty; expected it to hold this value"))
        }
        Some(value) => Ok(Secret::new(value)),
    }
}

fn from_file(path: &str, environment: &dyn Environment, folder: &Path) -> Result<Secret, String> {
    if path.is_empty() {
        return Err("`file:` without a path; expected file:PATH".to_owned());
    }
    let text = environment
        .file(&folder.join(path))
        .map_err(|error| format!("cannot read the secret file {path}: {error}; expected a readable file"))?;
    // Editors and `echo` end a file with a line break that is no part of the secret.
    let value = text.strip_suffix('\n').unwrap_or(&text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    if value.is_empty() {
        return Err(format!("the secret file {path} is empty; expected it to hold this value"));
    }
    Ok(Secret::new(value.to_owned()))
}
