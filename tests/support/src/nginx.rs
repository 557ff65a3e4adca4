//! A real nginx on free loopback ports, for the time of one test.
//!
//! [`Nginx::start`] writes a configuration to a directory of its own, starts one nginx process with it and waits
//! until it listens; dropping it kills the process and removes the directory. Nothing waits longer than
//! [`PATIENCE`]. Needs Debian's `nginx-light`, and `openssl` for [`Nginx::certificate`].
//!
//! | path | responds |
//! |---|---|
//! | `/hello` | 200 `hello` |
//! | `/brief` | 200 `brief`, and closes the connection soon after |
//! | `/page/...` | 200, the path |
//! | `/missing` | 404 |
//! | `/big`, `/slow` | [`BIG`] bytes, at full speed or so slowly that no test sees the end |
//! | `/huge` | [`HUGE`] bytes, all 0 |
//! | `/chunked` | as `/big`, without saying how many |
//! | `/packed` | the same, compressed by gzip for who accepts that |
//! | `/silent` | nothing at all |
//! | `/latin1` | the one byte E9 |
//! | `/latin1-named` | the same, of which the content type says so |
//! | `/cookies` | two cookies, two values of `x-many` |
//! | `/echo` | method, `content-type`, `x-probe`, `user-agent` and body, separated by `\|` |
//! | `/asked` | query and `accept-encoding`, separated by `\|` |
//! | `/files/...` | what was PUT there, until it is DELETEd |
//! | `/loop` | 302 to itself |
//! | `/hop/3` | 302 to `/hop/2`, and so on to `/hello` |
//! | `/see-other`, `/temporary` | 303, 307 to `/echo` |
//! | `/abroad` | 302 to the other origin, which sends on to its own `/secrets` |
//! | `/secrets` | the `authorization` and `cookie` that arrived |
//! | `/to-ftp` | 302 to an ftp URL |

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::process::wait_until;

/// The longest that anything here waits.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The length of `/big`.
pub const BIG: usize = 4 << 20;

/// The length of `/huge`, of which no disk has more than the length.
pub const HUGE: u64 = 1 << 30;

/// A running nginx.
pub struct Nginx {
    process: Child,
    directory: Directory,
    ports: Ports,
    asked: AtomicU32,
    /// Accepts connections in its backlog and never responds: what `/silent` waits for.
    _silent: TcpListener,
}

/// What the server has seen, without the connection that asked.
#[derive(Clone, Copy, Debug)]
pub struct Connections {
    /// Accepted since the start.
    pub accepted: u64,
    /// Open now, idle ones too.
    pub open: u64,
    /// Being written to now.
    pub writing: u64,
}

#[derive(Clone, Copy)]
struct Ports {
    http: u16,
    other: u16,
    https: u16,
    mutual: u16,
    status: u16,
    silent: u16,
}

impl Nginx {
    /// Starts it. Panics if it does not listen in time: without a server no test means anything.
    pub fn start() -> Nginx {
        // Another process may take a free port before nginx does.
        for _ in 0..5 {
            if let Some(nginx) = Nginx::try_start() {
                return nginx;
            }
        }
        panic!("nginx found its ports taken five times over");
    }

    fn try_start() -> Option<Nginx> {
        let silent = listen();
        let ports = Ports::free(&silent);
        let directory = Directory::new();
        directory.fill(ports);
        let process = spawn(&directory.0);
        let mut nginx = Nginx { process, directory, ports, asked: AtomicU32::new(0), _silent: silent };
        nginx.wait_until_it_listens().then_some(nginx)
    }

    /// nginx writes its process id once all ports are its own.
    fn wait_until_it_listens(&mut self) -> bool {
        let pid_file = self.directory.0.join("nginx.pid");
        wait_until("nginx listens", || {
            let ended = self.process.try_wait().is_ok_and(|status| status.is_some());
            ended || fs::read(&pid_file).is_ok_and(|pid| !pid.is_empty())
        });
        if pid_file.exists() {
            return true;
        }
        let log = fs::read_to_string(self.directory.0.join("error.log")).unwrap_or_default();
        assert!(log.contains("Address already in use"), "nginx did not start: {log}");
        false
    }

    /// `http://127.0.0.1:PORT` and the path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports.http)
    }

    /// The same over TLS, with [`Nginx::certificate`].
    pub fn https_url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.ports.https)
    }

    /// The other origin, which has `/secrets` too.
    pub fn other_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports.other)
    }

    /// Over TLS with the same certificate, which the client must have, too; the path does not matter.
    pub fn mutual_url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.ports.mutual)
    }

    /// The key of the certificate, in PEM.
    pub fn key(&self) -> PathBuf {
        self.directory.0.join("key.pem")
    }

    /// The self-signed certificate, in PEM.
    pub fn certificate(&self) -> PathBuf {
        self.directory.0.join("certificate.pem")
    }

    /// How many connections there are and were. Asked on a server of its own, so that asking does not count.
    pub fn connections(&self) -> Connections {
        let response = ask(self.ports.status, "/");
        let number = |after: &str| {
            let rest = response.split_once(after).map_or("", |(_, rest)| rest).trim_start();
            rest.split_whitespace().next().and_then(|word| word.parse::<u64>().ok())
        };
        match (number("Active connections:"), number("requests"), number("Writing:")) {
            (Some(open), Some(accepted), Some(writing)) => {
                Connections { accepted: accepted - self.count_asking(), open: open - 1, writing: writing - 1 }
            }
            _ => panic!("no status in {response:?}"),
        }
    }

    /// How often the status was asked, this time included.
    fn count_asking(&self) -> u64 {
        u64::from(self.asked.fetch_add(1, Ordering::Relaxed)) + 1
    }

    /// Kills it at once, as a crash would. Its connections break.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A loopback port that nobody listens on: a connection to it is refused.
pub fn closed_port() -> u16 {
    port(&listen())
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a free loopback port")
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("a bound listener").port()
}

impl Ports {
    /// Free when looked at: all are held until each is known, so they differ.
    fn free(silent: &TcpListener) -> Ports {
        let held = [listen(), listen(), listen(), listen(), listen()];
        let [http, other, https, mutual, status] = [0, 1, 2, 3, 4].map(|i| port(&held[i]));
        Ports { http, other, https, mutual, status, silent: port(silent) }
    }
}

/// One plain request, by hand, so that the server is not judged by the client under test.
fn ask(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("nginx accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).expect("nginx reads");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("nginx responds");
    response
}

fn spawn(directory: &Path) -> Child {
    // Debian keeps it where the path of a plain user does not look.
    let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
    Command::new(program)
        .arg("-p")
        .arg(directory)
        .args(["-c", "nginx.conf", "-e", "error.log"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start nginx (Debian: nginx-light): {error}"))
}

/// A directory that is removed with its owner.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("palitra-nginx-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join("www/files")).expect("a temporary directory");
        Directory(path)
    }

    fn fill(&self, ports: Ports) {
        let write = |name: &str, bytes: &[u8]| fs::write(self.0.join(name), bytes).expect("a temporary file");
        write("nginx.conf", configuration(ports).as_bytes());
        write("www/big", &vec![b'.'; BIG]);
        write("www/latin1", b"\xe9");
        fs::File::create(self.0.join("www/huge")).and_then(|huge| huge.set_len(HUGE)).expect("a sparse file");
        self.make_certificate();
    }

    fn make_certificate(&self) {
        let made = Command::new("openssl")
            .current_dir(&self.0)
            .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(' '))
            .args("-subj /CN=palitra -addext subjectAltName=IP:127.0.0.1".split(' '))
            .args("-addext basicConstraints=critical,CA:FALSE -keyout key.pem -out certificate.pem".split(' '))
            .output()
            .unwrap_or_else(|error| panic!("cannot start openssl: {error}"));
        assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn configuration(ports: Ports) -> String {
    let Ports { http, other, https, mutual, status, silent } = ports;
    // One process and no master: killing it is the end of it.
    format!(
        r#"
daemon off; master_process off; pid nginx.pid; error_log error.log;
events {{ worker_connections 1000; }}
http {{
    access_log off;
    default_type text/plain;
    root www;
    keepalive_requests 100000;
    client_max_body_size 0;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{ listen 127.0.0.1:{status}; keepalive_timeout 0; location / {{ stub_status; }} }}
    server {{
        listen 127.0.0.1:{other};
        location = / {{ return 302 /secrets; }}
        location = /secrets {{ return 200 "[$http_authorization][$http_cookie]"; }}
    }}
    server {{
        listen 127.0.0.1:{mutual} ssl;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        ssl_client_certificate certificate.pem;
        ssl_verify_client on;
        location / {{ return 200 "$ssl_client_s_dn"; }}
    }}
    server {{
        listen 127.0.0.1:{http} backlog=1024;
        listen 127.0.0.1:{https} ssl;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        location = /hello {{ return 200 "hello"; }}
        location = /brief {{ keepalive_timeout 50ms; return 200 "brief"; }}
        location /page/ {{ return 200 "$uri"; }}
        location = /slow {{ alias www/big; limit_rate 16k; }}
        location = /chunked {{ proxy_pass http://127.0.0.1:{http}/big; sub_filter_types *; sub_filter - -; }}
        location = /packed {{ alias www/big; gzip on; gzip_types *; }}
        location = /latin1-named {{ alias www/latin1; default_type "text/plain; charset=iso-8859-1"; }}
        location = /asked {{ return 200 "$args|$http_accept_encoding"; }}
        location = /silent {{ proxy_pass http://127.0.0.1:{silent}; }}
        location = /cookies {{
            add_header Set-Cookie "a=1; Expires=Wed, 01 Jan 2070 00:00:00 GMT";
            add_header Set-Cookie "b=2";
            add_header X-Many one;
            add_header X-Many two;
            return 200 "";
        }}
        location = /echo {{ proxy_set_header X-Body $request_body; proxy_pass http://127.0.0.1:{http}/echoed; }}
        location = /echoed {{
            return 200 "$request_method|$content_type|$http_x_probe|$http_user_agent|$http_x_body";
        }}
        location /files/ {{ dav_methods PUT DELETE; }}
        location = /loop {{ return 302 /loop; }}
        location = /hop/3 {{ return 302 /hop/2; }}
        location = /hop/2 {{ return 301 1; }}
        location = /hop/1 {{ return 308 /hello; }}
        location = /see-other {{ return 303 /echo; }}
        location = /temporary {{ return 307 /echo; }}
        location = /abroad {{ return 302 http://127.0.0.1:{other}/; }}
        location = /secrets {{ return 200 "[$http_authorization][$http_cookie]"; }}
        location = /to-ftp {{ return 302 ftp://127.0.0.1/; }}
    }}
}}
"#
    )
}
