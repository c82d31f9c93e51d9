//! Pure: how a journal on this machine and its copy in a cluster belong together.
//!
//! The copy is written after each entry that must be durable, with all lines until then. So for whoever wrote
//! both, the copy is how the file begins. A program that takes the place of another elsewhere has no file, and
//! goes on from the copy.

/// The object and the key that hold the copy.
pub const CONFIG_MAP: &str = "ordeal-journal";

/// What to go on from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum From<'a> {
    /// The file as it is.
    File,
    /// The copy, which knows more.
    Copy(&'a str),
    /// They tell different stories.
    Neither,
}

/// Compares a file with its copy. What follows the file's last line feed was cut short and does not count.
pub(super) fn compare<'a>(file: &[u8], copy: &'a str) -> From<'a> {
    let whole = file.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let (file, kept) = (&file[..whole], copy.as_bytes());
    if file.starts_with(kept) {
        From::File
    } else if kept.starts_with(file) {
        From::Copy(copy)
    } else {
        From::Neither
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_continues_the_other_is_gone_on_from() {
        let table = [
            ("", "", From::File),
            ("a\n", "", From::File),
            ("a\nb\n", "a\n", From::File),
            ("a\n", "a\n", From::File),
            ("", "a\nb\n", From::Copy("a\nb\n")),
            ("a\n", "a\nb\n", From::Copy("a\nb\n")),
            // The file's last write was cut short.
            ("a\nb", "a\nb\n", From::Copy("a\nb\n")),
            ("a\nc", "a\n", From::File),
            ("a\nc\n", "a\nb\n", From::Neither),
            ("c\n", "a\n", From::Neither),
        ];
        for (file, copy, expected) in table {
            assert_eq!(compare(file.as_bytes(), copy), expected, "{file:?} {copy:?}");
        }
    }
}
