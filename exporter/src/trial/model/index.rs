//! References from one section to an entry of another.

use super::Nonsense;

/// The place of a store in [`Trial::stores`](super::Trial::stores).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreIndex(usize);

/// The place of a component in [`Trial::components`](super::Trial::components).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentIndex(usize);

impl StoreIndex {
    /// The store at `place` of `count`.
    pub fn new(place: usize, count: usize) -> Result<Self, Nonsense> {
        if place < count { Ok(Self(place)) } else { Err(Nonsense::Dangling) }
    }

    /// Its place, from 0.
    pub fn get(self) -> usize {
        self.0
    }
}

impl ComponentIndex {
    /// The component at `place` of `count`.
    pub fn new(place: usize, count: usize) -> Result<Self, Nonsense> {
        if place < count { Ok(Self(place)) } else { Err(Nonsense::Dangling) }
    }

    /// Its place, from 0.
    pub fn get(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_refers_beyond_the_end() {
        assert_eq!(StoreIndex::new(1, 2).map(StoreIndex::get), Ok(1));
        assert_eq!(StoreIndex::new(2, 2), Err(Nonsense::Dangling));
        assert_eq!(ComponentIndex::new(0, 1).map(ComponentIndex::get), Ok(0));
        assert_eq!(ComponentIndex::new(0, 0), Err(Nonsense::Dangling));
    }
}
