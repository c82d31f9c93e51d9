//! Text of others (labels, reasons, answers) made safe for a terminal and for XML. Pure.

/// The text with every character spelt out that would steer a terminal, begin a line of its own or not be seen:
/// nobody's label forges a verdict.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_default());
        }
    }
    shown
}

/// Whether a character is shown as what it is: no control or format character, no other space than the usual one,
/// nothing unassigned. The standard library knows them; behind a letter it leaves marks alone, without which many
/// languages cannot be read, and of ASCII it spells out more than is needed here.
fn is_plain(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic() || format!("a{c}").escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_is_not_seen_is_spelt_out() {
        let table = [
            ("r\nverdict: pass\r\u{1b}[2K\u{9b}2K", r"r\nverdict: pass\r\u{1b}[2K\u{9b}2K"),
            // What ends a line, turns the direction of writing, or has no width.
            ("\u{202e}ssap\u{2028}x\u{61c}y\u{2066}", r"\u{202e}ssap\u{2028}x\u{61c}y\u{2066}"),
            ("a\u{200b}\u{feff}\u{ad}\u{a0}b", r"a\u{200b}\u{feff}\u{ad}\u{a0}b"),
            ("x\u{fffe}\u{ffff}\u{fdd0}\u{1fffe}", r"x\u{fffe}\u{ffff}\u{fdd0}\u{1fffe}"),
            ("Größe, 大, … — 99.9 %, \"it's\" \\ a", "Größe, 大, … — 99.9 %, \"it's\" \\ a"),
            // Marks belong to the letters before them.
            ("e\u{301} नमस्ते ✅\u{fe0f} \u{fffd}", "e\u{301} नमस्ते ✅\u{fe0f} \u{fffd}"),
        ];
        for (text, shown) in table {
            assert_eq!(plain(text), shown);
            assert_eq!(plain(shown), shown, "once is enough");
        }
    }

    #[test]
    fn what_is_left_is_a_character_of_xml() {
        let is_xml = |c: char| matches!(c, ' '..='\u{fffd}' | '\u{10000}'..);
        let wrong: Vec<char> = ('\0'..=char::MAX).filter(|c| is_plain(*c) && !is_xml(*c)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
