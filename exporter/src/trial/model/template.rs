//! Text with parameters.

use std::ops::RangeInclusive;

use super::{NonEmpty, Nonsense, Secret};

/// Text with parameters. In a file: `/items/{1..500}?page={1..9}`, `{gold|silver|bronze}`, `{uuid}`,
/// `{extracted_name}`; `{{` and `}}` are braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The parts in order; no two adjacent ones are literal.
    pub parts: Vec<Part>,
}

/// A part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Fixed text.
    Literal(String),
    /// A fixed secret.
    Secret(SecretText),
    /// A random whole number, both ends included.
    Range(WholeRange),
    /// A random choice from a list.
    Choice(NonEmpty<String>),
    /// A new random id (UUID v4) at each use.
    Uuid,
    /// The user's number, from 0.
    User,
    /// A value kept by an earlier request of the same user (journey or login).
    Extracted(String),
}

impl Part {
    /// A random whole number from `low` to `high`.
    pub fn range(low: i64, high: i64) -> Result<Self, Nonsense> {
        if low <= high { Ok(Self::Range(WholeRange { low, high })) } else { Err(Nonsense::Backwards) }
    }
}

/// Whole numbers from one to another, which is not the smaller one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeRange {
    low: i64,
    high: i64,
}

impl WholeRange {
    /// The smallest and the largest number.
    pub fn bounds(self) -> RangeInclusive<i64> {
        self.low..=self.high
    }
}

/// A secret inside a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretText(pub Secret);
