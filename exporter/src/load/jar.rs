//! The cookies of one user: no more than a browser keeps of one site.

use cookie_store::{Cookie, CookieStore, RawCookie};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use url::Url;

/// The most cookies that are kept; browsers keep some 180 of a site.
const MOST: usize = 300;
/// The longest name and value of a cookie together, as in browsers; so a jar stays within 1.2 MB.
const LONGEST: usize = 4096;

/// Empty until the first cookie comes, which for many services is never.
#[derive(Debug, Default)]
pub(super) struct Jar(Option<Box<CookieStore>>);

impl Jar {
    /// Adds the cookies for `path` below `base` to `headers`, in place of those of an earlier hop.
    pub(super) fn fill(&self, base: &Url, path: &str, headers: &mut HeaderMap) {
        let Some(store) = &self.0 else { return };
        let Ok(url) = base.join(path) else { return };
        let pairs: Vec<_> =
            store.get_request_values(&url).map(|(name, value)| format!("{name}={value}")).collect();
        match HeaderValue::try_from(pairs.join("; ")) {
            Ok(mut value) if !pairs.is_empty() => {
                value.set_sensitive(true);
                headers.insert(COOKIE, value);
            }
            _ => {
                headers.remove(COOKIE);
            }
        }
    }

    /// Keeps the cookies that an answer to `path` set.
    pub(super) fn keep(&mut self, base: &Url, path: &str, headers: &HeaderMap) {
        if !headers.contains_key(SET_COOKIE) {
            return;
        }
        let Ok(url) = base.join(path) else { return };
        let set = headers.get_all(SET_COOKIE).iter();
        let cookies = set.filter_map(|value| RawCookie::parse(value.to_str().ok()?.to_owned()).ok());
        let store = self.0.get_or_insert_default();
        for cookie in cookies.filter_map(|raw| Cookie::try_from_raw_cookie(&raw, &url).ok()) {
            if cookie.name().len() + cookie.value().len() > LONGEST
                || (is_full(store) && is_new(store, &cookie))
            {
                continue;
            }
            // Refused are those that are not for this URL.
            let _kept = store.insert(cookie, &url);
        }
    }

    /// The value of the cookie `name`, whatever path it is for.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let store = self.0.as_ref()?;
        store.iter_unexpired().find(|cookie| cookie.name() == name).map(|cookie| cookie.value())
    }
}

fn is_full(store: &CookieStore) -> bool {
    store.iter_any().count() >= MOST
}

/// Whether `cookie` would be one more.
fn is_new(store: &CookieStore, cookie: &Cookie<'_>) -> bool {
    let same = |other: &Cookie<'_>| {
        other.name() == cookie.name() && other.path == cookie.path && other.domain == cookie.domain
    };
    !store.iter_any().any(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(cookies: &[&'static str]) -> HeaderMap {
        cookies.iter().map(|cookie| (SET_COOKIE, HeaderValue::from_static(cookie))).collect()
    }

    fn sent(jar: &Jar, base: &Url, path: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        jar.fill(base, path, &mut headers);
        headers.get(COOKIE).map(|value| value.to_str().expect("text").to_owned())
    }

    #[test]
    fn cookies_go_back_where_they_belong_and_expire() {
        let base = Url::parse("http://shop.example:8080").expect("a URL");
        let mut jar = Jar::default();
        assert_eq!(sent(&jar, &base, "/"), None);
        jar.keep(&base, "/login", &answer(&["sid=1; Path=/; HttpOnly", "admin=x; Path=/admin"]));
        assert_eq!(sent(&jar, &base, "/shop?q=1").as_deref(), Some("sid=1"));
        assert_eq!(jar.get("admin"), Some("x"));
        jar.keep(&base, "/", &answer(&["sid=2; Path=/", "secure=1; Path=/; Secure"]));
        assert_eq!(sent(&jar, &base, "/").as_deref(), Some("sid=2"));
        jar.keep(&base, "/logout", &answer(&["sid=; Path=/; Max-Age=0"]));
        assert_eq!((sent(&jar, &base, "/"), jar.get("sid")), (None, None));
    }

    #[test]
    fn a_jar_has_a_limit_and_what_is_in_it_stays_current() {
        let base = Url::parse("http://shop.example:8080").expect("a URL");
        let set = |jar: &mut Jar, text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(SET_COOKIE, HeaderValue::from_str(text).expect("a value"));
            jar.keep(&base, "/", &headers);
        };
        let mut jar = Jar::default();
        set(&mut jar, "sid=1");
        for number in 0..2 * MOST {
            set(&mut jar, &format!("c{number}=x"));
        }
        set(&mut jar, "sid=2");
        set(&mut jar, &format!("long={}", "x".repeat(LONGEST)));
        let store = jar.0.as_ref().expect("cookies came");
        assert_eq!((store.iter_any().count(), jar.get("sid"), jar.get("long")), (MOST, Some("2"), None));
    }
}
