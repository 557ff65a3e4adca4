//! What messages show of the texts that hosts and servers wrote.

/// Characters of a text that a message shows: nobody reads on.
const LONGEST_SHOWN: usize = 200;

/// A text that is, or should be, a url, as a message may show it: without a password, and not all of a long one.
pub(super) fn shown(url: &str) -> String {
    // Before the last "@" may stand a password, in whatever way the rest is wrong.
    let bare = match url.rsplit_once('@') {
        Some((before, after)) => match before.split_once("//") {
            Some((scheme, _)) => format!("{scheme}//...@{after}"),
            None => format!("...@{after}"),
        },
        None => url.to_string(),
    };
    short(&bare)
}

/// Not all of a long text.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_a_password_whatever_it_looks_like() {
        let cases = [
            ("http://me:word@a.example/x", "http://...@a.example/x"),
            ("http://me:wo@rd@[", "http://...@["),
            ("me:word@a.example", "...@a.example"),
            ("/x", "/x"),
        ];
        for (url, expected) in cases {
            assert_eq!(shown(url), expected);
        }
        assert_eq!(shown(&"ä".repeat(300)), format!("{}...", "ä".repeat(LONGEST_SHOWN)));
    }
}
