//! Which requests go through which proxy: the one that the host has set, else those of the environment.
//!
//! The library that chooses among them ignores what it does not understand, and a request that was to go through a
//! proxy would go past it. So what it is given is checked: a setting is refused, and what a variable of the environment
//! sends to a proxy that cannot be used fails.

use std::env;

use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use url::Url;

use super::socks::Failure;

/// Stands in the place of a proxy that cannot be used. Nothing goes there.
const UNUSABLE: &str = "http://unusable.invalid/";

/// The proxies of one client.
pub(super) struct Proxies {
    matcher: Matcher,
    /// The variable whose proxy would get plain requests and cannot be used.
    unusable_http: Option<&'static str>,
    /// The same for encrypted ones.
    unusable_https: Option<&'static str>,
}

/// A proxy that the host has set, or that a variable of the environment names.
#[derive(Clone, Default)]
struct Named {
    proxy: String,
    /// The variable, if its proxy cannot be used.
    unusable: Option<&'static str>,
}

impl Proxies {
    /// This proxy for all hosts but some; `None` if it cannot be used. An empty one is none.
    pub(super) fn set(proxy: &str, except: &str) -> Option<Proxies> {
        let proxy = match proxy {
            "" => String::new(),
            proxy => {
                let url = Url::parse(proxy).ok()?;
                matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h").then(|| usable(url))??
            }
        };
        let named = Named { proxy, unusable: None };
        Some(Proxies::new(named.clone(), named, except))
    }

    /// Those that the environment names, as curl reads it.
    pub(super) fn from_environment() -> Proxies {
        // In CGI a client's header "Proxy" is in HTTP_PROXY.
        let is_cgi = env::var_os("REQUEST_METHOD").is_some();
        let of_http = if is_cgi { &["http_proxy"][..] } else { &["HTTP_PROXY", "http_proxy"] };
        let all = named(&["ALL_PROXY", "all_proxy"]).unwrap_or_default();
        let http = named(of_http).unwrap_or_else(|| all.clone());
        let https = named(&["HTTPS_PROXY", "https_proxy"]).unwrap_or(all);
        let except = ["NO_PROXY", "no_proxy"].iter().find_map(|name| env::var(name).ok());
        Proxies::new(http, https, &except.unwrap_or_default())
    }

    fn new(http: Named, https: Named, except: &str) -> Proxies {
        // The library takes a star for all names, and for no address.
        let is_for_none = except.split(',').any(|host| host.trim() == "*");
        let (http, https) = if is_for_none { Default::default() } else { (http, https) };
        let matcher = Matcher::builder().http(http.proxy).https(https.proxy).no(except).build();
        Proxies { matcher, unusable_http: http.unusable, unusable_https: https.unusable }
    }

    /// The proxy for requests to this server, if there is to be one.
    pub(super) fn of(&self, server: &Uri) -> Result<Option<Intercept>, Failure> {
        let Some(proxy) = self.matcher.intercept(server) else { return Ok(None) };
        let unusable = if server.scheme_str() == Some("https") { self.unusable_https } else { self.unusable_http };
        match unusable {
            Some(name) => Err(format!("the environment variable {name} names no proxy that can be used").into()),
            None => Ok(Some(proxy)),
        }
    }
}

/// The proxy that the first of these variables which is set names; `None` if it names none.
fn named(names: &[&'static str]) -> Option<Named> {
    let (name, value) = names.iter().find_map(|name| Some((*name, env::var_os(name)?)))?;
    let value = value.to_string_lossy();
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let url = if value.contains("://") { Url::parse(value) } else { Url::parse(&format!("http://{value}")) };
    Some(match url.ok().and_then(usable) {
        Some(proxy) => Named { proxy, unusable: None },
        None => Named { proxy: UNUSABLE.to_string(), unusable: Some(name) },
    })
}

/// The url as the library understands it, whatever stands in its password; `None` if it does not.
fn usable(url: Url) -> Option<String> {
    let matcher = Matcher::builder().all(url.as_str()).build();
    matcher.intercept(&Uri::from_static("http://any.invalid/")).is_some().then(|| url.into())
}
