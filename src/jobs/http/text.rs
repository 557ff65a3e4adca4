//! Text out of bytes, by the charset that the server or the host names. Nothing is guessed and nothing is replaced: a
//! text that has been read is the one that was sent.

use std::fmt::Display;

use encoding_rs::{Encoding, UTF_8};
use hyper::header::{CONTENT_TYPE, HeaderMap};

use super::shown::short;

/// The body as text. The charset is that of its byte order mark, else the host's, else the server's, else UTF-8.
pub(super) fn decode(body: Vec<u8>, host: Option<&str>, headers: &HeaderMap) -> Result<String, String> {
    if body.is_empty() {
        return Ok(String::new());
    }
    let (encoding, mark) = match Encoding::for_bom(&body) {
        Some((encoding, length)) => (encoding, length),
        None => (named(host.map(str::to_string).or_else(|| charset(headers)))?, 0),
    };
    let other = |why: &dyn Display| {
        format!("the body is not text in {}: {why}; http.bytes and http.fetch give its bytes", encoding.name())
    };
    if encoding == UTF_8 && mark == 0 {
        // The bytes are the text already.
        return String::from_utf8(body).map_err(|error| {
            other(&format_args!("the first byte that cannot be is number {}", error.utf8_error().valid_up_to()))
        });
    }
    let text = encoding.decode_without_bom_handling_and_without_replacement(&body[mark..]);
    text.map(Into::into).ok_or_else(|| other(&"it has bytes that cannot be"))
}

/// The encoding with this name; UTF-8 if there is no name.
fn named(charset: Option<String>) -> Result<&'static Encoding, String> {
    let Some(charset) = charset else { return Ok(UTF_8) };
    Encoding::for_label_no_replacement(charset.as_bytes()).ok_or_else(|| {
        format!("the charset {:?} is unknown; http.bytes and http.fetch give the body's bytes", short(&charset))
    })
}

/// The charset that the content type names: `text/html; charset="utf-8"`.
fn charset(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let mut parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    let value = value.trim().trim_matches(['"', '\'']).trim();
    (!value.is_empty()).then(|| value.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(body: &[u8], host: Option<&str>, content_type: &str) -> Result<String, String> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type.parse().unwrap())]);
        decode(body.to_vec(), host, &headers)
    }

    #[test]
    fn the_charset_is_the_marks_else_the_hosts_else_the_servers_else_utf8() {
        let cases: [(&[u8], Option<&str>, &str, &str); 9] = [
            (b"\xe9", None, "text/html; charset=iso-8859-1", "é"),
            (b"\xe9", None, "text/html; x=y; CharSet = \"Latin1\"", "é"),
            (b"\xe9", Some("latin1"), "text/html; charset=utf-8", "é"),
            (b"\xa4", None, "text/html; charset=iso-8859-15", "€"),
            (b"\x83\x65", None, "text/html; charset=Shift_JIS", "テ"),
            ("é".as_bytes(), None, "text/html", "é"),
            (b"\xef\xbb\xbf\xc3\xa9", None, "text/html; charset=latin1", "é"),
            (b"\xff\xfee\0", None, "text/html", "e"),
            (b"", None, "text/html; charset=nonsense", ""),
        ];
        for (body, host, content_type, expected) in cases {
            assert_eq!(text(body, host, content_type).unwrap(), expected, "{body:?} {content_type}");
        }
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        let cases: [(&[u8], &str, &str); 4] = [
            (b"a\xe9", "text/html", "not text in UTF-8: the first byte that cannot be is number 1"),
            (b"\x83", "text/html; charset=shift_jis", "not text in Shift_JIS"),
            (b"a", "text/html; charset=nonsense", "the charset \"nonsense\" is unknown"),
            // Its escapes are a way to hide what a page does.
            (b"a", "text/html; charset=iso-2022-kr", "is unknown"),
        ];
        for (body, content_type, says) in cases {
            let error = text(body, None, content_type).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
