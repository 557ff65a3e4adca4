//! A server on a free loopback port that does what a test says, also what no HTTP server would do.
//!
//! [`Server::start`] takes what to do with each connection, which runs on a thread of its own. A connection that does
//! nothing for [`PATIENCE`] ends, and dropping the server ends all of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::nginx::PATIENCE;

/// A running server.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    ends: AtomicBool,
    accepted: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

/// One connection of a client.
pub struct Connection {
    /// Which connection of the server's it is, from 0 on.
    pub number: usize,
    stream: TcpStream,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts it.
    pub fn start(serve: impl Fn(Connection) + Send + Sync + 'static) -> Server {
        Server::listening("127.0.0.1:0", serve)
    }

    /// Starts it at every address of this machine, of which the loopback has sixteen million; its own is `0.0.0.0`.
    pub fn on_all_addresses(serve: impl Fn(Connection) + Send + Sync + 'static) -> Server {
        Server::listening("0.0.0.0:0", serve)
    }

    fn listening(at: &str, serve: impl Fn(Connection) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind(at).expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let serve = Arc::new(serve);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if theirs.ends.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let number = theirs.accepted.fetch_add(1, Ordering::SeqCst);
                stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
                stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
                let connection = Connection { number, stream, shared: Arc::clone(&theirs) };
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(connection));
            }
        });
        Server { address, shared, accepting: Some(accepting) }
    }

    /// A server that sends these bytes to each request, and then closes the connection.
    pub fn that_sends(response: impl Into<Vec<u8>>) -> Server {
        let response = response.into();
        Server::start(move |mut connection| {
            if connection.request().is_some() {
                connection.send(&response);
            }
        })
    }

    /// `http://127.0.0.1:PORT` and the path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// How many connections came so far.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// The heads of the requests that were read so far.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Connection {
    /// Reads a request with its body and returns its head; `None` if the client closes. A server that closes with a
    /// part of the request unread resets the connection, and the client may lose the response.
    pub fn request(&mut self) -> Option<String> {
        let head = self.head()?;
        let lower = head.to_ascii_lowercase();
        if lower.contains("\r\ntransfer-encoding: chunked\r\n") {
            self.until("0\r\n\r\n")?;
        }
        let length = lower.split("content-length:").nth(1).and_then(|rest| rest.split("\r\n").next());
        self.bytes(length.and_then(|length| length.trim().parse().ok()).unwrap_or(0))?;
        Some(head)
    }

    /// Reads the head of a request, which [`Server::requests`] keeps, and nothing of its body.
    pub fn head(&mut self) -> Option<String> {
        let head = String::from_utf8_lossy(&self.until("\r\n\r\n")?).into_owned();
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
        Some(head)
    }

    fn until(&mut self, end: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end.as_bytes()) {
            bytes.push(self.byte()?);
        }
        Some(bytes)
    }

    /// Reads so many bytes; `None` if the client closes before.
    pub fn bytes(&mut self, count: usize) -> Option<Vec<u8>> {
        (0..count).map(|_| self.byte()).collect()
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        matches!(self.stream.read(&mut byte), Ok(1)).then_some(byte[0])
    }

    /// Sends these bytes; whether the client still takes them.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends a response with this body, after which the connection is kept.
    pub fn respond(&mut self, body: &str) -> bool {
        self.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
    }

    /// Passes what comes on to this address, and back what comes from there, until either ends.
    pub fn pass_on_to(self, address: &str) {
        let server = TcpStream::connect(address).expect("a server to pass on to");
        let copy = |mut from: &TcpStream, mut to: &TcpStream| {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        };
        std::thread::scope(|scope| {
            scope.spawn(|| copy(&self.stream, &server));
            copy(&server, &self.stream);
            let _ = self.stream.shutdown(std::net::Shutdown::Both);
        });
    }

    /// Waits until the client closes the connection; `false` if it does not.
    pub fn is_closed_by_client(&mut self) -> bool {
        let mut bytes = [0; 1024];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    }
}
