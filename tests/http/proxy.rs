//! The proxies that the environment names, in processes of their own.

use std::process::Command;

use palitra::Runner;
use palitra::http::code;
use serde_json::{Value, json};

use crate::{Failure, assert_failure, get};
use palitra_test_support::nginx::{Nginx, PATIENCE, closed_port};
use palitra_test_support::process::run;
use palitra_test_support::scripted::Server;

/// What a page is in a process with these variables.
fn get_with(variables: &[(&str, &str)], request: &Value) -> Result<Value, Failure> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "proxy::child_that_gets", "--ignored", "--nocapture"]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method", "ssl_cert_dir"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.envs(variables.iter().copied()).env("PALITRA_TEST_REQUEST", request.to_string());
    let ended = run(&mut command, 3 * PATIENCE);
    let result = ended.output.lines().find_map(|line| line.split_once("RESULT ")).map(|(_, result)| result);
    let result = result.unwrap_or_else(|| panic!("no result in {}{}", ended.output, ended.errors));
    let result: Value = serde_json::from_str(result).unwrap();
    match result.get("failed") {
        Some(code) => Err((code.as_i64().unwrap() as i32, result["message"].as_str().unwrap().into())),
        None => Ok(result),
    }
}

#[test]
#[ignore = "the child of the other tests"]
fn child_that_gets() {
    let request = serde_json::from_str(&std::env::var("PALITRA_TEST_REQUEST").unwrap()).unwrap();
    let result = get(&Runner::new().unwrap(), request);
    let result = result.unwrap_or_else(|(failed, message)| json!({"failed": failed, "message": message}));
    println!("RESULT {result}");
}

/// A proxy that shows what it was asked.
fn proxy_that_shows() -> Server {
    Server::start(|mut connection| {
        while let Some(head) = connection.request() {
            connection.respond(&head);
        }
    })
}

#[test]
fn a_plain_request_names_its_server_to_the_proxy() {
    let proxy = proxy_that_shows();
    let request = json!({"url": "http://server.invalid/x"});
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let page = get_with(&[(name, &format!("http://me:word@{}", proxy.address()))], &request).unwrap();
        let head = page["body"].as_str().unwrap();
        assert!(head.starts_with("GET http://server.invalid/x HTTP/1.1\r\n"), "{head}");
        assert!(head.to_ascii_lowercase().contains("\r\nproxy-authorization: basic bwu6d29yza==\r\n"), "{head}");
    }
}

#[test]
fn who_is_in_no_proxy_or_in_cgi_has_none() {
    let (server, proxy) = (proxy_that_shows(), format!("http://127.0.0.1:{}", closed_port()));
    for other in [("NO_PROXY", "127.0.0.1"), ("REQUEST_METHOD", "GET")] {
        let page = get_with(&[("HTTP_PROXY", &proxy), other], &json!({"url": server.url("/x")})).unwrap();
        assert!(page["body"].as_str().unwrap().starts_with("GET /x HTTP/1.1\r\n"), "{page}");
    }
}

#[test]
fn in_cgi_only_the_variable_that_a_client_can_set_names_none() {
    let proxy = proxy_that_shows();
    let (ours, others) = (format!("http://{}", proxy.address()), format!("http://127.0.0.1:{}", closed_port()));
    for name in ["ALL_PROXY", "http_proxy"] {
        let variables = [(name, &*ours), ("HTTP_PROXY", &*others), ("REQUEST_METHOD", "GET")];
        let page = get_with(&variables, &json!({"url": "http://server.invalid/x"})).unwrap();
        assert!(page["body"].as_str().unwrap().starts_with("GET http://server.invalid/x HTTP/1.1\r\n"), "{page}");
    }
}

#[test]
fn a_star_in_no_proxy_is_for_addresses_too() {
    let (server, proxy) = (proxy_that_shows(), format!("http://127.0.0.1:{}", closed_port()));
    let page = get_with(&[("ALL_PROXY", &proxy), ("NO_PROXY", "*")], &json!({"url": server.url("/x")})).unwrap();
    assert!(page["body"].as_str().unwrap().starts_with("GET /x HTTP/1.1\r\n"), "{page}");
}

#[test]
fn a_password_in_a_variable_may_have_any_letters() {
    let proxy = proxy_that_shows();
    for (before, after) in [("http://me:wo^rd@", ""), ("me:wo^rd@", ""), (" http://me:wo^rd@", " ")] {
        let variable = format!("{before}{}{after}", proxy.address());
        let page = get_with(&[("ALL_PROXY", &variable)], &json!({"url": "http://server.invalid/x"})).unwrap();
        let head = page["body"].as_str().unwrap();
        assert!(head.to_ascii_lowercase().contains("\r\nproxy-authorization: basic bwu6d29ecmq=\r\n"), "{head}");
    }
}

#[test]
fn a_variable_whose_proxy_cannot_be_used_fails_what_would_go_there() {
    let (server, proxy) = (proxy_that_shows(), proxy_that_shows());
    let (url, ours) = (server.url("/x"), format!("http://{}", proxy.address()));
    let unusable = "foo://me:word@127.0.0.1:1";
    for (variables, named) in [
        ([("ALL_PROXY", unusable), ("HTTPS_PROXY", &ours)], "ALL_PROXY"),
        ([("HTTP_PROXY", "http://me:wo rd@:1"), ("ALL_PROXY", &ours)], "HTTP_PROXY"),
        ([("http_proxy", "http://"), ("ALL_PROXY", &ours)], "http_proxy"),
    ] {
        let result = get_with(&variables, &json!({"url": url}));
        assert!(result.as_ref().is_err_and(|(_, message)| !message.contains("me:wo")), "{result:?}");
        assert_failure(result, code::CANNOT_CONNECT, &[&format!("{url}: cannot connect: "), named]);
    }
    assert_eq!((server.accepted(), proxy.accepted()), (0, 0));
    // Who has no need of it is not disturbed.
    for other in [("NO_PROXY", "127.0.0.1"), ("HTTP_PROXY", &ours), ("ALL_PROXY", "")] {
        let page = get_with(&[("HTTPS_PROXY", unusable), ("ALL_PROXY", unusable), other], &json!({"url": url}));
        assert!(page.is_ok(), "{other:?}: {page:?}");
    }
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password() {
    let port = closed_port();
    for url in ["http://server.invalid/", "https://server.invalid/"] {
        let result = get_with(&[("ALL_PROXY", &format!("http://me:word@127.0.0.1:{port}"))], &json!({"url": url}));
        let named = format!("{url}: cannot connect: the proxy http://127.0.0.1:{port}: Connection refused");
        assert!(result.as_ref().is_err_and(|(_, message)| !message.contains("word")), "{result:?}");
        assert_failure(result, code::CANNOT_CONNECT, &[&named]);
    }
    let result = get_with(&[("HTTP_PROXY", "socks4://127.0.0.1:1")], &json!({"url": "http://server.invalid/"}));
    assert_failure(result, code::CANNOT_CONNECT, &["the proxy socks4://127.0.0.1:1", "not supported"]);
}

#[test]
fn a_proxy_that_refuses_a_tunnel_is_named_with_its_words() {
    let cases = [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "it refused a tunnel: \"HTTP/1.1 407 Proxy"),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", "it refused a tunnel: \"HTTP/1.1 502 Bad"),
        ("SSH-2.0\r\n\r\n", "it refused a tunnel: \"SSH-2.0\""),
        ("", "it closed the connection when asked for a tunnel"),
        (&"x".repeat(100_000), "its response has no end"),
    ];
    for (response, says) in cases {
        let proxy = Server::that_sends(response);
        let variable = format!("http://{}", proxy.address());
        let result = get_with(&[("HTTPS_PROXY", &variable)], &json!({"url": "https://server.invalid/"}));
        assert_failure(result, code::CANNOT_CONNECT, &[&format!("the proxy {variable}: "), says]);
        assert!(proxy.requests()[0].starts_with("CONNECT server.invalid:443 HTTP/1.1\r\nHost: server.invalid:443\r\n"));
    }
}

#[test]
fn an_encrypted_request_goes_through_a_tunnel() {
    let nginx = Nginx::start();
    let server = nginx.https_url("").replace("https://", "");
    let theirs = server.clone();
    let proxy = Server::start(move |mut connection| {
        if connection.request().is_some() && connection.send("HTTP/1.1 200 Connection established\r\n\r\n") {
            connection.pass_on_to(&theirs);
        }
    });
    let variables = [
        ("HTTPS_PROXY", format!("me:word@{}", proxy.address())),
        ("SSL_CERT_FILE", nginx.certificate().display().to_string()),
    ];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let page = get_with(&variables, &json!({"url": nginx.https_url("/hello")})).unwrap();
    assert_eq!(page["body"], "hello");
    let asked =
        format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\nProxy-Authorization: Basic bWU6d29yZA==\r\n\r\n");
    assert_eq!(proxy.requests(), [asked]);
}

#[test]
fn a_redirect_from_https_to_http_takes_no_secret_along() {
    let nginx = Nginx::start();
    let certificate = nginx.certificate().display().to_string();
    let variables = [("SSL_CERT_FILE", certificate.as_str())];
    let page = |path| get_with(&variables, &json!({"url": nginx.https_url(path), "bearer": "word"})).unwrap();
    assert_eq!(page("/secrets")["body"], "[Bearer word][]");
    let abroad = page("/abroad");
    assert!(abroad["url"].as_str().unwrap().starts_with("http://"));
    assert_eq!(abroad["body"], "[][]");
}
