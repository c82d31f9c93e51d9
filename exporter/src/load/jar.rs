//! The cookies of one user.

use cookie_store::{CookieStore, RawCookie};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use url::Url;

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
        self.0.get_or_insert_default().store_response_cookies(cookies, &url);
    }

    /// The value of the cookie `name`, whatever path it is for.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let store = self.0.as_ref()?;
        store.iter_unexpired().find(|cookie| cookie.name() == name).map(|cookie| cookie.value())
    }
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
}
