//! Pure: which answer a request gets.

use http::Method;
use http::header::{ACCEPT_ENCODING, HeaderMap};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// The exposition.
    Metrics,
    /// The page with links.
    Landing,
    /// Whether the process lives.
    Health,
    /// Whether the run could begin.
    Ready,
    /// No such page.
    NotFound,
    /// A page, but not to be written to.
    MethodNotAllowed,
}

/// Finds the page; `telemetry` is the path of the exposition and wins over the others.
pub(super) fn route(method: &Method, path: &str, telemetry: &str) -> Route {
    let page = match path {
        _ if path == telemetry => Route::Metrics,
        "/" => Route::Landing,
        "/healthz" => Route::Health,
        "/readyz" => Route::Ready,
        _ => return Route::NotFound,
    };
    if matches!(*method, Method::GET | Method::HEAD) { page } else { Route::MethodNotAllowed }
}

/// Whether the client takes gzip (RFC 9110, 12.5.3): named, or by `*` where it is not named, with a weight above 0.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let offers: Vec<(&str, f32)> = values.flat_map(|value| value.split(',')).map(offer).collect();
    let weight = |coding: &str| offers.iter().find(|(name, _)| name.eq_ignore_ascii_case(coding));
    weight("gzip").or_else(|| weight("*")).is_some_and(|&(_, weight)| weight > 0.0)
}

/// A coding and its weight, 1 where none is given and 0 where it is no number.
fn offer(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let coding = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    (coding, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn every_page_is_read_only_and_the_telemetry_path_wins() {
        let table = [
            (Method::GET, "/metrics", Route::Metrics),
            (Method::HEAD, "/metrics", Route::Metrics),
            (Method::POST, "/metrics", Route::MethodNotAllowed),
            (Method::GET, "/", Route::Landing),
            (Method::DELETE, "/", Route::MethodNotAllowed),
            (Method::GET, "/healthz", Route::Health),
            (Method::HEAD, "/readyz", Route::Ready),
            (Method::GET, "/metrics/", Route::NotFound),
            (Method::POST, "/nowhere", Route::NotFound),
        ];
        for (method, path, expected) in table {
            assert_eq!(route(&method, path, "/metrics"), expected, "{method} {path}");
        }
        assert_eq!(route(&Method::GET, "/", "/"), Route::Metrics);
        assert_eq!(route(&Method::GET, "/metrics", "/ordeal"), Route::NotFound);
    }

    #[test]
    fn gzip_is_used_only_where_it_is_accepted() {
        let table = [
            ("gzip", true),
            ("GZIP;q=0.5", true),
            ("deflate, gzip;q=1.0, *;q=0.5", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000, *", false),
            ("*;q=0", false),
            ("identity", false),
            ("gzip;q=high", false),
            ("", false),
        ];
        for (value, expected) in table {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(accepts_gzip(&headers), expected, "{value:?}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
