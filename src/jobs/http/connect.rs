//! How a connection comes about: directly or through a proxy, plain or encrypted.
//!
//! The proxies are those of the environment, read when the client is made. A proxy that refuses is named in the error,
//! so that nobody looks for the fault at the server.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::resolve::Resolver;
use super::shown::short;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Silence on a connection after which the system asks whether the other side is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The longest head that a proxy may respond with to the request for a tunnel.
const LONGEST_TUNNEL_HEAD: usize = 8 << 10;

/// Makes the connections of one client.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector<Resolver>,
    tls: Arc<ClientConfig>,
    proxies: Arc<Matcher>,
}

impl Connector {
    pub(super) fn new(tls: ClientConfig) -> Connector {
        let mut tcp = HttpConnector::new_with_resolver(Resolver::new());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        Connector { tcp, tls: Arc::new(tls), proxies: Arc::new(Matcher::from_env()) }
    }

    /// What a request to this URI tells its proxy, if it goes through one unencrypted. A tunnel's proxy was told when
    /// the tunnel was made.
    pub(super) fn proxy_authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        if uri.scheme() == Some(&Scheme::HTTPS) {
            return None;
        }
        self.proxies.intercept(uri)?.basic_auth().cloned()
    }

    async fn connect(mut self, uri: Uri) -> Result<Stream, Failure> {
        let encrypted = uri.scheme() == Some(&Scheme::HTTPS);
        let Some(proxy) = self.proxies.intercept(&uri) else {
            let tcp = self.tcp.call(uri.clone()).await?.into_inner();
            return if encrypted { self.encrypt(tcp, &uri).await } else { Ok(Stream::new(tcp, false)) };
        };
        let named = |error: Failure| Failure::from(ProxyError { proxy: shown(proxy.uri()), error });
        match proxy.uri().scheme_str() {
            Some("http") => {
                let tcp = self.tcp.call(proxy.uri().clone()).await.map_err(|error| named(error.into()))?.into_inner();
                self.through(tcp, &proxy, uri, encrypted).await
            }
            Some("https") => {
                let tcp = self.tcp.call(proxy.uri().clone()).await.map_err(|error| named(error.into()))?.into_inner();
                let tls = self.handshake(tcp, proxy.uri()).await.map_err(named)?;
                self.through(tls, &proxy, uri, encrypted).await
            }
            other => Err(named(format!("proxies of the kind {:?} are not supported", other.unwrap_or("")).into())),
        }
    }

    /// Goes on behind a proxy: with requests to the proxy itself, or in a tunnel.
    async fn through<T>(&self, mut io: T, proxy: &Intercept, uri: Uri, encrypted: bool) -> Result<Stream, Failure>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if !encrypted {
            return Ok(Stream::new(io, true));
        }
        tunnel(&mut io, &uri, proxy.basic_auth())
            .await
            .map_err(|error| Failure::from(ProxyError { proxy: shown(proxy.uri()), error: error.into() }))?;
        self.encrypt(io, &uri).await
    }

    async fn encrypt<T>(&self, io: T, uri: &Uri) -> Result<Stream, Failure>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Ok(Stream::new(self.handshake(io, uri).await?, false))
    }

    async fn handshake<T>(&self, io: T, uri: &Uri) -> Result<tokio_rustls::client::TlsStream<T>, Failure>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        // The brackets of an IPv6 address belong to the URI.
        let host = uri.host().unwrap_or("").trim_start_matches('[').trim_end_matches(']').to_string();
        Ok(TlsConnector::from(Arc::clone(&self.tls)).connect(ServerName::try_from(host)?, io).await?)
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// Asks the proxy for a tunnel to the server.
async fn tunnel<T>(io: &mut T, uri: &Uri, authorization: Option<&HeaderValue>) -> Result<(), io::Error>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let server = format!("{}:{}", uri.host().unwrap_or(""), uri.port_u16().unwrap_or(443));
    let mut request = format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n").into_bytes();
    if let Some(value) = authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    io.write_all(&request).await?;
    io.flush().await?;
    // Byte by byte: what follows the head is the server's, and the head is some hundred bytes, once a connection.
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LONGEST_TUNNEL_HEAD {
            return Err(io::Error::other("its response has no end"));
        }
        match io.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(io::Error::other("it closed the connection when asked for a tunnel"));
            }
            Err(error) => return Err(error),
        }
    }
    let line = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    let mut words = line.split(' ');
    match (words.next(), words.next()) {
        (Some("HTTP/1.1" | "HTTP/1.0"), Some(status)) if status.len() == 3 && status.starts_with('2') => Ok(()),
        _ => Err(io::Error::other(format!("it refused a tunnel: {:?}", short(&line)))),
    }
}

/// A proxy that cannot be used, and why.
#[derive(Debug)]
pub(super) struct ProxyError {
    proxy: String,
    error: Failure,
}

impl std::fmt::Display for ProxyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the proxy {}", self.proxy)
    }
}

impl std::error::Error for ProxyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.error)
    }
}

/// A proxy's address, without name and password.
fn shown(proxy: &Uri) -> String {
    let port = proxy.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}://{}{port}", proxy.scheme_str().unwrap_or("http"), proxy.host().unwrap_or(""))
}

trait Io: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Io for T {}

/// One connection.
pub(super) struct Stream {
    io: Box<dyn Io>,
    /// Requests go to a proxy, and name the server.
    to_proxy: bool,
    kept: Kept,
}

/// Whether a connection has brought a response before: if it then breaks, it may just have been closed.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<AtomicBool>);

impl Kept {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Stream {
    fn new(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, to_proxy: bool) -> Stream {
        Stream { io: Box::new(TokioIo::new(io)), to_proxy, kept: Kept::default() }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.to_proxy).extra(self.kept.clone())
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.io).poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.io).poll_write_vectored(cx, bytes)
    }
}
