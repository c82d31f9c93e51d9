//! Whether all markup of a text of Markdown is ours.

/// The tags that we write.
const OURS: [&str; 4] = ["<details>", "<summary>", "</summary>", "</details>"];

/// The lines of Markdown that have a tag which is not ours. A line that begins with a tag is read as HTML, as are those up
/// to the next empty one: there a backslash escapes nothing. What is fenced is text.
pub(crate) fn foreign(markdown: &str) -> Vec<&str> {
    let (mut fence, mut html, mut found) = (None, false, Vec::new());
    for line in markdown.lines() {
        let ticks = line.chars().take_while(|c| *c == '`').count();
        if let Some(open) = fence {
            let closed = ticks >= open && line.len() == ticks;
            fence = (!closed).then_some(open);
            continue;
        }
        if ticks >= 3 {
            fence = Some(ticks);
            continue;
        }
        html = line.starts_with('<') || (html && !line.is_empty());
        let rest = OURS.iter().fold(line.to_owned(), |rest, tag| rest.replacen(tag, "", 1));
        // Of two backslashes the first escapes the second.
        let rest = if html { rest } else { rest.replace(r"\\", "").replace(r"\<", "") };
        if rest.contains('<') {
            found.push(line);
        }
    }
    assert!(!html && fence.is_none(), "something does not end in {markdown}");
    found
}

#[test]
fn tags_of_others_are_found_where_markdown_takes_them() {
    let ours = [
        "<details><summary>a &lt;b&gt;</summary>\n\n",
        "- \\<b\\> \\\\\\<b\\>\n\n",
        "```x\n<b>\n````\n\n",
        "</details>\n\n",
    ];
    assert_eq!(foreign(&ours.concat()), Vec::<&str>::new());
    for (lines, due) in [
        (r"<details><summary>a \<b\></summary>", r"<details><summary>a \<b\></summary>"),
        ("<details>\n\\<b\\>", r"\<b\>"),
        ("- <b>", "- <b>"),
        (r"| \\<b> |", r"| \\<b> |"),
        ("</details></details>", "</details></details>"),
    ] {
        assert_eq!(foreign(&format!("{lines}\n\n```\n<b>\n```\n")), [due]);
    }
}
