//! How often something happens.

use super::Nonsense;

/// Times a second: finite and above zero, so that a pause can be made of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(f64);

impl Rate {
    /// So many times a second.
    pub fn new(per_second: f64) -> Result<Self, Nonsense> {
        if per_second.is_finite() && per_second > 0.0 { Ok(Self(per_second)) } else { Err(Nonsense::Rate) }
    }

    /// How many times a second.
    pub fn per_second(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_rates_above_zero_are_rates() {
        for nonsense in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Rate::new(nonsense), Err(Nonsense::Rate), "{nonsense}");
        }
        assert_eq!(Rate::new(0.5).map(Rate::per_second), Ok(0.5));
    }
}
