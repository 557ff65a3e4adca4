//! A connection through a SOCKS 5 proxy, which looks the name of the server up itself, as `socks5h` says and as names
//! that only the proxy knows need it.

use std::future::{Ready, ready};
use std::io;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper_util::client::legacy::connect::proxy::SocksV5;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Where SOCKS proxies listen whose URL names no port.
const PORT: u16 = 1080;

/// Where the proxy is.
pub(super) fn address(proxy: &Intercept) -> Result<Uri, Failure> {
    with_port(proxy.uri(), PORT)
}

/// Asks the proxy, to which this is a connection, for one to the server of `uri`.
pub(super) async fn connect(
    tcp: TcpStream,
    proxy: &Intercept,
    uri: &Uri,
    encrypted: bool,
) -> Result<TcpStream, Failure> {
    let mut socks = SocksV5::new(proxy.uri().clone(), Made(Some(TokioIo::new(tcp))));
    if let Some((name, password)) = proxy.raw_auth() {
        socks = socks.with_auth(name.to_string(), password.to_string());
    }
    Ok(socks.call(with_port(uri, if encrypted { 443 } else { 80 })?).await?.into_inner())
}

/// The library would take a missing port for 443, whatever the scheme.
fn with_port(uri: &Uri, port: u16) -> Result<Uri, Failure> {
    let authority = format!("{}:{}", uri.host().unwrap_or(""), uri.port_u16().unwrap_or(port));
    Ok(Uri::builder().scheme("http").authority(authority).path_and_query("/").build()?)
}

/// A connection that was made before, so that why there is none is said as for every other.
struct Made(Option<TokioIo<TcpStream>>);

impl Service<Uri> for Made {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::Error::other("the connection was taken before")))
    }
}
