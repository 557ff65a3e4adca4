//! Encrypted connections: who is trusted, and what is said of the others.

use std::path::Path;
use std::process::Command;

use palitra::Runner;
use palitra::http::code;
use serde_json::json;

use crate::{assert_failure, checked, get};
use palitra_test_support::nginx::{Nginx, PATIENCE};

#[test]
fn a_certificate_that_nobody_vouches_for_is_a_tls_failure() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let url = nginx.https_url("/hello");
    assert_failure(get(&runner, json!({"url": url})), code::TLS, &[&url, "invalid peer certificate"]);
}

#[test]
fn tls_to_a_server_that_speaks_none_is_a_tls_failure() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let url = nginx.url("/hello").replace("http:", "https:");
    assert_failure(get(&runner, json!({"url": url})), code::TLS, &[&url, "corrupt message"]);
}

#[test]
fn a_certificate_in_ssl_cert_file_is_trusted() {
    let nginx = Nginx::start();
    in_a_process_that_trusts(&nginx.certificate(), "child_that_fetches_over_tls", &nginx);
}

#[test]
fn a_machine_without_certificates_still_speaks_plain_http() {
    let nginx = Nginx::start();
    in_a_process_that_trusts(Path::new("/nonexistent"), "child_without_certificates", &nginx);
}

#[test]
#[ignore = "the child of a_certificate_in_ssl_cert_file_is_trusted"]
fn child_that_fetches_over_tls() {
    let runner = Runner::new().unwrap();
    let request = json!({"url": std::env::var("PALITRA_TEST_HTTPS").unwrap()}).to_string();
    let tokens: Vec<_> = (0..100).map(|_| runner.submit_job("http.bytes", &*request).unwrap()).collect();
    for reply in runner.gather_jobs(&tokens, Some(PATIENCE)).unwrap() {
        assert_eq!(checked(reply).unwrap().data(), b"hello");
    }
}

#[test]
#[ignore = "the child of a_machine_without_certificates_still_speaks_plain_http"]
fn child_without_certificates() {
    let runner = Runner::new().unwrap();
    assert_eq!(get(&runner, json!({"url": std::env::var("PALITRA_TEST_HTTP").unwrap()})).unwrap()["body"], "hello");
    let result = get(&runner, json!({"url": std::env::var("PALITRA_TEST_HTTPS").unwrap()}));
    assert_failure(result, code::TLS, &["No CA certificates were loaded from the system"]);
}

/// Runs one of the ignored tests in a process with an environment of its own.
fn in_a_process_that_trusts(certificates: &Path, child: &str, nginx: &Nginx) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("tls::{child}"), "--ignored"])
        .env("SSL_CERT_FILE", certificates)
        .env_remove("SSL_CERT_DIR")
        .env("PALITRA_TEST_HTTP", nginx.url("/hello"))
        .env("PALITRA_TEST_HTTPS", nginx.https_url("/hello"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
