//! YAML text as a small tree in which every node knows its place.
//!
//! The reader over it collects all the faults of a file, which a deserializer that stops at the first one
//! cannot. The only user of the YAML parser.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, Span, StructureStyle};

use super::faults::{Fault, Place};

/// Values at most, those that aliases stand for included: aliases of aliases grow without bound. A long text
/// counts as many.
const MAX_VALUES: usize = 100_000;
/// Bytes of text that count as one more value.
const BYTES_A_VALUE: usize = 32;
/// Collections within collections at most; the tree is walked recursively.
const MAX_DEPTH: usize = 40;

/// A node of the file.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// A scalar of any style.
    Text(Text),
    /// A sequence.
    List(Place, Vec<Node>),
    /// A mapping, in the file's order; keys may be repeated.
    Map(Map),
}

/// A scalar.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the text of a text node has no better name")]
pub(super) struct Text {
    /// Where it begins, a quote included.
    pub(super) at: Place,
    /// Its text, escapes resolved.
    pub(super) text: String,
    /// Whether it was written without quotes, so that it may be a number, a boolean or null.
    pub(super) plain: bool,
    /// How far from `at` the text begins, where it stands in the file as it is (one line, no escapes).
    exact: Option<usize>,
}

/// A mapping.
#[derive(Debug, Clone)]
pub(super) struct Map {
    /// Where it begins: its first key, or its brace.
    pub(super) at: Place,
    /// Whether it is written in braces.
    pub(super) flow: bool,
    /// Keys and values.
    pub(super) entries: Vec<(Text, Node)>,
}

impl Node {
    /// Where the node begins.
    pub(super) fn at(&self) -> Place {
        match self {
            Self::Text(text) => text.at,
            Self::List(at, _) => *at,
            Self::Map(map) => map.at,
        }
    }

    /// Whether there is nothing: `~`, `null`, or no text at all.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_null())
    }

    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.size(),
            Self::List(_, items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Self::Map(map) => {
                1 + map.entries.iter().map(|(key, value)| key.size() + value.size()).sum::<usize>()
            }
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Text(_) => 0,
            Self::List(_, items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(map) => 1 + map.entries.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
        }
    }
}

impl Text {
    /// Whether the scalar is YAML's null.
    pub(super) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    fn size(&self) -> usize {
        1 + self.text.len() / BYTES_A_VALUE
    }

    /// Whether there is no text at all, not even a null.
    pub(super) fn is_absent(&self) -> bool {
        self.plain && self.text.is_empty()
    }

    /// The place of the byte at `offset` of the text, or of the scalar where that cannot be told.
    pub(super) fn place(&self, offset: usize) -> Place {
        match (self.exact, self.text.get(..offset)) {
            (Some(shift), Some(before)) => self.at.further(shift + before.chars().count()),
            _ => self.at,
        }
    }

    /// The part of the text from byte `start` on, as a text of its own with the right place.
    pub(super) fn tail(&self, start: usize) -> Self {
        Self {
            at: self.place(start),
            text: self.text.get(start..).unwrap_or_default().to_owned(),
            plain: self.plain,
            exact: self.exact.map(|_| 0),
        }
    }
}

/// Reads `text` as one YAML document; `None` when there is nothing in it. What is not YAML is a single fault:
/// nothing behind it can be trusted.
pub(super) fn parse(text: &str) -> Result<Option<Node>, Fault> {
    let options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        emit_comments: false,
    };
    let events = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder::default();
    for event in events {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        builder.take(event, &span)?;
    }
    Ok(builder.root)
}

fn place(marker: &Marker) -> Place {
    Place { line: marker.line().max(1), column: marker.col() + 1 }
}

fn syntax(error: &ScanError) -> Fault {
    let hint = match error.kind() {
        ErrorKind::ExpectedFlowSequenceSeparator | ErrorKind::ExpectedFlowMappingSeparator => {
            "; within [ ] and { } a text that holds braces, brackets or commas needs quotes"
        }
        _ => "",
    };
    fault(place(error.marker()), format!("not valid YAML: {}{hint}", error.info()))
}

fn fault(place: Place, text: impl Into<String>) -> Fault {
    Fault { place: Some(place), text: text.into() }
}

/// Puts the parser's events together.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    values: usize,
    documents: usize,
    root: Option<Node>,
}

/// A collection that is not closed yet, with its anchor (0: none).
enum Open {
    List(usize, Place, Vec<Node>),
    Map(usize, Map, Option<Text>),
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let at = place(&span.start);
        if event.tag().is_some() {
            let at = span.tag_start().map_or(at, |tag| place(&tag));
            return Err(fault(at, "a YAML tag; expected a value without a tag"));
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(fault(
                        at,
                        "a second YAML document begins; expected one document in the file",
                    ));
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                let exact = exact(&text, style, span);
                let plain = style == ScalarStyle::Plain;
                // The parser writes `~` for a value that is not there at all.
                let absent = plain && span.start.index() == span.end.index();
                let text = if absent { String::new() } else { text.into_owned() };
                self.add(anchor, Node::Text(Text { at, text, plain, exact }))?;
            }
            Event::SequenceStart(_, anchor, _) => {
                self.count(at, 1)?;
                self.open.push(Open::List(anchor, at, Vec::new()));
            }
            Event::MappingStart(style, anchor, _) => {
                self.count(at, 1)?;
                let map = Map { at, flow: style == StructureStyle::Flow, entries: Vec::new() };
                self.open.push(Open::Map(anchor, map, None));
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(anchor, at, items)) => self.add(anchor, Node::List(at, items))?,
                Some(Open::Map(anchor, map, _)) => self.add(anchor, Node::Map(map))?,
                None => {}
            },
            Event::Alias(id) => {
                // Within the anchored node itself the anchor is not known yet.
                let Some(node) = self.anchors.get(&id).cloned() else {
                    return Err(fault(
                        at,
                        "an alias of a node that is not complete; expected an earlier node",
                    ));
                };
                if self.open.len() + node.depth() > MAX_DEPTH {
                    return Err(fault(at, format!("nested deeper than {MAX_DEPTH} levels; expected less")));
                }
                self.count(at, node.size())?;
                self.add(0, node)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, at: Place, values: usize) -> Result<(), Fault> {
        self.values += values;
        if self.values > MAX_VALUES {
            return Err(fault(at, format!("more than {MAX_VALUES} values; expected a smaller file")));
        }
        Ok(())
    }

    fn add(&mut self, anchor: usize, node: Node) -> Result<(), Fault> {
        if let Node::Text(text) = &node {
            self.count(text.at, text.size())?;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, _, items)) => items.push(node),
            Some(Open::Map(_, map, key)) => match (key.take(), node) {
                (None, Node::Text(text)) => *key = Some(text),
                (None, other) => {
                    return Err(fault(
                        other.at(),
                        "a key that is not text; expected a name before the colon",
                    ));
                }
                (Some(text), node) => {
                    if map.entries.is_empty() && !map.flow {
                        map.at = text.at;
                    }
                    let node = at_key_if_empty(node, text.at);
                    map.entries.push((text, node));
                }
            },
        }
        Ok(())
    }
}

/// A value that is missing altogether stands where its key stands.
fn at_key_if_empty(node: Node, key: Place) -> Node {
    match node {
        Node::Text(text) if text.is_absent() => Node::Text(Text { at: key, ..text }),
        other => other,
    }
}

/// How far the text begins from its scalar's start, where both have the same characters.
fn exact(text: &str, style: ScalarStyle, span: &Span) -> Option<usize> {
    let quotes = match style {
        ScalarStyle::Plain => 0,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => 1,
        ScalarStyle::Literal | ScalarStyle::Folded => return None,
    };
    let one_line = span.start.line() == span.end.line();
    let length = span.end.col().checked_sub(span.start.col())?;
    (one_line && length == text.chars().count() + 2 * quotes).then_some(quotes)
}
