//! What the API server does with some requests instead of what they ask for.

use super::asked::Asked;
use super::objects::Objects;
use super::status::Answer;

/// What somebody else does to the cluster's objects.
pub(crate) type Hand = Box<dyn FnMut(&mut Objects) + Send>;

/// What becomes of a request.
pub(crate) enum Fate {
    /// It is answered so, and nothing is done.
    Refused(Box<dyn Fn(&Asked) -> Answer + Send>),
    /// Somebody else's hand comes before it.
    Before(Hand),
    /// Somebody else's hand comes after it.
    After(Hand),
    /// It is carried out, and the answer lost.
    Lost,
}

impl Fate {
    pub(crate) fn refused(answer: impl Fn(&Asked) -> Answer + Send + 'static) -> Self {
        Self::Refused(Box::new(answer))
    }

    pub(crate) fn before(hand: impl FnMut(&mut Objects) + Send + 'static) -> Self {
        Self::Before(Box::new(hand))
    }

    pub(crate) fn after(hand: impl FnMut(&mut Objects) + Send + 'static) -> Self {
        Self::After(Box::new(hand))
    }
}

/// The fate of requests of one verb and resource; `*` is any.
pub(crate) struct Rule {
    pub(crate) verb: &'static str,
    pub(crate) resource: &'static str,
    /// How many requests it is the fate of.
    pub(crate) times: u32,
    pub(crate) fate: Fate,
}

impl Rule {
    pub(crate) fn concerns(&self, asked: &Asked) -> bool {
        let is = |pattern: &str, word: &str| pattern == "*" || pattern == word;
        self.times > 0 && is(self.verb, asked.verb) && is(self.resource, &asked.full_resource())
    }
}
