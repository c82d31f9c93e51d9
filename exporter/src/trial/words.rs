//! The words of a fault: a text from the file, names to choose from, the name that was probably meant.

/// A text from the file as a fault shows it: in backticks, cut where it is long, control characters escaped.
/// What looks like credentials is not shown, an empty text is named.
pub(super) fn shown(text: &str) -> String {
    const SHOWN: usize = 60;
    const TELLING: [&str; 5] = ["@", "password", "secret", "bearer ", "basic "];
    if text.is_empty() {
        return "an empty text".to_owned();
    }
    let lower = text.to_lowercase();
    if TELLING.iter().any(|sign| lower.contains(sign)) {
        return "`[redacted]`".to_owned();
    }
    let escaped: String = text
        .chars()
        .take(SHOWN)
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect();
    let more = if text.chars().nth(SHOWN).is_some() { "…" } else { "" };
    format!("`{escaped}{more}`")
}

/// ` (did you mean …?)` where a known name is close to `found`, else nothing.
pub(super) fn near(found: &str, known: &[&str]) -> String {
    nearest(found, known).map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}

/// The known name that is close to `found`, if any.
pub(super) fn nearest<'k>(found: &str, known: &[&'k str]) -> Option<&'k str> {
    // Names are short; the distance of swollen texts would take long.
    const LONGEST: usize = 100;
    const KNOWN: usize = 500;
    if found.len() > LONGEST {
        return None;
    }
    let allowed = (found.chars().count() / 3).clamp(1, 3);
    known
        .iter()
        .take(KNOWN)
        .map(|name| (strsim::osa_distance(&found.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| *name)
}

/// The names as a list with "or", cut where it would be long.
pub(super) fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 16;
    let mut quoted: Vec<_> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let last = if names.len() > SHOWN { Some("another".to_owned()) } else { quoted.pop() };
    match (quoted.is_empty(), last) {
        (_, None) => String::new(),
        (true, Some(last)) => last,
        (false, Some(last)) => format!("{} or {last}", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_escaped() {
        assert_eq!(shown("a b"), "`a b`");
        assert_eq!(shown(""), "an empty text");
        assert_eq!(shown("a\n\u{1b}[1m"), "`a\\n\\u{1b}[1m`");
        assert_eq!(shown("postgres://me:hunter2@db/shop"), "`[redacted]`");
        assert_eq!(shown("host=db PASSWORD=hunter2"), "`[redacted]`");
        assert_eq!(shown(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
    }

    #[test]
    fn near_names_are_proposed_and_far_ones_are_not() {
        let known = ["weight", "name", "patience", "journey"];
        let table = [
            ("wieght", " (did you mean `weight`?)"),
            ("Name", " (did you mean `name`?)"),
            ("journeys", " (did you mean `journey`?)"),
            ("users", ""),
            ("x", ""),
            ("", ""),
        ];
        for (found, hint) in table {
            assert_eq!(near(found, &known), hint, "{found}");
        }
    }

    #[test]
    fn names_are_listed_with_or() {
        assert_eq!(listed(&[]), "");
        assert_eq!(listed(&["a"]), "`a`");
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` or `c`");
        let many: Vec<_> = (0..17).map(|_| "n").collect();
        assert!(listed(&many).ends_with("`n` or another"));
    }
}
