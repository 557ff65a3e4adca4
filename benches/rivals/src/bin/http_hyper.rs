//! GETs of one page with keep-alive by bare hyper, on a current-thread runtime: so many connections, each with one
//! request at a time. It parses no JSON, checks no url, knows no proxy, follows no redirect and has no timeout.
//!
//!     http_hyper hyper URL REQUESTS IN_FLIGHT      prints microseconds a request, and of the processors
//!
//! Run by benches/http_report.py.

use std::cell::Cell;
use std::error::Error;
use std::fs;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};

type Failure = Box<dyn Error>;

async fn connect(uri: &Uri) -> Result<SendRequest<Empty<Bytes>>, Failure> {
    let tcp = TcpStream::connect((uri.host().ok_or("no host")?, uri.port_u16().unwrap_or(80))).await?;
    tcp.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(tcp)).await?;
    tokio::task::spawn_local(connection);
    Ok(sender)
}

/// Requests over one connection, until none is left.
async fn work(uri: Uri, mut sender: SendRequest<Empty<Bytes>>, left: Rc<Cell<usize>>) -> Result<(), Failure> {
    let host = uri.authority().ok_or("no host")?.to_string();
    let path = uri.path().to_string();
    while let Some(fewer) = left.get().checked_sub(1) {
        left.set(fewer);
        let request = Request::get(&path).header("host", &host).header("accept", "*/*").body(Empty::new())?;
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        let mut body = Vec::new();
        let mut incoming = response.into_body();
        while let Some(frame) = incoming.frame().await {
            body.extend_from_slice(frame?.data_ref().ok_or("a trailer")?);
        }
        if body.is_empty() {
            return Err("an empty body".into());
        }
    }
    Ok(())
}

/// Sends the requests; the microseconds of each, and of the processors.
async fn run(uri: &Uri, requests: usize, in_flight: usize) -> Result<(f64, f64), Failure> {
    let mut senders = Vec::new();
    for _ in 0..in_flight {
        senders.push(connect(uri).await?);
    }
    let left = Rc::new(Cell::new(requests));
    let (began, processors) = (Instant::now(), processor_time()?);
    let mut workers = JoinSet::new();
    for sender in senders {
        let work = work(uri.clone(), sender, Rc::clone(&left));
        workers.spawn_local(async move { work.await.map_err(|error| error.to_string()) });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    let took = began.elapsed().as_secs_f64() * 1e6;
    Ok((took / requests as f64, (processor_time()? - processors) / requests as f64))
}

/// Of this thread, in microseconds: there is no other.
fn processor_time() -> Result<f64, Failure> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(statistics.split(' ').next().ok_or("no schedstat")?.parse::<f64>()? / 1e3)
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, _, url, requests, in_flight] = &arguments[..] else {
        return Err("hyper URL REQUESTS IN_FLIGHT".into());
    };
    let (uri, requests, in_flight) = (url.parse()?, requests.parse()?, in_flight.parse()?);
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let (took, used) = LocalSet::new().block_on(&runtime, run(&uri, requests, in_flight))?;
    println!("{took:.3} {used:.3}");
    Ok(())
}
