//! Decodes what the query API answers, warnings and infos included.

use std::borrow::Cow;

use serde::Deserialize;

use super::Error;
use crate::evidence::{Data, Labels, Millis, Sample};

/// An answer of the query API.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) data: Data,
    /// Prometheus says that the answer may be wrong or incomplete.
    pub(crate) warnings: Vec<String>,
    /// Prometheus found something odd in the query.
    pub(crate) infos: Vec<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    status: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<RawData<'a>>,
    #[serde(rename = "errorType", default)]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    infos: Vec<String>,
    /// As `VictoriaMetrics` has it, beside the status.
    #[serde(rename = "isPartial", default)]
    partial: bool,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum RawData<'a> {
    #[serde(borrow)]
    Matrix(Vec<RawSeries<'a>>),
    #[serde(borrow)]
    Vector(Vec<RawPoint<'a>>),
    #[serde(borrow)]
    Scalar(RawSample<'a>),
    String(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct RawSeries<'a> {
    metric: Labels,
    #[serde(borrow, default)]
    values: Vec<RawSample<'a>>,
}

#[derive(Deserialize)]
struct RawPoint<'a> {
    metric: Labels,
    #[serde(borrow)]
    value: Option<RawSample<'a>>,
}

#[derive(Deserialize)]
struct RawSample<'a>(f64, #[serde(borrow)] Cow<'a, str>);

impl RawSample<'_> {
    /// A number that cannot be read becomes NaN, which no judge accepts.
    fn checked(&self) -> Sample {
        Sample { at: Millis::from_seconds(self.0), value: self.1.parse().unwrap_or(f64::NAN) }
    }
}

/// The body of an answer; none where it is larger than allowed.
pub(super) async fn body(
    mut response: reqwest::Response,
    largest: usize,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > largest {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Decodes a body; a refusal of the query is an error, whatever its status code.
pub(super) fn decode(url: &str, status: u16, body: &[u8]) -> Result<Answer, Error> {
    let envelope: Envelope<'_> = read(url, status, body)?;
    let (true, Some(data)) = (envelope.status == "success", envelope.data) else {
        return Err(Error::Refused { kind: envelope.error_type, message: envelope.error });
    };
    if let Some(seconds) = data.times().into_iter().find(|seconds| !Millis::can_be(*seconds)) {
        return Err(Error::Time { url: url.to_owned(), seconds });
    }
    let mut warnings = envelope.warnings;
    if envelope.partial {
        warnings.push("the answer is partial (isPartial)".to_owned());
    }
    Ok(Answer { data: data.checked(), warnings, infos: envelope.infos })
}

/// Reads a body that is JSON where all is well.
pub(super) fn read<'a, T: Deserialize<'a>>(url: &str, status: u16, body: &'a [u8]) -> Result<T, Error> {
    match serde_json::from_slice(body) {
        Ok(value) => Ok(value),
        Err(_) if !(200..300).contains(&status) => {
            Err(Error::Status { url: url.to_owned(), status, body: excerpt(body) })
        }
        Err(source) => Err(Error::Decode { url: url.to_owned(), source }),
    }
}

/// The beginning of a plain text, in one line and in parentheses; nothing of a page for browsers.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect();
    if text.is_empty() || text.starts_with('<') { String::new() } else { format!(" ({text})") }
}

impl RawData<'_> {
    /// The times of all samples, in seconds.
    fn times(&self) -> Vec<f64> {
        match self {
            Self::Matrix(series) => {
                series.iter().flat_map(|raw| raw.values.iter().map(|sample| sample.0)).collect()
            }
            Self::Vector(points) => {
                points.iter().filter_map(|raw| raw.value.as_ref()).map(|sample| sample.0).collect()
            }
            Self::Scalar(sample) => vec![sample.0],
            Self::String(_) => Vec::new(),
        }
    }

    fn checked(self) -> Data {
        match self {
            Self::Matrix(series) => {
                let samples = |raw: &RawSeries<'_>| raw.values.iter().map(RawSample::checked).collect();
                Data::Series(series.into_iter().map(|raw| (raw.metric.clone(), samples(&raw))).collect())
            }
            // A native histogram has no `value`; as a sample it is not a number.
            Self::Vector(points) => {
                let none = RawSample(0.0, Cow::Borrowed("NaN"));
                let point = |raw: RawPoint<'_>| {
                    let sample = raw.value.as_ref().unwrap_or(&none).checked();
                    (raw.metric, sample)
                };
                Data::Vector(points.into_iter().map(point).collect())
            }
            Self::Scalar(sample) => Data::Scalar(sample.checked()),
            Self::String(_) => Data::Other("text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_infos_come_with_the_answer() {
        let body =
            br#"{"status":"success","warnings":["partial"],"infos":["odd"],"data":{"resultType":"vector",
            "result":[{"metric":{"__name__":"up"},"value":[1700000000.1234,"+Inf"]}]}}"#;
        let answer = decode("u", 200, body).unwrap();
        assert_eq!((answer.warnings, answer.infos), (vec!["partial".to_owned()], vec!["odd".to_owned()]));
        let Data::Vector(points) = answer.data else { panic!() };
        assert_eq!(points[0].1, Sample { at: Millis(1_700_000_000_123), value: f64::INFINITY });
    }

    #[test]
    fn a_partial_answer_comes_with_a_warning() {
        for (partial, warned) in [("", 0), (r#""isPartial":false,"#, 0), (r#""isPartial":true,"#, 1)] {
            let body =
                format!(r#"{{"status":"success",{partial}"data":{{"resultType":"vector","result":[]}}}}"#);
            assert_eq!(decode("u", 200, body.as_bytes()).unwrap().warnings.len(), warned, "{partial}");
        }
    }

    #[test]
    fn every_result_type_is_understood_in_any_order_of_keys() {
        let series =
            br#"{"data":{"result":[{"metric":{},"values":[[1.5,"2"],[3,"NaN"]]}],"resultType":"matrix"},
            "status":"success"}"#;
        let Data::Series(series) = decode("u", 200, series).unwrap().data else { panic!() };
        assert_eq!(series[0].1[0], Sample { at: Millis(1500), value: 2.0 });
        assert!(series[0].1[1].value.is_nan());
        let scalar = br#"{"status":"success","data":{"resultType":"scalar","result":[1,"7"]}}"#;
        assert_eq!(
            decode("u", 200, scalar).unwrap().data,
            Data::Scalar(Sample { at: Millis(1000), value: 7.0 })
        );
        let text = br#"{"status":"success","data":{"resultType":"string","result":[1,"x"]}}"#;
        assert_eq!(decode("u", 200, text).unwrap().data, Data::Other("text"));
    }

    #[test]
    fn a_sample_of_no_time_is_no_answer() {
        for time in ["1e300", "-1e300", "-1", "1e11"] {
            let matrix = format!(
                r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{}},"values":[[{time},"1"]]}}]}}}}"#
            );
            assert!(matches!(decode("u", 200, matrix.as_bytes()), Err(Error::Time { .. })), "{time}");
        }
    }

    #[tokio::test]
    async fn no_more_than_the_largest_answer_is_read() {
        let of = |size: usize| reqwest::Response::from(axum::http::Response::new(vec![b'x'; size]));
        assert_eq!(body(of(10), 10).await.unwrap(), Some(vec![b'x'; 10]));
        assert_eq!(body(of(11), 10).await.unwrap(), None);
    }

    #[test]
    fn native_histograms_are_no_numbers() {
        let body = br#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},
            "histogram":[1,{"count":"1","sum":"2"}]}]}}"#;
        let Data::Vector(points) = decode("u", 200, body).unwrap().data else { panic!() };
        assert!(points[0].1.value.is_nan());
    }

    #[test]
    fn refusals_proxies_and_garbage_are_told_apart() {
        let refused = br#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        assert!(matches!(decode("u", 400, refused), Err(Error::Refused { .. })));
        assert!(matches!(decode("u", 502, b"<html>"), Err(Error::Status { status: 502, .. })));
        assert!(matches!(decode("u", 200, b"<html>"), Err(Error::Decode { .. })));
    }
}
