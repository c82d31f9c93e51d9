//! How values look (pure data): units, colours by value, words for values.

/// Units, of Grafana's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A plain number.
    Number,
    /// A share of 1, shown in percent.
    Share,
    /// Seconds.
    Seconds,
    /// Requests in a second.
    Requests,
    /// Writes in a second.
    Writes,
    /// Events in a second.
    Events,
    /// Milliseconds of Unix time, shown as date and time.
    Moment,
    /// No number.
    Word,
}

impl Unit {
    /// Grafana's name of it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Number => "none",
            Self::Share => "percentunit",
            Self::Seconds => "s",
            Self::Requests => "reqps",
            Self::Writes => "wps",
            Self::Events => "cps",
            Self::Moment => "dateTimeAsIso",
            Self::Word => "string",
        }
    }
}

/// Colours, of Grafana's palette, which suits light and dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Kept.
    Green,
    /// Near the limit.
    Yellow,
    /// Past one limit of several.
    Orange,
    /// Broken.
    Red,
    /// Neither good nor bad.
    Blue,
    /// Of a run: something is being broken.
    Purple,
    /// Past or not begun.
    Grey,
}

impl Colour {
    /// Grafana's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Red => "red",
            Self::Blue => "blue",
            Self::Purple => "purple",
            Self::Grey => "#8e8e8e",
        }
    }
}

/// Colours by value: each from its number on.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    /// Below all numbers.
    pub base: Colour,
    /// By ascending numbers.
    pub then: Vec<(f64, Colour)>,
}

impl Steps {
    /// How much of it is good is for an objective to say.
    pub const fn none() -> Self {
        Self { base: Colour::Blue, then: Vec::new() }
    }

    /// The whole is good; how much less is good is for an objective to say.
    pub fn whole() -> Self {
        Self { base: Colour::Blue, then: vec![(1.0, Colour::Green)] }
    }

    /// None is good; how much more is good is for an objective to say.
    pub fn better_none() -> Self {
        Self { base: Colour::Green, then: vec![(f64::MIN_POSITIVE, Colour::Yellow)] }
    }

    /// Worth a look below the limit, which an objective may set otherwise.
    pub fn better_from(limit: f64) -> Self {
        Self { base: Colour::Yellow, then: vec![(limit, Colour::Green)] }
    }

    /// Broken below the limit.
    pub fn at_least(limit: f64) -> Self {
        Self { base: Colour::Red, then: vec![(limit, Colour::Green)] }
    }

    /// Broken above the limit.
    pub fn at_most(limit: f64) -> Self {
        Self { base: Colour::Green, then: vec![(limit, Colour::Red)] }
    }

    /// Broken by the first.
    pub fn no() -> Self {
        Self { base: Colour::Green, then: vec![(f64::MIN_POSITIVE, Colour::Red)] }
    }

    /// How long it may take is for an objective to say; never is too long.
    pub fn some_time() -> Self {
        Self { base: Colour::Blue, then: vec![(f64::MAX, Colour::Red)] }
    }

    /// Several limits.
    pub fn from(base: Colour, then: impl Into<Vec<(f64, Colour)>>) -> Self {
        Self { base, then: then.into() }
    }
}

/// A word for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The value.
    pub code: u32,
    /// Its word.
    pub word: &'static str,
    /// Its colour.
    pub colour: Colour,
}
