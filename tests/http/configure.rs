//! What all requests of a runner share: its configuration, and `http.configure`.

use palitra::http::code;
use palitra::{Options, Runner, Status};
use serde_json::{Value, json};

use crate::{Failure, assert_failure, get, page};
use palitra_test_support::nginx::{Nginx, closed_port};
use palitra_test_support::process::wait_until;
use palitra_test_support::scripted::Server;

fn configure(runner: &Runner, settings: Value) -> Result<Value, Failure> {
    page(runner, "http.configure", settings)
}

/// A runner that is made so.
pub(crate) fn configured(settings: Value) -> Runner {
    let config = json!({"http": settings}).to_string();
    Runner::with_options(Options { config, ..Options::default() }).unwrap()
}

fn body(runner: &Runner, request: Value) -> String {
    get(runner, request).unwrap()["body"].as_str().unwrap().to_string()
}

#[test]
fn the_user_agent_is_that_of_the_request_else_that_of_the_runner() {
    let (nginx, runner) = (Nginx::start(), configured(json!({"user_agent": "mine/1"})));
    let url = nginx.url("/echo");
    assert_eq!(body(&runner, json!({"url": url})), "GET|||mine/1|");
    assert_eq!(body(&runner, json!({"url": url, "headers": {"User-Agent": "its/2"}})), "GET|||its/2|");
    // What is left out is as if nothing had been configured.
    configure(&runner, json!({})).unwrap();
    assert_eq!(body(&runner, json!({"url": url})), concat!("GET|||palitra/", env!("CARGO_PKG_VERSION"), "|"));
}

#[test]
fn a_proxy_is_for_all_hosts_but_some() {
    let (nginx, proxy) = (Nginx::start(), Server::that_sends("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nproxy"));
    let settings = json!({"proxy": format!("http://me:word@{}", proxy.address()), "no_proxy": "127.0.0.1"});
    let runner = configured(settings);
    assert_eq!(body(&runner, json!({"url": "http://server.invalid/x"})), "proxy");
    let asked = proxy.requests()[0].to_ascii_lowercase();
    assert!(asked.starts_with("get http://server.invalid/x http/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nproxy-authorization: basic bwu6d29yza==\r\n"), "{asked}");
    assert!(asked.contains("\r\nhost: server.invalid\r\n"), "{asked}");
    assert_eq!(body(&runner, json!({"url": nginx.url("/hello")})), "hello");
    configure(&runner, json!({"proxy": ""})).unwrap();
    let result = get(&runner, json!({"url": "http://server.invalid/x"}));
    assert_failure(result, code::CANNOT_CONNECT, &["lookup"]);
}

/// A server that responds with its own name and the heads of what it is asked.
fn named(name: &'static str) -> Server {
    Server::start(move |mut connection| {
        while let Some(head) = connection.request() {
            connection.respond(&format!("{name} {head}"));
        }
    })
}

#[test]
fn a_proxy_that_is_accepted_is_used_however_its_url_is_written() {
    let (server, proxy, runner) = (named("server"), named("proxy"), Runner::new().unwrap());
    let (at, url) = (proxy.address(), server.url("/"));
    for proxy in [format!(" http://{at} "), format!("http:{at}"), format!("http:///{at}"), format!("HTTP://{at}/x y")] {
        configure(&runner, json!({"proxy": proxy})).unwrap();
        let body = body(&runner, json!({"url": url}));
        assert!(body.starts_with("proxy "), "{proxy:?}: {body}");
    }
    for password in ["wo^rd", "a|b", "{w}", "\"w", "a b", "wörd", "a%zz", "%25", "a@b"] {
        configure(&runner, json!({"proxy": format!("http://me:{password}@{at}")})).unwrap();
        // The same for the server, which the test sees beside that for the proxy.
        let password = if password == "%25" { "%" } else { password };
        let head = body(&runner, json!({"url": url, "basic": ["me", password]}));
        let value = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_string())
        };
        assert_eq!(value("proxy-authorization"), value("authorization"), "{password:?}: {head}");
        assert!(head.starts_with("proxy "), "{password:?}: {head}");
    }
    let closed = closed_port();
    for (proxy, says) in [
        (format!("SOCKS5://127.0.0.1:{closed}"), "the proxy socks5://127.0.0.1:"),
        ("http://pröxy.invalid:1".to_string(), "the proxy http://xn--prxy-6qa.invalid:1: "),
    ] {
        configure(&runner, json!({"proxy": proxy})).unwrap();
        assert_failure(get(&runner, json!({"url": url})), code::CANNOT_CONNECT, &[says]);
    }
    for proxy in [format!("socks5:{at}"), "socks5://pröxy.invalid".into(), format!("http://me:p#w@{at}")] {
        let result = configure(&runner, json!({"proxy": proxy}));
        assert_failure(result, code::INVALID_REQUEST, &["is no http, https or socks5 url"]);
    }
    assert_eq!(server.accepted(), 0, "nothing goes past a proxy");
}

#[test]
fn a_star_excepts_all_hosts_from_the_proxy() {
    let (server, proxy) = (named("server"), named("proxy"));
    for except in ["*", "a.invalid, *"] {
        let runner = configured(json!({"proxy": proxy.url(""), "no_proxy": except}));
        assert!(body(&runner, json!({"url": server.url("/")})).starts_with("server "), "{except}");
    }
}

#[test]
fn a_ca_file_is_trusted_in_place_of_the_systems_certificates() {
    let nginx = Nginx::start();
    let runner = configured(json!({"ca_file": nginx.certificate()}));
    assert_eq!(body(&runner, json!({"url": nginx.https_url("/hello")})), "hello");
    configure(&runner, json!({})).unwrap();
    let result = get(&runner, json!({"url": nginx.https_url("/hello")}));
    assert_failure(result, code::TLS, &["invalid peer certificate"]);
}

#[test]
fn a_server_gets_the_client_certificate_that_it_asks_for() {
    let nginx = Nginx::start();
    let mut settings = json!({"ca_file": nginx.certificate()});
    let runner = configured(settings.clone());
    let request = json!({"url": nginx.mutual_url("/")});
    assert_eq!(get(&runner, request.clone()).unwrap()["status"], 400, "it asks for one");
    settings["client_cert"] = json!(nginx.certificate());
    settings["client_key"] = json!(nginx.key());
    configure(&runner, settings).unwrap();
    assert_eq!(body(&runner, request), "CN=palitra");
}

#[test]
fn a_name_has_the_addresses_that_are_set() {
    let nginx = Nginx::start();
    let runner = configured(json!({"resolve": {"A.invalid": "127.0.0.1", "b.invalid": ["::1", "127.0.0.1"]}}));
    for name in ["a.invalid", "B.invalid"] {
        let url = nginx.url("/hello").replace("127.0.0.1", name);
        assert_eq!(body(&runner, json!({"url": url})), "hello");
    }
    assert_failure(get(&runner, json!({"url": "http://c.invalid/"})), code::CANNOT_CONNECT, &["lookup"]);
}

#[test]
fn so_many_requests_are_under_way_at_a_time_in_all_and_to_each_host() {
    for (settings, of_host, others_wait) in
        [(json!({"requests": 2}), 2, true), (json!({"requests_per_host": 3}), 3, false)]
    {
        let (nginx, runner) = (Nginx::start(), configured(settings));
        let silent = json!({"url": nginx.url("/silent")}).to_string();
        let tokens: Vec<_> = (0..5).map(|_| runner.submit_job("http.get", &*silent).unwrap()).collect();
        wait_until("they are under way", || nginx.connections().open >= of_host);
        let other = json!({"url": nginx.other_url("/secrets"), "timeout": 1, "timeout_includes_wait": true});
        let other = get(&runner, other);
        assert_eq!(other.is_err(), others_wait, "{other:?}");
        assert_eq!(nginx.connections().accepted, of_host + u64::from(!others_wait));
        // One that ends makes room for another.
        tokens[0].cancel();
        wait_until("the next is under way", || nginx.connections().accepted > of_host + u64::from(!others_wait));
        drop(tokens);
    }
}

#[test]
fn cookies_are_sent_back_if_that_is_wanted() {
    let nginx = Nginx::start();
    let (with, without) = (configured(json!({"cookies": true})), Runner::new().unwrap());
    for (runner, expected) in [(&with, "[][a=1; b=2]"), (&without, "[][]")] {
        get(runner, json!({"url": nginx.url("/cookies")})).unwrap();
        let cookies = body(runner, json!({"url": nginx.url("/secrets")}));
        let mut words: Vec<_> = cookies.trim_matches(['[', ']']).split("; ").collect();
        words.sort();
        assert_eq!(format!("[][{}]", words.join("; ").trim_start_matches("][")), expected, "{cookies}");
    }
    // A request with cookies of its own has no others.
    let own = json!({"url": nginx.url("/secrets"), "headers": {"cookie": "c=3"}});
    assert_eq!(body(&with, own), "[][c=3]");
    // Another host gets none.
    let url = nginx.url("/secrets").replace("127.0.0.1", "localhost");
    assert_eq!(body(&with, json!({"url": url})), "[][]");
}

/// A server whose pages set these cookies and show those that came.
fn with_cookies(set: impl Fn(&str) -> Vec<String> + Send + Sync + 'static) -> Server {
    Server::start(move |mut connection| {
        while let Some(head) = connection.request() {
            let set: String = set(&head).iter().map(|cookie| format!("set-cookie: {cookie}\r\n")).collect();
            let came = head.lines().find_map(|line| line.strip_prefix("cookie: ")).unwrap_or("");
            connection.send(format!("HTTP/1.1 200 OK\r\n{set}content-length: {}\r\n\r\n{came}", came.len()));
        }
    })
}

#[test]
fn a_cookie_for_a_whole_top_level_domain_is_not_kept() {
    let server = with_cookies(|_| vec!["a=1; Domain=test".into(), "b=2; Domain=.test".into()]);
    let hosts = ["one.test", "other.test", "test", "under.test"];
    let resolve: Value = hosts.iter().map(|host| (host.to_string(), json!("127.0.0.1"))).collect();
    let runner = configured(json!({"cookies": true, "resolve": resolve}));
    let came = |host: &str| body(&runner, json!({"url": server.url("/").replace("127.0.0.1", host)}));
    assert_eq!((came("one.test"), came("one.test"), came("other.test")), (String::new(), String::new(), String::new()));
    // A host of one word may name itself, and means nobody else.
    came("test");
    assert_eq!((came("test").len(), came("under.test").len()), ("a=1; b=2".len(), 0));
}

#[test]
fn cookies_are_bounded_in_size_and_number() {
    let large = with_cookies(|_| {
        let mut cookies: Vec<_> = (0..5).map(|n| format!("c{n}={}", "v".repeat(3900))).collect();
        cookies.push(format!("larger={}", "v".repeat(4096)));
        cookies
    });
    let runner = configured(json!({"cookies": true}));
    body(&runner, json!({"url": large.url("/")}));
    let came = body(&runner, json!({"url": large.url("/")}));
    assert_eq!(came.matches('=').count(), 2, "a line of {} bytes", came.len());
    assert!(!came.contains("larger"));

    // Three pages set sixty each, of which those of the first expire. Another client: cookies are for all ports.
    let runner = configured(json!({"cookies": true}));
    let many = with_cookies(|head| {
        let page = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_string();
        let expire = if page == "0-again" { "; Max-Age=0" } else { "" };
        (0..60).map(|n| format!("p{}-{n}=x{expire}", &page[..1])).collect()
    });
    let visit = |page: &str| {
        let came = body(&runner, json!({"url": many.url(&format!("/{page}"))}));
        if came.is_empty() { 0 } else { came.split("; ").count() }
    };
    let counts = ["0", "1", "2", "2", "0-again", "2", "2"].map(visit);
    assert_eq!(counts, [0, 60, 120, 150, 150, 90, 120]);
}

#[test]
fn cookies_of_a_redirect_are_kept() {
    let server = Server::start(|mut connection| {
        while let Some(head) = connection.request() {
            if head.starts_with("GET /login") {
                connection
                    .send("HTTP/1.1 302 Found\r\nset-cookie: id=7; Path=/\r\nlocation: /\r\ncontent-length: 0\r\n\r\n");
            } else {
                connection.respond(&head);
            }
        }
    });
    let runner = configured(json!({"cookies": true}));
    let head = body(&runner, json!({"url": server.url("/login")}));
    assert!(head.contains("\r\ncookie: id=7\r\n"), "{head}");
    assert_eq!(server.accepted(), 1, "a redirect keeps its connection");
}

#[test]
fn a_setting_that_does_not_fit_says_so_and_changes_nothing() {
    let nginx = Nginx::start();
    let runner = configured(json!({"user_agent": "mine/1"}));
    let cases = [
        (json!({"user_agent": "a\nb"}), "user_agent"),
        (json!({"proxy": "socks4://x"}), "the proxy \"socks4://x\" is no http, https or socks5 url"),
        (json!({"idle_timeout": 0}), "\"idle_timeout\" is 0 seconds; more than 0"),
        (json!({"proxy": "http://me:word@["}), "the proxy \"http://...@[\""),
        (json!({"no_proxy": "x"}), "\"no_proxy\" without \"proxy\""),
        (json!({"ca_file": "/nonexistent"}), "\"ca_file\": \"/nonexistent\": "),
        (json!({"ca_file": nginx.key()}), "no certificate in PEM"),
        (json!({"client_cert": nginx.certificate()}), "\"client_key\": "),
        (json!({"client_key": nginx.key()}), "\"client_key\" without \"client_cert\""),
        (json!({"resolve": {"a": "b"}}), "\"resolve\": \"b\" is not an IP address"),
        (json!({"resolve": {"a": []}}), "\"resolve\": no address for \"a\""),
        (json!({"requests": 0}), "\"requests\" is 0; 1 to"),
        (json!({"requests_per_host": 10_000_000}), "\"requests_per_host\" is 10000000"),
    ];
    for (settings, says) in cases {
        assert_failure(configure(&runner, settings), code::INVALID_REQUEST, &[says]);
    }
    let result = configure(&runner, json!({"agent": "x"}));
    assert_failure(result, 0, &["unknown field `agent`"]);
    assert_eq!(body(&runner, json!({"url": nginx.url("/echo")})), "GET|||mine/1|");
}

#[test]
fn requests_that_are_under_way_go_on() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let slow = json!({"url": nginx.url("/slow"), "timeout": 1000}).to_string();
    let token = runner.submit_job("http.bytes", slow).unwrap();
    wait_until("it is under way", || nginx.connections().writing == 1);
    configure(&runner, json!({"user_agent": "mine/1"})).unwrap();
    assert_eq!(token.poll().unwrap_err().status(), Status::Pending);
    assert_eq!(nginx.connections().writing, 1);
}
