//! The cookies of one client: those that servers set, for requests to them. Kept in memory, and only if asked to.

use std::sync::{Mutex, PoisonError};

use cookie_store::{CookieStore, RawCookie};
use hyper::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use url::Url;

#[derive(Default)]
pub(super) struct Cookies(Mutex<CookieStore>);

impl Cookies {
    /// Those for a request to this url. A request with cookies of its own gets none.
    pub(super) fn add(&self, url: &Url, headers: &mut HeaderMap) {
        if headers.contains_key(COOKIE) {
            return;
        }
        let store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<_> = store.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        drop(store);
        if let Ok(value) = HeaderValue::try_from(pairs.join("; "))
            && !value.is_empty()
        {
            headers.insert(COOKIE, value);
        }
    }

    /// Keeps those that a response from this url sets.
    pub(super) fn keep(&self, url: &Url, headers: &HeaderMap) {
        if !headers.contains_key(SET_COOKIE) {
            return;
        }
        let texts = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let cookies = texts.filter_map(|text| RawCookie::parse(text.to_string()).ok());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).store_response_cookies(cookies, url);
    }
}
