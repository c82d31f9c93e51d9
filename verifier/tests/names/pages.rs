//! Queries and names of metrics in what people read.

/// Beginnings of names that only metrics of ours have, exposed or recorded.
const OURS: [&str; 3] = ["ordeal_", "ordeal:", "slo:"];

/// The queries of a page in Markdown, with the numbers of their lines: all code in lines that begin with `- Query:`, and
/// elsewhere the code that names a metric of ours.
pub(crate) fn queries(page: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (at, line) in page.lines().enumerate() {
        let told = line.starts_with("- Query:");
        let code = line.split('`').skip(1).step_by(2);
        found.extend(code.filter(|code| told || names(code).next().is_some()).map(|code| (at + 1, code)));
    }
    found
}

/// The names of metrics of ours in a text.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = text.split(move |c: char| !of_name(c)).map(|word| word.trim_end_matches(':'));
    words.filter(|word| OURS.iter().any(|beginning| word.starts_with(beginning)))
}
