//! What a host sets for all requests of a runner, checked: who is asked, who is trusted, how many at a time.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::HeaderValue;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::code;
use super::payload::{Addresses, Configure};
use super::proxies::Proxies;
use super::request::seconds;
use super::shown::{short, shown};
use crate::reply::JobError;

/// Requests of one runner that are under way at a time. Each is a connection; a process commonly has 1024 file
/// descriptors for everything.
const UNDER_WAY: usize = 256;
/// As many as the semaphore counts, and more than any process has descriptors.
const MOST_UNDER_WAY: usize = 1 << 20;
/// How long a connection is kept that nobody uses. Servers close theirs after a minute or so.
const IDLE: Duration = Duration::from_secs(90);

/// What a client is made of.
pub(super) struct Settings {
    pub(super) user_agent: HeaderValue,
    pub(super) proxies: Proxies,
    /// In place of the system's certificates.
    pub(super) verifier: Option<Arc<dyn ServerCertVerifier>>,
    pub(super) identity: Option<Identity>,
    /// The addresses of names, which are not looked up.
    pub(super) addresses: HashMap<String, Vec<IpAddr>>,
    pub(super) requests: usize,
    pub(super) requests_per_host: Option<usize>,
    pub(super) cookies: bool,
    /// How long a connection is kept that nobody uses.
    pub(super) idle: Duration,
    /// How many such connections are kept.
    pub(super) idle_connections: usize,
}

/// A certificate with those that vouch for it, and its key.
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            user_agent: HeaderValue::from_static(concat!("palitra/", env!("CARGO_PKG_VERSION"))),
            proxies: Proxies::from_environment(),
            verifier: None,
            identity: None,
            addresses: HashMap::new(),
            requests: UNDER_WAY,
            requests_per_host: None,
            cookies: false,
            idle: IDLE,
            idle_connections: UNDER_WAY,
        }
    }
}

impl Settings {
    /// Checks every field; the first that does not fit is the failure. Reads files.
    pub(super) fn read(fields: Configure, provider: &Arc<CryptoProvider>) -> Result<Settings, JobError> {
        let mut settings = Settings::default();
        if let Some(user_agent) = fields.user_agent {
            settings.user_agent = HeaderValue::from_str(&user_agent)
                .map_err(|_| code::invalid("\"user_agent\" holds a line break or another control character"))?;
        }
        settings.proxies = proxies(fields.proxy.as_deref(), fields.no_proxy.as_deref())?.unwrap_or(settings.proxies);
        settings.verifier = fields.ca_file.map(|file| verifier(&file, provider)).transpose()?;
        settings.identity = match (fields.client_cert, fields.client_key) {
            (Some(certificate), key) => Some(identity(&certificate, key.as_deref().unwrap_or(&certificate))?),
            (None, Some(_)) => return Err(code::invalid("\"client_key\" without \"client_cert\"")),
            (None, None) => None,
        };
        settings.addresses = addresses(fields.resolve.unwrap_or_default())?;
        settings.requests = at_a_time("requests", fields.requests)?.unwrap_or(UNDER_WAY);
        settings.requests_per_host = at_a_time("requests_per_host", fields.requests_per_host)?;
        settings.cookies = fields.cookies.unwrap_or(false);
        settings.idle = fields.idle_timeout.map_or(Ok(IDLE), |idle| seconds("\"idle_timeout\"", idle))?;
        // Requests that are under way together find their connections again.
        settings.idle_connections =
            at_a_time("idle_connections", fields.idle_connections)?.unwrap_or(settings.requests.max(UNDER_WAY));
        Ok(settings)
    }
}

/// The proxy for all hosts but some; `None` leaves it to the environment.
fn proxies(proxy: Option<&str>, except: Option<&str>) -> Result<Option<Proxies>, JobError> {
    let Some(proxy) = proxy else {
        let alone = except.is_some().then(|| code::invalid("\"no_proxy\" without \"proxy\""));
        return alone.map_or(Ok(None), Err);
    };
    let wrong = || code::invalid(format_args!("the proxy {:?} is no http, https or socks5 url", shown(proxy)));
    Proxies::set(proxy, except.unwrap_or("")).map(Some).ok_or_else(wrong)
}

/// Trusts who is vouched for by these certificates.
fn verifier(file: &str, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, JobError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca_file", file)? {
        roots.add(certificate).map_err(|error| unreadable("ca_file", file, &error))?;
    }
    let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    Ok(built.map_err(|error| unreadable("ca_file", file, &error))?)
}

fn identity(certificate: &str, key: &str) -> Result<Identity, JobError> {
    let chain = certificates("client_cert", certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("client_key", key, &error))?;
    Ok(Identity { chain, key })
}

fn certificates(field: &str, file: &str) -> Result<Vec<CertificateDer<'static>>, JobError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unreadable(field, file, &error))?;
    if found.is_empty() { Err(unreadable(field, file, &"no certificate in PEM is in it")) } else { Ok(found) }
}

fn unreadable(field: &str, file: &str, why: &dyn std::fmt::Display) -> JobError {
    code::invalid(format_args!("\"{field}\": {:?}: {why}", short(file)))
}

fn addresses(fields: BTreeMap<String, Addresses>) -> Result<HashMap<String, Vec<IpAddr>>, JobError> {
    let mut addresses = HashMap::new();
    for (name, texts) in fields {
        let texts = match texts {
            Addresses::One(text) => vec![text],
            Addresses::Many(texts) => texts,
        };
        let parse = |text: &String| {
            let wrong = || code::invalid(format_args!("\"resolve\": {:?} is not an IP address", short(text)));
            text.parse::<IpAddr>().map_err(|_| wrong())
        };
        let found = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        if found.is_empty() {
            return Err(code::invalid(format_args!("\"resolve\": no address for {:?}", short(&name))));
        }
        addresses.insert(name.to_ascii_lowercase(), found);
    }
    Ok(addresses)
}

fn at_a_time(field: &str, number: Option<usize>) -> Result<Option<usize>, JobError> {
    match number {
        Some(number) if number == 0 || number > MOST_UNDER_WAY => {
            Err(code::invalid(format_args!("\"{field}\" is {number}; 1 to {MOST_UNDER_WAY} are allowed")))
        }
        number => Ok(number),
    }
}
