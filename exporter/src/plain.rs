//! Text of others made safe to be shown to a person (pure): what a terminal would obey or not show is spelt out, so that
//! a name rewrites no line, and a command that is to be decided upon reads as it would run.

/// `text` in one line, with every character spelt out that is not [`is_plain`].
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        if is_plain(char) { plain.push(char) } else { plain.extend(char.escape_debug()) }
    }
    plain
}

/// [`plain`] of each line of `text`.
pub fn plain_lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// Whether a terminal shows `char` as what it is: no control or format character, no other space than the usual one,
/// nothing that joins the character before it.
pub(crate) fn is_plain(char: char) -> bool {
    // The standard library knows them, but spells out as well what would end a literal.
    matches!(char, '\'' | '"' | '\\') || char.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_cannot_rewrite_what_the_terminal_shows_or_read_otherwise_than_it_is() {
        let table = [
            ("in kv: mend\r\x1b[2Kdone", r"in kv: mend\r\u{1b}[2Kdone"),
            ("one\nother\u{9b}2K\u{2028}", r"one\nother\u{9b}2K\u{2028}"),
            // What turns the direction of writing, and what has no width.
            ("rm \u{202e}x\u{2066}y\u{200b}\u{feff}\u{ad}", r"rm \u{202e}x\u{2066}y\u{200b}\u{feff}\u{ad}"),
            ("a\u{a0}b\u{301}\u{fe0f}", r"a\u{a0}b\u{301}\u{fe0f}"),
            ("sh -c \"it's a \\ fünf 大 … — 99.9 %\"", "sh -c \"it's a \\ fünf 大 … — 99.9 %\""),
        ];
        for (text, shown) in table {
            assert_eq!(plain(text), shown);
            assert_eq!(plain(shown), shown, "once is enough");
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(plain_lines("one:\n  two\x1b\n"), "one:\n  two\\u{1b}\n");
    }
}
