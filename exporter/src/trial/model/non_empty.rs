//! Lists that have at least one entry.

use std::ops::{Deref, DerefMut};

use super::Nonsense;

/// A list with at least one entry. It is read as a slice is; its length cannot change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonEmpty<T>(Vec<T>);

impl<T> NonEmpty<T> {
    /// `items`, if there are any.
    pub fn new(items: Vec<T>) -> Result<Self, Nonsense> {
        if items.is_empty() { Err(Nonsense::Empty) } else { Ok(Self(items)) }
    }

    /// A list of one.
    pub fn one(item: T) -> Self {
        Self(vec![item])
    }
}

impl<T> Deref for NonEmpty<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for NonEmpty<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<'n, T> IntoIterator for &'n NonEmpty<T> {
    type Item = &'n T;
    type IntoIter = std::slice::Iter<'n, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_is_refused() {
        assert_eq!(NonEmpty::<u8>::new(Vec::new()), Err(Nonsense::Empty));
        assert_eq!(NonEmpty::new(vec![7]), Ok(NonEmpty::one(7)));
    }
}
