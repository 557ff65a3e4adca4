//! The cookies of one client: those that servers set, for requests to them. Kept in memory, and only if asked to.
//!
//! Which domains have several owners, as `co.uk` has, is in a list that changes every week and that nobody has here. So
//! a server can set a cookie for the whole of such a domain, though not for one of a single word, as `com`. To a host
//! its own cookies are sent first, and of those of its domain as many as have room.

use std::cmp::Reverse;
use std::sync::{Mutex, PoisonError};

use cookie_store::{Cookie, CookieDomain, CookieStore};
use hyper::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use url::Url;

/// Of name and value. All browsers keep so much, and none keeps more (RFC 6265bis, 5.6).
const LARGEST: usize = 4096;
/// The cookies of one domain.
const MOST: usize = 150;
/// Many servers refuse a header that is longer than 8 KiB.
const LONGEST_LINE: usize = 8000;

#[derive(Default)]
pub(super) struct Cookies(Mutex<CookieStore>);

impl Cookies {
    /// Those for a request to this url. A request with cookies of its own gets none.
    pub(super) fn add(&self, url: &Url, headers: &mut HeaderMap) {
        if headers.contains_key(COOKIE) {
            return;
        }
        let store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = line(store.matches(url));
        drop(store);
        if let Ok(value) = HeaderValue::try_from(line)
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
        let cookies: Vec<_> = texts.filter_map(|text| read(text, url)).collect();
        let mut store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for cookie in cookies {
            if has_room(&mut store, &cookie) {
                // What it refuses is not kept, and nobody asks why.
                let _ = store.insert(cookie, url);
            }
        }
    }
}

/// The value of the header.
fn line(mut cookies: Vec<&Cookie<'static>>) -> String {
    // Among cookies of one name servers take the first, which is to be that of the host itself and of the longest path.
    cookies.sort_by_key(|cookie| (matches!(cookie.domain, CookieDomain::Suffix(_)), Reverse(cookie.path.len())));
    let mut line = String::new();
    for (name, value) in cookies.iter().map(|cookie| cookie.name_value()) {
        if line.len() + "; ".len() + name.len() + "=".len() + value.len() <= LONGEST_LINE {
            let separator = if line.is_empty() { "" } else { "; " };
            line.extend([separator, name, "=", value]);
        }
    }
    line
}

/// The cookie that a server sets with these words, if it is one to keep.
fn read(text: &str, url: &Url) -> Option<Cookie<'static>> {
    let mut cookie = Cookie::parse(text, url).ok()?.into_owned();
    if let CookieDomain::Suffix(domain) = &cookie.domain
        && !domain.trim_matches('.').contains('.')
    {
        // Of a host of one word, as localhost, it is for that alone; else it is for a whole top-level domain.
        if !cookie.domain.host_is_identical(url) {
            return None;
        }
        cookie.domain = CookieDomain::host_only(url).ok()?;
    }
    (cookie.name().len() + cookie.value().len() <= LARGEST).then_some(cookie)
}

/// Whether the domain of this cookie may have it: another of its name, or one more.
fn has_room(store: &mut CookieStore, cookie: &Cookie<'static>) -> bool {
    let Some(domain) = cookie.domain.as_cow() else { return false };
    let of_domain = |kept: &&Cookie<'static>| kept.domain.as_cow().is_some_and(|kept| kept == domain);
    if store.contains_any(&domain, &cookie.path, cookie.name()) || store.iter_any().filter(of_domain).count() < MOST {
        return true;
    }
    let expired: Vec<_> = store.iter_any().filter(of_domain).filter(|kept| kept.is_expired()).cloned().collect();
    for kept in &expired {
        store.remove(&domain, &kept.path, kept.name());
    }
    !expired.is_empty()
}
