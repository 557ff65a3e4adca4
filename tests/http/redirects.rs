//! Where redirects lead, where they end, and which headers are not sent along.

use palitra::Runner;
use palitra::http::code;
use serde_json::{Value, json};

use crate::{assert_failure, get, page};
use palitra_test_support::nginx::Nginx;

#[test]
fn redirects_are_followed_up_to_the_limit() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let hops = |redirects: Value| get(&runner, json!({"url": nginx.url("/hop/3"), "redirects": redirects}));
    for enough in [Value::Null, 3.into()] {
        let page = hops(enough).unwrap();
        assert_eq!((page["url"].as_str(), page["body"].as_str()), (Some(&*nginx.url("/hello")), Some("hello")));
    }
    assert_failure(hops(2.into()), code::TOO_MANY_REDIRECTS, &[&nginx.url("/hop/1"), "2 that are allowed"]);
}

#[test]
fn a_limit_of_no_redirects_returns_the_redirect_itself() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let page = get(&runner, json!({"url": nginx.url("/loop"), "redirects": 0})).unwrap();
    assert_eq!(page["status"], 302);
    assert_eq!(page["headers"]["location"], nginx.url("/loop"));
}

#[test]
fn a_redirect_loop_ends_at_the_limit_and_on_one_connection() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let result = get(&runner, json!({"url": nginx.url("/loop")}));
    assert_failure(result, code::TOO_MANY_REDIRECTS, &[&nginx.url("/loop"), "10 that are allowed"]);
    assert_eq!(nginx.connections().accepted, 1);
}

#[test]
fn a_redirected_post_becomes_a_get_or_is_sent_again_as_its_status_says() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let post = |path| {
        let headers = json!({"Content-Type": "text/csv", "User-Agent": "me"});
        let request = json!({"url": nginx.url(path), "method": "POST", "headers": headers, "body": "a,b"});
        page(&runner, "http.request", request).unwrap()["body"].clone()
    };
    assert_eq!(post("/see-other"), "GET|||me|");
    assert_eq!(post("/temporary"), "POST|text/csv||me|a,b");
}

#[test]
fn credentials_do_not_go_abroad_however_many_redirects_there_are() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let secrets = |path| {
        let headers = json!({"Authorization": "word", "Cookie": "a=1"});
        get(&runner, json!({"url": nginx.url(path), "headers": headers})).unwrap()["body"].clone()
    };
    assert_eq!(secrets("/secrets"), "[word][a=1]");
    assert_eq!(secrets("/abroad"), "[][]");
}

#[test]
fn a_password_in_the_url_is_sent_and_not_shown() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let url = |path| nginx.url(path).replace("http://", "http://me:word@");
    let page = get(&runner, json!({"url": url("/secrets")})).unwrap();
    assert_eq!(page["body"], "[Basic bWU6d29yZA==][]");
    assert_eq!(page["url"], nginx.url("/secrets"));
    let (_, message) = get(&runner, json!({"url": url("/slow"), "timeout": 0.1})).unwrap_err();
    assert!(!message.contains("word"), "{message}");
}

#[test]
fn a_redirect_away_from_http_is_not_followed() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let result = get(&runner, json!({"url": nginx.url("/to-ftp")}));
    assert_failure(
        result,
        code::BROKEN_RESPONSE,
        &[&nginx.url("/to-ftp"), "ftp://127.0.0.1/", "neither http nor https"],
    );
}
