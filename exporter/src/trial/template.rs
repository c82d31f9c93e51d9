//! Texts with parameters and secrets in them.

use super::model::{NonEmpty, Part, Secret, SecretText, Template};
use super::node::Text;
use super::reader::{Checked, Reader, Reported};
use super::secrets::{self, Environment};
use super::words::{listed, near, shown};

/// Faults reported of one text; a swollen one could have thousands.
const REPORTED: usize = 10;

/// The extracted values that a template may use.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    names: Vec<String>,
}

impl Scope {
    /// Makes a name known from here on.
    pub(super) fn add(&mut self, name: &str) {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }

    fn unknown(&self, name: &str) -> String {
        let mut candidates: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let expected = match candidates[..] {
            [] => "a value extracted by an earlier step or the login, and there is none".to_owned(),
            _ => format!("a value extracted by an earlier step or the login: {}", listed(&candidates)),
        };
        candidates.extend(["uuid", "user"]);
        format!("unknown value {}{}; expected {expected}", shown(name), near(name, &candidates))
    }
}

impl Template {
    /// Reads a template; `${…}` in it is resolved in `environment`. The error says what is wrong, without any
    /// secret's value. Whether extracted values exist is not looked at.
    pub fn parse(text: &str, environment: &dyn Environment) -> Result<Self, String> {
        let mut scanned = scan(text, true, |reference| secrets::resolve(reference, environment, "".as_ref()));
        if scanned.wrong.is_empty() {
            Ok(Self { parts: scanned.parts })
        } else {
            Err(scanned.wrong.swap_remove(0).1)
        }
    }

    /// Whether a secret is in it.
    pub(super) fn is_secret(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Secret(_)))
    }

    /// The text, secrets included, where it is the same each time.
    pub(super) fn fixed(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Some(text.as_str()),
                Part::Secret(SecretText(secret)) => Some(secret.expose()),
                _ => None,
            })
            .collect()
    }
}

impl Reader<'_> {
    /// A template whose extracted values are all in `scope`.
    pub(super) fn template(&mut self, text: &Text, scope: &Scope) -> Checked<Template> {
        let scanned = self.scanned(text, true)?;
        let mut known = true;
        for (offset, name) in
            scanned.uses.iter().filter(|(_, name)| !scope.names.contains(name)).take(REPORTED)
        {
            self.fault(text.place(*offset), scope.unknown(name));
            known = false;
        }
        known.then_some(Template { parts: scanned.parts }).ok_or(Reported)
    }

    /// A text in which only `${…}` means something, with its secrets filled in, and whether it has any.
    pub(super) fn with_secrets(&mut self, text: &Text) -> Checked<(String, bool)> {
        let template = Template { parts: self.scanned(text, false)?.parts };
        Ok((template.fixed().expect("without parameters a text is fixed"), template.is_secret()))
    }

    fn scanned(&mut self, text: &Text, parameters: bool) -> Checked<Scanned> {
        let (environment, folder) = (self.environment, self.folder);
        let resolve = |reference: &str| secrets::resolve(reference, environment, folder);
        let mut scanned = if text.text.starts_with("file:") {
            let mut whole = Scanned::default();
            whole.part(0, resolve(&text.text).map(SecretText).map(Part::Secret));
            whole
        } else {
            scan(&text.text, parameters, resolve)
        };
        let secrets = scanned.parts.iter().filter_map(|part| match part {
            Part::Secret(SecretText(secret)) => Some(secret.clone()),
            _ => None,
        });
        self.secrets.extend(secrets);
        let sound = scanned.wrong.is_empty();
        for (offset, why) in scanned.wrong.drain(..).take(REPORTED) {
            self.fault(text.place(offset), why);
        }
        if sound { Ok(scanned) } else { Err(Reported) }
    }
}

/// What a text is made of, and what is wrong at which byte.
#[derive(Default)]
struct Scanned {
    parts: Vec<Part>,
    uses: Vec<(usize, String)>,
    wrong: Vec<(usize, String)>,
}

impl Scanned {
    fn literal(&mut self, text: &str) {
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Literal(last)) => last.push_str(text),
            _ => self.parts.push(Part::Literal(text.to_owned())),
        }
    }

    fn part(&mut self, offset: usize, part: Result<Part, String>) {
        match part {
            Ok(Part::Extracted(name)) => {
                self.uses.push((offset, name.clone()));
                self.parts.push(Part::Extracted(name));
            }
            Ok(part) => self.parts.push(part),
            Err(why) => self.wrong.push((offset, why)),
        }
    }
}

/// Takes a text apart. Braces mean parameters only where `parameters` says so; `$${` is `$` before a brace.
fn scan(text: &str, parameters: bool, resolve: impl Fn(&str) -> Result<Secret, String>) -> Scanned {
    let mut scanned = Scanned::default();
    let mut rest = text;
    while let Some(start) = rest.find(['$', '{', '}']) {
        scanned.literal(&rest[..start]);
        let offset = text.len() - rest.len() + start;
        rest = &rest[start..];
        let taken = match rest.as_bytes() {
            [b'$', b'$', b'{', ..] => {
                scanned.literal("$");
                2
            }
            [b'$', b'{', ..] => secret(rest, offset, &mut scanned, &resolve),
            [b'{', ..] if parameters => braces(rest, offset, &mut scanned),
            [b'}', b'}', ..] if parameters => {
                scanned.literal("}");
                2
            }
            [b'}', ..] if parameters => {
                scanned.wrong.push((offset, "`}` alone; expected `}}` for a brace".to_owned()));
                1
            }
            _ => {
                scanned.literal(&rest[..1]);
                1
            }
        };
        rest = &rest[taken..];
    }
    scanned.literal(rest);
    scanned
}

/// Reads `${…}` at the beginning of `rest`; returns how many bytes it took.
fn secret(
    rest: &str,
    offset: usize,
    scanned: &mut Scanned,
    resolve: impl Fn(&str) -> Result<Secret, String>,
) -> usize {
    let Some(end) = rest.find('}') else {
        let why = "`${` is not closed; expected ${VARIABLE} or ${file:PATH}";
        scanned.wrong.push((offset, why.to_owned()));
        return rest.len();
    };
    scanned.part(offset, resolve(&rest[2..end]).map(SecretText).map(Part::Secret));
    end + 1
}

/// Reads `{{` or a parameter at the beginning of `rest`; returns how many bytes it took.
fn braces(rest: &str, offset: usize, scanned: &mut Scanned) -> usize {
    if rest.starts_with("{{") {
        scanned.literal("{");
        return 2;
    }
    match rest[1..].find(['{', '}']).map(|end| end + 1) {
        Some(end) if rest.as_bytes()[end] == b'}' => {
            scanned.part(offset, parameter(&rest[1..end]));
            end + 1
        }
        other => {
            let why = "`{` is not closed; expected a parameter such as {1..9}, or `{{` for a brace";
            scanned.wrong.push((offset, why.to_owned()));
            other.unwrap_or(rest.len())
        }
    }
}

fn parameter(inner: &str) -> Result<Part, String> {
    match inner {
        "uuid" => return Ok(Part::Uuid),
        "user" => return Ok(Part::User),
        _ => {}
    }
    if inner.contains('|') {
        let choices: Vec<_> = inner.split('|').map(str::to_owned).collect();
        let filled = !choices.iter().any(String::is_empty);
        let choices = NonEmpty::new(choices).ok().filter(|_| filled);
        return choices.map(Part::Choice).ok_or_else(|| {
            let found = shown(&braced(inner));
            format!("{found} has an empty choice; expected a list such as {{red|green}}")
        });
    }
    if let Some((low, high)) = inner.split_once("..") {
        return match (low.parse::<i64>(), high.parse::<i64>()) {
            (Ok(low), Ok(high)) => Part::range(low, high).map_err(|_| {
                let found = shown(&braced(inner));
                format!("{found} ends before it begins; expected the smaller number first")
            }),
            _ => {
                Err(format!("{} is no range; expected whole numbers such as {{1..9}}", shown(&braced(inner))))
            }
        };
    }
    if is_identifier(inner) {
        return Ok(Part::Extracted(inner.to_owned()));
    }
    let expected = "expected {1..9}, {red|green}, {uuid}, {user} or an extracted value ({{ is a brace)";
    Err(format!("{} is no parameter; {expected}", shown(&braced(inner))))
}

fn braced(inner: &str) -> String {
    format!("{{{inner}}}")
}

/// Whether a text can name an extracted value.
pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::ProcessEnvironment;

    fn literal(text: &str) -> Part {
        Part::Literal(text.to_owned())
    }

    #[test]
    fn templates_are_taken_apart() {
        let range = |low, high| Part::range(low, high).expect("a range");
        let choice = |items: &[&str]| {
            let items = items.iter().map(|item| (*item).to_owned()).collect();
            Part::Choice(NonEmpty::new(items).expect("choices"))
        };
        let table = [
            ("", vec![]),
            ("/a", vec![literal("/a")]),
            ("/a/{1..500}?p={-9..9}", vec![literal("/a/"), range(1, 500), literal("?p="), range(-9, 9)]),
            ("{gold|a..b|x y}", vec![choice(&["gold", "a..b", "x y"])]),
            ("{uuid}{user}{sale_1}", vec![Part::Uuid, Part::User, Part::Extracted("sale_1".to_owned())]),
            ("{{a}} {{1..2}}{{}}", vec![literal("{a} {1..2}{}")]),
            ("{{{uuid}}}", vec![literal("{"), Part::Uuid, literal("}")]),
            ("5$, $$ and $x", vec![literal("5$, $$ and $x")]),
            ("$${uuid}", vec![literal("$"), Part::Uuid]),
        ];
        for (text, parts) in table {
            assert_eq!(Template::parse(text, &ProcessEnvironment), Ok(Template { parts }), "{text}");
        }
    }

    #[test]
    fn all_faults_of_a_template_have_their_offsets() {
        let scanned = scan("{1..x} {ok} } {a b} {", true, |_| Ok(Secret::new(String::new())));
        let offsets: Vec<_> = scanned.wrong.iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, [0, 12, 14, 20]);
        assert_eq!(scanned.uses, [(7, "ok".to_owned())]);
    }
}
