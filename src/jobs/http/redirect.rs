//! Where a redirect sends a request next.
//!
//! These are the rules of RFC 9110 (15.4), as browsers follow them. What was meant for one server goes to no other,
//! however many redirects lie between.

use hyper::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE, HOST, HeaderMap,
    HeaderName, LOCATION, PROXY_AUTHORIZATION,
};
use hyper::{Method, StatusCode};
use url::Url;

use super::content::Source;
use super::exchange::Outgoing;
use super::request::LONGEST_URL;
use super::shown::shown;

/// Meant for the server that the request names and for no other. `Host` is not a secret, but would name the wrong one.
const FOR_THE_ORIGIN_ALONE: [HeaderName; 4] = [AUTHORIZATION, COOKIE, HOST, PROXY_AUTHORIZATION];
/// These describe a body, and go when it goes.
const OF_THE_BODY: [HeaderName; 4] = [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE];

/// Where the response points, if it is a redirect; an error says why nobody can go there.
pub(super) fn target(from: &Url, status: StatusCode, headers: &HeaderMap) -> Result<Option<Url>, String> {
    let Some(location) = headers.get(LOCATION).filter(|_| is_redirect(status)) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(location.as_bytes());
    let mut url =
        from.join(&text).map_err(|error| format!("a redirect to {:?}, which is not a url: {error}", shown(&text)))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("a redirect to {:?}, which is neither http nor https", shown(&text)));
    }
    if url.as_str().len() > LONGEST_URL {
        return Err(format!("a redirect to a url of {} bytes; {LONGEST_URL} are allowed", url.as_str().len()));
    }
    // Never sent. Credentials come from the host, not from a server. Both calls succeed on http and https.
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok(Some(url))
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Makes of a request the one that a redirect with `status` to `target` asks for.
pub(super) fn follow(request: &mut Outgoing, status: StatusCode, target: Url) {
    if becomes_get(&request.method, status) {
        request.method = Method::GET;
        request.body = Source::empty();
        remove(&mut request.headers, &OF_THE_BODY);
    }
    if request.url.origin() != target.origin() {
        remove(&mut request.headers, &FOR_THE_ORIGIN_ALONE);
    }
    request.url = target;
}

/// 303 says "look there"; after 301 and 302 a POST becomes a GET because every browser does so.
fn becomes_get(method: &Method, status: StatusCode) -> bool {
    match status {
        StatusCode::SEE_OTHER => method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::POST,
        _ => false,
    }
}

fn remove(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hyper::body::Body;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn redirected(method: Method, status: u16, to: &str) -> Outgoing {
        let (from, headers, body) = (url("http://a.example/x"), HeaderMap::new(), Source::Bytes("body".into()));
        let mut request = Outgoing { method, url: from, headers, body };
        for name in FOR_THE_ORIGIN_ALONE.iter().chain(&OF_THE_BODY) {
            request.headers.insert(name, "set".parse().unwrap());
        }
        follow(&mut request, StatusCode::from_u16(status).unwrap(), url(to));
        request
    }

    #[test]
    fn the_method_changes_as_browsers_change_it() {
        let cases = [
            ("POST", 301, "GET"),
            ("POST", 302, "GET"),
            ("POST", 303, "GET"),
            ("POST", 307, "POST"),
            ("POST", 308, "POST"),
            ("PUT", 301, "PUT"),
            ("PUT", 302, "PUT"),
            ("PUT", 303, "GET"),
            ("HEAD", 303, "HEAD"),
        ];
        for (method, status, after) in cases {
            let request = redirected(method.parse().unwrap(), status, "http://a.example/y");
            assert_eq!(request.method, after, "{method} {status}");
            let keeps_body = after == method;
            assert_eq!(!request.body.content().is_end_stream(), keeps_body, "{method} {status}");
            assert_eq!(request.headers.contains_key(CONTENT_TYPE), keeps_body, "{method} {status}");
        }
    }

    #[test]
    fn secrets_stay_with_the_origin_and_are_gone_after_it() {
        assert!(redirected(Method::GET, 302, "http://a.example:80/y").headers.contains_key(AUTHORIZATION));
        for foreign in ["http://b.example/", "https://a.example/", "http://a.example:81/"] {
            let mut request = redirected(Method::GET, 302, foreign);
            follow(&mut request, StatusCode::FOUND, url("http://b.example/2"));
            for name in FOR_THE_ORIGIN_ALONE {
                assert!(!request.headers.contains_key(&name), "{name} went to {foreign}");
            }
        }
    }

    #[test]
    fn a_target_is_an_absolute_http_url_without_credentials() {
        let to = |status: u16, location: &str| {
            let headers = HeaderMap::from_iter([(LOCATION, location.parse().unwrap())]);
            target(&url("http://a.example/x/y"), StatusCode::from_u16(status).unwrap(), &headers)
        };
        assert_eq!(to(302, "z"), Ok(Some(url("http://a.example/x/z"))));
        assert_eq!(to(308, "//name:word@b.example/"), Ok(Some(url("http://b.example/"))));
        assert_eq!(to(200, "z"), Ok(None));
        assert_eq!(to(304, "z"), Ok(None));
        assert!(to(302, "file:///etc/passwd").unwrap_err().contains("neither http nor https"));
        assert!(to(302, "http://[").unwrap_err().contains("not a url"));
    }
}
