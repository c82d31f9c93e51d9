//! What must never be shown.

use std::sync::Arc;

/// A value that must never reach a log, a report or an error text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// What stands where a secret stood.
const HIDDEN: &str = "[redacted]";

/// Shorter texts are in too many words to be told from them.
const SHORTEST: usize = 4;

/// All secrets of a trial, to hide them in what others print. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<[Secret]>);

impl Secrets {
    /// Those of `values` that are long enough to be told from other text, and likewise each of their lines: output
    /// is shown by lines.
    pub fn new(values: impl IntoIterator<Item = Secret>) -> Self {
        let mut texts = Vec::new();
        for Secret(value) in values {
            texts.extend(value.lines().map(|line| line.trim().to_owned()));
            texts.push(value);
        }
        texts.retain(|text| text.len() >= SHORTEST);
        texts.sort();
        texts.dedup();
        Self(texts.into_iter().map(Secret).collect())
    }

    /// `text` with `[redacted]` in the place of every secret, overlapping ones together.
    pub fn hide(&self, text: &[u8]) -> Vec<u8> {
        self.replaced(text, vec![false; text.len()])
    }

    /// [`Self::hide`] where `text` is the end of a longer one: it may begin within a secret.
    pub fn hide_in_rest(&self, text: &[u8]) -> Vec<u8> {
        let rests = self.bytes().flat_map(|secret| (1..secret.len()).map(move |at| &secret[at..]));
        let longest = rests.filter(|rest| text.starts_with(rest)).map(<[u8]>::len).max().unwrap_or(0);
        let mut hidden = vec![false; text.len()];
        hidden[..longest].fill(true);
        self.replaced(text, hidden)
    }

    fn replaced(&self, text: &[u8], mut hidden: Vec<bool>) -> Vec<u8> {
        for secret in self.bytes() {
            for (at, found) in text.windows(secret.len()).enumerate() {
                if found == secret {
                    hidden[at..at + secret.len()].fill(true);
                }
            }
        }
        let mut shown = Vec::with_capacity(text.len());
        for (at, byte) in text.iter().enumerate() {
            if !hidden[at] {
                shown.push(*byte);
            } else if at == 0 || !hidden[at - 1] {
                shown.extend(HIDDEN.as_bytes());
            }
        }
        shown
    }

    fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|secret| secret.0.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: &[&str]) -> Secrets {
        Secrets::new(values.iter().map(|value| Secret::new((*value).to_owned())))
    }

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let cases: [(&[&str], &str, &str); 9] = [
            (&[], "a text", "a text"),
            (&["hunter2"], "", ""),
            (&["hunter2"], "key=hunter2; hunter2!", "key=[redacted]; [redacted]!"),
            (&["hunter2"], "hunter1 unter2", "hunter1 unter2"),
            (&["abc"], "abc is too short", "abc is too short"),
            (&["hunter", "hunter2"], "hunter2 and hunter", "[redacted] and [redacted]"),
            (&["abcdef", "defghi"], "<abcdefghi>", "<[redacted]>"),
            (&["acted", "hunter2"], "hunter2 acted", "[redacted] [redacted]"),
            (&["one line\n  another\n}"], "another\nor one line\n}", "[redacted]\nor [redacted]\n}"),
        ];
        for (values, text, expected) in cases {
            let hidden = secrets(values).hide(text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&hidden), expected, "{values:?} in {text}");
        }
    }

    #[test]
    fn the_rest_of_a_secret_at_the_beginning_of_a_rest_is_hidden() {
        let secrets = secrets(&["hunter2", "überlang"]);
        let cases: [(&[u8], &str); 5] = [
            (b"2 is wrong", "[redacted] is wrong"),
            (b"unter2 hunter2", "[redacted] [redacted]"),
            (b"hunter2 is wrong", "[redacted] is wrong"),
            (b"no hunter", "no hunter"),
            (&"überlang?".as_bytes()[1..], "[redacted]?"),
        ];
        for (text, expected) in cases {
            assert_eq!(String::from_utf8_lossy(&secrets.hide_in_rest(text)), expected, "{text:?}");
        }
        assert_eq!(secrets.hide(b"unter2"), b"unter2");
    }

    #[test]
    fn nothing_of_them_is_shown() {
        assert_eq!(format!("{:?}", secrets(&["hunter2"])), "Secrets([[redacted]])");
    }
}
