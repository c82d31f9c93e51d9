//! The key `abort_when`: how many failures are too many.

use std::time::Duration;

use super::duration::Limits;
use super::fields::Fields;
use super::model::ErrorLimit;
use super::node::Node;
use super::reader::{Checked, Reader};
use super::words::shown;

const WINDOW: Duration = Duration::from_secs(10);
/// Load processes tell their counts every 2 s: shorter, and one that is late would decide.
const LASTING: Limits = Limits::secs(5, 3600);

/// An abort limit.
pub(super) fn limit(reader: &mut Reader<'_>, node: &Node) -> Checked<ErrorLimit> {
    let mut fields = Fields::open(reader, node, "the abort limit")?;
    let share = fields
        .require(reader, "errors", "the share of requests that fail, such as 50%")
        .and_then(|node| percent(reader, node));
    let window = reader.duration_or(fields.get("for"), WINDOW, LASTING);
    fields.close(reader);
    Ok(ErrorLimit::new(share?, window?).expect("both are within limits"))
}

/// A share that is written as a percentage above 0.
fn percent(reader: &mut Reader<'_>, node: &Node) -> Checked<f64> {
    const EXPECTED: &str = "a percentage above 0%, at most 100%, such as 50%";
    let text = reader.text(node, EXPECTED)?;
    let number = text.text.strip_suffix('%').and_then(|number| number.trim_end().parse::<f64>().ok());
    match number {
        Some(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err(reader.fault(text.at, format!("{}; expected {EXPECTED}", shown(&text.text)))),
    }
}
