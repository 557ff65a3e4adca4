//! SOCKS 5 proxies: what they are asked, and what they refuse.

use palitra::http::code;
use serde_json::json;

use crate::configure::configured;
use crate::{assert_failure, get};
use palitra_test_support::nginx::{Nginx, closed_port};
use palitra_test_support::scripted::{Connection, Server};

const NO_AUTHORIZATION: u8 = 0;
const NAME_AND_PASSWORD: u8 = 2;

/// Reads what a client asks a SOCKS 5 proxy for, `name:password` before it if it says them: `host:port`.
fn asked(connection: &mut Connection, method: u8) -> Option<String> {
    let offered = connection.bytes(2)?;
    assert_eq!(offered[0], 5, "the version");
    assert!(connection.bytes(offered[1].into())?.contains(&method), "it offers {method}");
    connection.send([5, method]);
    let mut asked = String::new();
    if method == NAME_AND_PASSWORD {
        let name = usize::from(connection.bytes(2)?[1]);
        asked = String::from_utf8(connection.bytes(name)?).unwrap() + ":";
        let password = usize::from(connection.bytes(1)?[0]);
        asked += &(String::from_utf8(connection.bytes(password)?).unwrap() + "@");
        connection.send([1, 0]);
    }
    let host = match connection.bytes(4)?[..] {
        [5, 1, 0, 1] => connection.bytes(4)?.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        [5, 1, 0, 3] => {
            let length = connection.bytes(1)?[0].into();
            String::from_utf8(connection.bytes(length)?).unwrap()
        }
        ref other => panic!("{other:?}"),
    };
    let port = connection.bytes(2)?;
    Some(format!("{asked}{host}:{}", u16::from_be_bytes([port[0], port[1]])))
}

/// The response of a proxy, without the address that it listens on.
fn response(status: u8) -> [u8; 10] {
    [5, status, 0, 1, 0, 0, 0, 0, 0, 0]
}

#[test]
fn a_request_goes_through_it_plain_and_encrypted_and_it_looks_names_up() {
    let nginx = Nginx::start();
    for (scheme, method, before) in
        [("socks5://me:word@", NAME_AND_PASSWORD, "me:word@"), ("socks5h://", NO_AUTHORIZATION, "")]
    {
        // A name that nothing here looks up; a certificate is for the address.
        for (url, host) in [(nginx.url("/hello"), "server.invalid"), (nginx.https_url("/hello"), "127.0.0.1")] {
            let server = url.split('/').nth(2).unwrap().to_string();
            let expected = format!("{before}{}", server.replace("127.0.0.1", host));
            let proxy = Server::start(move |mut connection| {
                if let Some(asked) = asked(&mut connection, method) {
                    connection.send(response(if asked == expected { 0 } else { 2 }));
                    connection.pass_on_to(&server);
                }
            });
            let proxied = format!("{scheme}{}", proxy.address());
            let runner = configured(json!({"proxy": proxied, "ca_file": nginx.certificate()}));
            for _ in 0..2 {
                let page = get(&runner, json!({"url": url.replace("127.0.0.1", host)})).unwrap();
                assert_eq!(page["body"], "hello");
            }
            assert_eq!(proxy.accepted(), 1, "its connection is kept");
        }
    }
}

#[test]
fn the_ports_that_urls_leave_out_are_those_of_their_schemes() {
    for (url, expected) in [("http://server.invalid/", "server.invalid:80"), ("https://10.0.0.1/", "10.0.0.1:443")] {
        let proxy = Server::start(move |mut connection| {
            let asked = asked(&mut connection, NO_AUTHORIZATION);
            connection.send(response(if asked.as_deref() == Some(expected) { 5 } else { 1 }));
        });
        let runner = configured(json!({"proxy": format!("socks5://{}", proxy.address())}));
        let named = format!("the proxy socks5://{}: ", proxy.address());
        assert_failure(get(&runner, json!({"url": url})), code::CANNOT_CONNECT, &[url, &named, "refused"]);
    }
}

#[test]
fn one_that_refuses_is_named_without_its_password() {
    let says = |runner, what| {
        let result = get(&runner, json!({"url": "http://server.invalid/"}));
        assert!(result.as_ref().is_err_and(|(_, message)| !message.contains("word")), "{result:?}");
        assert_failure(result, code::CANNOT_CONNECT, &["the proxy socks5://127.0.0.1:", what]);
    };
    let through = |address: &str| configured(json!({"proxy": format!("socks5://me:word@{address}")}));
    says(through(&format!("127.0.0.1:{}", closed_port())), "Connection refused");
    for (first, what) in [(vec![5, 0xff], "SOCKS"), (vec![], "SOCKS"), (b"HTTP/1.1 400 Bad\r\n\r\n".to_vec(), "SOCKS")]
    {
        let proxy = Server::start(move |mut connection| {
            connection.bytes(3);
            connection.send(&first);
        });
        says(through(&proxy.address()), what);
    }
}
