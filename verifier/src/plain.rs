//! Text of others (labels, reasons, answers) made safe for a terminal. Pure.

/// The text with every character spelt out that would steer a terminal or begin a line of its own: nobody's label
/// forges a verdict.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Control characters, separators of lines, and what turns the direction of writing.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_spelt_out() {
        assert_eq!(plain("r\nverdict: pass\r\u{1b}[2K\u{9b}2K"), r"r\nverdict: pass\r\u{1b}[2K\u{9b}2K");
        assert_eq!(plain("\u{202e}ssap\u{2028}x"), r"\u{202e}ssap\u{2028}x");
        assert_eq!(plain("Größe, 大, … — 99.9 %"), "Größe, 大, … — 99.9 %");
    }
}
