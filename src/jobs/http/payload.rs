//! The payloads of the HTTP jobs, as hosts write them in JSON.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Values by name, of a query or a form: texts, numbers, booleans, and lists of them for a name that comes several
/// times.
pub type Fields = BTreeMap<String, Field>;

/// One of [`Fields`].
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected a string, a number, a boolean or a list of them")]
pub enum Field {
    /// As it is.
    Text(String),
    /// As JSON writes it.
    Number(serde_json::Number),
    /// `true` or `false`.
    Flag(bool),
    /// The name once for each.
    Many(Vec<Field>),
}

/// The payload of a job: the fields that all have, and its own.
macro_rules! payload {
    ($(#[$attribute:meta])* $name:ident { $($(#[$own_attribute:meta])* $own:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Debug, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// An absolute URL, `http` or `https`. A name and password in it are sent as Basic authorization.
            pub url: String,
            /// Sent as they are. Lengths are set by the client.
            pub headers: Option<BTreeMap<String, String>>,
            $($(#[$own_attribute])* pub $own: $type,)*
            /// Added to the query of the URL, in the order of the names.
            pub query: Option<Fields>,
            /// A name and a password, sent as Basic authorization.
            pub basic: Option<(String, String)>,
            /// A token, sent as Bearer authorization.
            pub bearer: Option<String>,
            /// Seconds from the first connection to the end of the body, redirects included; 30 if left out.
            pub timeout: Option<f64>,
            /// Whether the timeout runs from the submission on, and covers the wait for a turn; else it runs from the
            /// turn on.
            pub timeout_includes_wait: Option<bool>,
            /// The largest body that is accepted, unpacked; 64 MiB if left out.
            pub max_bytes: Option<u64>,
            /// How many redirects are followed, 10 if left out; with 0 the redirect itself is the response.
            pub redirects: Option<u32>,
        }

        impl $name {
            /// Moves out what all payloads have.
            pub(super) fn common(&mut self) -> Common {
                Common {
                    url: std::mem::take(&mut self.url),
                    headers: self.headers.take().unwrap_or_default(),
                    query: self.query.take(),
                    basic: self.basic.take(),
                    bearer: self.bearer.take(),
                    timeout: self.timeout,
                    timeout_includes_wait: self.timeout_includes_wait,
                    max_bytes: self.max_bytes,
                    redirects: self.redirects,
                }
            }
        }
    };
}

payload! {
    /// What `http.get` takes.
    Get {
        /// The charset of the body, whatever the server says.
        charset: Option<String>,
    }
}

payload! {
    /// What `http.request` takes.
    Request {
        /// The method, in upper case; if left out POST with a form, with parts, a file or a job, else GET.
        method: Option<String>,
        /// The body, sent as UTF-8. No content type is sent but the one among the headers.
        body: Option<String>,
        /// The body, as HTML forms send theirs.
        form: Option<Fields>,
        /// The body, as HTML forms with files send theirs.
        multipart: Option<Vec<Part>>,
        /// The path of a file with the body, which is sent as it is read.
        body_file: Option<String>,
        /// The job whose items are the body, sent as they come.
        body_from: Option<BodyFrom>,
        /// See [`Get::charset`].
        charset: Option<String>,
    }
}

payload! {
    /// What `http.fetch` takes as the first part of its payload; behind a line feed may follow the bytes of the body.
    Fetch {
        /// See [`Request::method`].
        method: Option<String>,
        /// See [`Request::form`].
        form: Option<Fields>,
        /// See [`Request::multipart`].
        multipart: Option<Vec<Part>>,
        /// See [`Request::body_file`].
        body_file: Option<String>,
        /// See [`Request::body_from`].
        body_from: Option<BodyFrom>,
    }
}

payload! {
    /// What `http.bytes` takes.
    GetBytes {}
}

payload! {
    /// What `http.stream` takes.
    Stream {
        /// Whether the first item is the status, the URL and the headers, as JSON. A status such as 404 is then no
        /// failure.
        head: Option<bool>,
    }
}

payload! {
    /// What `http.download` takes.
    Download {
        /// The file to make.
        path: String,
        /// Whether a file that is there is replaced, when the new one is complete; else it is a failure.
        overwrite: Option<bool>,
        /// Whether a part remains when the download fails or is cancelled, beside the file as `NAME.part`, and one that
        /// is there is gone on with, if the server still has the same version.
        resume: Option<bool>,
    }
}

/// A job of the same runner, the library's or one that the host has registered, whose items are a body.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BodyFrom {
    /// Its name.
    pub job: String,
    /// Its payload: a text as it is, anything else as JSON; empty if left out.
    pub payload: Option<serde_json::Value>,
    /// How many bytes its items have together; if left out the body is sent in chunks.
    pub length: Option<u64>,
}

/// A part of a multipart form.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The name of the field.
    pub name: String,
    /// Its value; or
    pub value: Option<String>,
    /// the path of a file with it, which is sent as it is read.
    pub file: Option<String>,
    /// What the server is told of the file's name; if left out the last part of its path.
    pub filename: Option<String>,
    /// If left out none for a value, and `application/octet-stream` for a file.
    pub content_type: Option<String>,
}

/// The fields that all payloads have.
pub(super) struct Common {
    pub(super) url: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) query: Option<Fields>,
    pub(super) basic: Option<(String, String)>,
    pub(super) bearer: Option<String>,
    pub(super) timeout: Option<f64>,
    pub(super) timeout_includes_wait: Option<bool>,
    pub(super) max_bytes: Option<u64>,
    pub(super) redirects: Option<u32>,
}

/// What `http.configure` takes. What is left out is as if nothing had been configured.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Configure {
    /// The header `user-agent` of requests that name none; `palitra/` and the version if left out.
    pub user_agent: Option<String>,
    /// The URL of the proxy for all requests, in place of those that the environment names; an empty one for none.
    pub proxy: Option<String>,
    /// The hosts that the proxy is not for, as in `NO_PROXY`.
    pub no_proxy: Option<String>,
    /// A file of certificates in PEM that are trusted in place of the system's.
    pub ca_file: Option<String>,
    /// A file with the certificate that servers may ask for, and those that vouch for it, in PEM.
    pub client_cert: Option<String>,
    /// A file with its key in PEM; if left out the key is in the same file.
    pub client_key: Option<String>,
    /// IP addresses of host names, which are not looked up then.
    pub resolve: Option<BTreeMap<String, Addresses>>,
    /// How many requests are under way at a time; 256 if left out.
    pub requests: Option<usize>,
    /// The same for each host and port; no limit if left out.
    pub requests_per_host: Option<usize>,
    /// Seconds that a connection is kept which nobody uses; 90 if left out.
    pub idle_timeout: Option<f64>,
    /// How many such connections are kept; if left out as many as requests are under way at a time, and at least 256.
    pub idle_connections: Option<usize>,
    /// Whether the cookies that servers set are sent back to them; false if left out.
    pub cookies: Option<bool>,
}

/// One IP address, or several that are tried in turn.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected an IP address or a list of them")]
pub enum Addresses {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}
