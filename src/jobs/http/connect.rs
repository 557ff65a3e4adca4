//! How a connection comes about: directly or through a proxy, plain or encrypted.
//!
//! A proxy that refuses is named in the error,
//! so that nobody looks for the fault at the server.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::proxies::Proxies;
use super::resolve::Resolver;
use super::shown::short;
use super::socks::{self, Failure};

/// Silence on a connection after which the system asks whether the other side is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The longest head that a proxy may respond with to the request for a tunnel.
const LONGEST_TUNNEL_HEAD: usize = 8 << 10;

/// Makes the connections of one client.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector<Resolver>,
    tls: Arc<ClientConfig>,
    proxies: Arc<Proxies>,
}

impl Connector {
    pub(super) fn new(tls: ClientConfig, proxies: Proxies, addresses: HashMap<String, Vec<IpAddr>>) -> Connector {
        let mut tcp = HttpConnector::new_with_resolver(Resolver::new(addresses));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        Connector { tcp, tls: Arc::new(tls), proxies: Arc::new(proxies) }
    }

    /// A connection to the server of this URI, and what requests over it say, if they go to a proxy.
    pub(super) async fn connect(&self, uri: Uri) -> Result<(Stream, Option<ToProxy>), Failure> {
        let encrypted = uri.scheme() == Some(&Scheme::HTTPS);
        let Some(proxy) = self.proxies.of(&uri)? else {
            let tcp = self.tcp(uri.clone()).await?;
            return Ok((if encrypted { self.encrypt(tcp, &uri).await? } else { Stream::new(tcp) }, None));
        };
        let named = |error: Failure| Failure::from(ProxyError { proxy: shown(proxy.uri()), error });
        match proxy.uri().scheme_str() {
            Some("http") => {
                let tcp = self.tcp(proxy.uri().clone()).await.map_err(named)?;
                self.through(tcp, &proxy, uri, encrypted).await
            }
            Some("https") => {
                let tcp = self.tcp(proxy.uri().clone()).await.map_err(named)?;
                let tls = self.handshake(tcp, proxy.uri()).await.map_err(named)?;
                self.through(tls, &proxy, uri, encrypted).await
            }
            Some("socks5" | "socks5h") => {
                let tcp = self.tcp(socks::address(&proxy)?).await.map_err(named)?;
                let tcp = socks::connect(tcp, &proxy, &uri, encrypted).await.map_err(named)?;
                Ok((if encrypted { self.encrypt(tcp, &uri).await? } else { Stream::new(tcp) }, None))
            }
            other => Err(named(format!("proxies of the kind {:?} are not supported", other.unwrap_or("")).into())),
        }
    }

    async fn tcp(&self, uri: Uri) -> Result<TcpStream, Failure> {
        Ok(self.tcp.clone().call(uri).await?.into_inner())
    }

    /// Goes on behind a proxy: with requests to the proxy itself, or in a tunnel.
    async fn through<T>(
        &self,
        mut io: T,
        proxy: &Intercept,
        uri: Uri,
        encrypted: bool,
    ) -> Result<(Stream, Option<ToProxy>), Failure>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if !encrypted {
            return Ok((Stream::new(io), Some(ToProxy { authorization: proxy.basic_auth().cloned() })));
        }
        tunnel(&mut io, &uri, proxy.basic_auth())
            .await
            .map_err(|error| Failure::from(ProxyError { proxy: shown(proxy.uri()), error: error.into() }))?;
        Ok((self.encrypt(io, &uri).await?, None))
    }

    async fn encrypt<T>(&self, io: T, uri: &Uri) -> Result<Stream, Failure>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Ok(Stream::new(self.handshake(io, uri).await?))
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

/// What requests say that go to a proxy themselves, and not through a tunnel: they name their server, too.
#[derive(Clone, Debug)]
pub(super) struct ToProxy {
    pub(super) authorization: Option<HeaderValue>,
}

/// One connection, plain or encrypted.
pub(super) struct Stream(Box<dyn Io>);

impl Stream {
    fn new(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Stream {
        Stream(Box::new(TokioIo::new(io)))
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write_vectored(cx, bytes)
    }
}
