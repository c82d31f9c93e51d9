//! Pure: numbers of things, as people say them.

/// `1 user`, `2 users`; `one` is the word for one of them, whose plural ends in `s`.
pub(crate) fn count(number: impl TryInto<u64>, one: &str) -> String {
    match number.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        number => format!("{number} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        let told: Vec<_> = [0, 1, 2].map(|number: usize| count(number, "user")).to_vec();
        assert_eq!(told, ["0 users", "1 user", "2 users"]);
    }
}
