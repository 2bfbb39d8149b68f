//! Which proxy a request goes through, and the tunnel to GitHub through it.

use std::io;

use bytes::Bytes;
use http::{
    Request, Uri,
    header::{HOST, PROXY_AUTHORIZATION},
};
use http_body_util::Empty;
use hyper_util::{
    client::{
        legacy::connect::{HttpConnector, proxy::SocksV5},
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower::{BoxError, Service as _};

/// The port of a SOCKS proxy that names none.
const SOCKS_PORT: u16 = 1080;

/// The proxies that this process's variables name.
pub(super) struct Proxies {
    chosen: Chosen,
    /// Entries of `no_proxy` that name a port count for that port alone.
    by_port: Vec<(u16, Matcher)>,
}

enum Chosen {
    Usable(Box<Matcher>),
    /// Why the proxy that is named cannot be used.
    Unusable(String),
}

/// How a host is reached.
pub(super) enum Route {
    Direct,
    Through(Proxy),
    /// Never another way than the one that was asked for.
    Refused(BoxError),
}

impl Proxies {
    pub(super) fn from_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// The variables that curl and the runner's own tools read, in small letters first.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let named = |name: &str| {
            let small = variable(name).filter(|value| !value.trim().is_empty());
            small.or_else(|| variable(&name.to_ascii_uppercase()))
        };
        let proxy = ["https_proxy", "all_proxy"].iter().find_map(|name| {
            let value = named(name).filter(|value| !value.trim().is_empty());
            value.map(|value| (*name, value.trim().to_owned()))
        });
        let exceptions = Exceptions::of(&named("no_proxy").unwrap_or_default());

        let Some((name, value)) = proxy else {
            let none = Matcher::builder().build();
            return Self {
                chosen: Chosen::Usable(Box::new(none)),
                by_port: Vec::new(),
            };
        };
        let matcher = |no: &str| Matcher::builder().https(value.as_str()).no(no).build();
        let chosen = match unusable(name, &value) {
            Some(reason) => Chosen::Unusable(reason),
            None => Chosen::Usable(Box::new(matcher(&exceptions.everywhere))),
        };
        // Whatever proxy is named, also one that cannot be used: it is asked only what it excepts.
        let excepting = |no: &str| Matcher::builder().https("http://proxy").no(no).build();
        let by_port = exceptions.by_port.iter();
        Self {
            chosen,
            by_port: by_port.map(|(port, no)| (*port, excepting(no))).collect(),
        }
    }

    /// TLS ends at GitHub, so a proxy sees no token; what has no TLS goes through none.
    pub(super) fn route(&self, destination: &Uri) -> Route {
        if destination.scheme_str() != Some("https") {
            return Route::Direct;
        }
        let port = destination.port_u16().unwrap_or(443);
        let is_excepted = self
            .by_port
            .iter()
            .any(|(of, matcher)| *of == port && matcher.intercept(destination).is_none());
        if is_excepted {
            return Route::Direct;
        }
        match &self.chosen {
            Chosen::Unusable(reason) => Route::Refused(reason.clone().into()),
            Chosen::Usable(matcher) => match matcher.intercept(destination) {
                Some(intercept) => Route::Through(Proxy::new(&intercept)),
                None => Route::Direct,
            },
        }
    }
}

/// `no_proxy`, what names a port apart.
#[derive(Default)]
struct Exceptions {
    everywhere: String,
    by_port: Vec<(u16, String)>,
}

impl Exceptions {
    fn of(text: &str) -> Self {
        let mut exceptions = Self::default();
        for entry in text.split(',').map(str::trim) {
            if let Some((host, port)) = with_port(entry) {
                exceptions.by_port.push((port, host.to_owned()));
            } else {
                exceptions.everywhere.push_str(entry);
                exceptions.everywhere.push(',');
            }
        }
        exceptions
    }
}

/// `host:port` or `[address]:port`; an IPv6 address without brackets names no port.
fn with_port(entry: &str) -> Option<(&str, u16)> {
    let (host, port) = entry.rsplit_once(':')?;
    let port = port.parse().ok()?;
    match host.strip_prefix('[') {
        Some(address) => Some((address.strip_suffix(']')?, port)),
        None => (!host.contains(':')).then_some((host, port)),
    }
}

/// Why a proxy cannot be used, by the variable that names it: its value may hold a password.
fn unusable(variable: &str, value: &str) -> Option<String> {
    let scheme = value.split_once("://").map_or("http", |(scheme, _)| scheme);
    if !["http", "socks5", "socks5h"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Some(format!(
            "the variable `{variable}` names a proxy of the kind `{}://`, and only http://, socks5:// and socks5h:// are spoken. Name one of these, or take github's hosts out of the proxy with `no_proxy`",
            countersign_core::text::excerpt(scheme, 20)
        ));
    }
    let is_read = value.parse::<Uri>().is_ok_and(|uri| {
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        let place = authority
            .rsplit_once('@')
            .map_or(authority, |(_, place)| place);
        // A port that is no number is passed over by whoever reads the address.
        let names_port = place
            .trim_start_matches(|inside| inside != ']')
            .contains(':')
            || !place.contains(']') && place.contains(':');
        let host = uri.host().unwrap_or_default();
        !host.is_empty() && names_port == uri.port_u16().is_some()
    });
    (!is_read).then(|| format!("the variable `{variable}` does not hold the address of a proxy, as in http://proxy.example:3128"))
}

/// One proxy.
pub(super) struct Proxy {
    /// With a port, and without credentials.
    address: Uri,
    kind: Kind,
}

enum Kind {
    Http {
        authorization: Option<http::HeaderValue>,
    },
    Socks {
        credentials: Option<(String, String)>,
        /// Whether names are looked up here.
        looks_up: bool,
    },
}

impl Proxy {
    fn new(intercept: &Intercept) -> Self {
        let uri = intercept.uri();
        let owned = |(name, password): (&str, &str)| (name.to_owned(), password.to_owned());
        let kind = match uri.scheme_str() {
            Some(scheme) if scheme.starts_with("socks") => Kind::Socks {
                credentials: intercept.raw_auth().map(owned),
                looks_up: scheme == "socks5",
            },
            _ => Kind::Http {
                authorization: intercept.basic_auth().cloned(),
            },
        };
        let is_socks = matches!(kind, Kind::Socks { .. });
        let port = uri
            .port_u16()
            .unwrap_or(if is_socks { SOCKS_PORT } else { 80 });
        let address = Uri::builder()
            .scheme("http")
            .authority(format!("{}:{port}", uri.host().unwrap_or_default()))
            .path_and_query("/")
            .build()
            .unwrap_or_else(|_| uri.clone());
        Self { address, kind }
    }

    /// A connection to the destination's host.
    pub(super) async fn connect(
        self,
        destination: Uri,
        mut tcp: HttpConnector,
    ) -> Result<TokioIo<TcpStream>, BoxError> {
        let named = |error: &dyn std::fmt::Display| self.error(error);
        match &self.kind {
            Kind::Http { authorization } => {
                let stream = tcp
                    .call(self.address.clone())
                    .await
                    .map_err(|error| named(&deepest(&error)))?;
                let stream = tunnel(stream, &destination, authorization.as_ref()).await;
                stream.map_err(|error| named(&error))
            }
            Kind::Socks {
                credentials,
                looks_up,
            } => {
                let mut socks = SocksV5::new(self.address.clone(), tcp).local_dns(*looks_up);
                if let Some((name, password)) = credentials.clone() {
                    socks = socks.with_auth(name, password);
                }
                let stream = socks.call(destination).await;
                stream.map_err(|error| named(&deepest(&error)))
            }
        }
    }

    fn error(&self, reason: &dyn std::fmt::Display) -> BoxError {
        let address = self
            .address
            .authority()
            .map_or("", http::uri::Authority::as_str);
        let kind = match self.kind {
            Kind::Http { .. } => "proxy",
            Kind::Socks { .. } => "SOCKS proxy",
        };
        format!("the {kind} {address} gives no connection: {reason}. Check the variables https_proxy and no_proxy").into()
    }
}

/// What lies at the bottom of an error.
fn deepest(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map_or_else(String::new, ToString::to_string)
}

/// Asks an HTTP proxy for a tunnel.
async fn tunnel(
    stream: TokioIo<TcpStream>,
    destination: &Uri,
    authorization: Option<&http::HeaderValue>,
) -> Result<TokioIo<TcpStream>, String> {
    let told = |error: hyper::Error| deepest(&error);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream)
        .await
        .map_err(told)?;
    tokio::spawn(connection.with_upgrades());

    let host = destination.host().unwrap_or_default();
    let authority = format!("{host}:{}", destination.port_u16().unwrap_or(443));
    let mut request = Request::connect(&authority).header(HOST, &authority);
    if let Some(authorization) = authorization {
        request = request.header(PROXY_AUTHORIZATION, authorization);
    }
    let request = request
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;

    let answer = sender.send_request(request).await.map_err(told)?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("it answered {status}"));
    }
    let upgraded = hyper::upgrade::on(answer).await.map_err(told)?;
    let parts = upgraded
        .downcast::<TokioIo<TcpStream>>()
        .map_err(|_| "its connection is lost".to_owned())?;
    if !parts.read_buf.is_empty() {
        return Err(io::Error::other("it speaks before GitHub is asked").to_string());
    }
    Ok(parts.io)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a destination is reached where these variables are set.
    fn route(variables: &[(&str, &str)], destination: &str) -> String {
        let proxies = Proxies::of(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        match proxies.route(&destination.parse().unwrap()) {
            Route::Direct => "direct".into(),
            Route::Refused(reason) => reason.to_string(),
            Route::Through(Proxy { address, kind }) => {
                let kind = match kind {
                    Kind::Http {
                        authorization: None,
                    } => "http".into(),
                    Kind::Http {
                        authorization: Some(value),
                    } => format!("http {}", value.to_str().unwrap()),
                    Kind::Socks {
                        credentials,
                        looks_up,
                    } => format!("socks {credentials:?} {looks_up}"),
                };
                format!("{kind} {}", address.authority().unwrap())
            }
        }
    }

    const API: &str = "https://ghes.example/api/v3";

    #[test]
    fn proxies_are_spoken_to_by_their_kind() {
        for (value, expected) in [
            ("http://p:3128", "http p:3128"),
            ("p:3128", "http p:3128"),
            ("http://p/", "http p:80"),
            ("HTTP://p:8080", "http p:8080"),
            ("http://[::1]:3128", "http [::1]:3128"),
            (
                "http://us%40er:p%40ss%3Aw%23rd@p:1",
                "http Basic dXNAZXI6cEBzczp3I3Jk p:1",
            ),
            ("socks5://p", "socks None true p:1080"),
            ("socks5h://a:b@p:9", "socks Some((\"a\", \"b\")) false p:9"),
        ] {
            assert_eq!(route(&[("https_proxy", value)], API), expected, "{value}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_spoken_to_is_refused_and_never_passed_by() {
        for value in [
            "https://us:secret@p:3128",
            "socks4://us:secret@p",
            "quic://us:secret@p",
            "http://us:secret@",
            "http://us:secret@p:port",
        ] {
            let refused = route(&[("HTTPS_PROXY", value)], API);
            assert!(
                refused.starts_with("the variable `https_proxy`"),
                "{value}: {refused}"
            );
            assert!(!refused.contains("secret"), "{value}: {refused}");

            // An exception for another host's port is none for this one.
            let with_exception = [("https_proxy", value), ("no_proxy", "other.example:443")];
            assert_eq!(route(&with_exception, API), refused, "{value}");
        }
    }

    #[test]
    fn small_letters_come_first_and_the_more_exact_variable() {
        let both = [("https_proxy", "http://a:1"), ("HTTPS_PROXY", "http://b:1")];
        assert_eq!(route(&both, API), "http a:1");
        let all = [("ALL_PROXY", "http://b:1"), ("https_proxy", " ")];
        assert_eq!(route(&all, API), "http b:1");
        assert_eq!(route(&[("http_proxy", "http://b:1")], API), "direct");
        assert_eq!(route(&both, "http://127.0.0.1:8000/"), "direct");
    }

    #[test]
    fn exceptions_are_names_suffixes_addresses_networks_and_ports() {
        let proxied = "http p:1";
        for (no_proxy, destination, expected) in [
            ("ghes.example", API, "direct"),
            (".example", API, "direct"),
            ("example", API, "direct"),
            ("*", API, "direct"),
            ("other, ghes.example", API, "direct"),
            ("hes.example", API, proxied),
            ("ghes.example:443", API, "direct"),
            ("ghes.example:8443", API, proxied),
            (".example:8443", "https://ghes.example:8443/", "direct"),
            ("ghes.example:8443", "https://ghes.example:8443/", "direct"),
            ("10.0.0.0/8", "https://10.1.2.3/", "direct"),
            ("10.0.0.0/8", "https://11.1.2.3/", proxied),
            ("10.1.2.3", "https://10.1.2.3/", "direct"),
            ("10.1.2.3:443", "https://10.1.2.3/", "direct"),
            ("fd00::/8", "https://[fd00::1]/", "direct"),
            ("[fd00::1]:443", "https://[fd00::1]/", "direct"),
            ("::1", "https://[fd00::1]/", proxied),
        ] {
            let variables = [("https_proxy", "http://p:1"), ("no_proxy", no_proxy)];
            assert_eq!(
                route(&variables, destination),
                expected,
                "{no_proxy} {destination}"
            );
        }
    }

    /// Connects through a proxy that plays this part on loopback.
    fn through(
        scheme: &str,
        part: impl FnOnce(std::net::TcpStream) + Send + 'static,
    ) -> Result<TokioIo<TcpStream>, String> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let value = format!("{scheme}{}", listener.local_addr().unwrap());
        let player = std::thread::spawn(move || part(listener.accept().unwrap().0));

        let proxies = Proxies::of(|name| (name == "https_proxy").then(|| value.clone()));
        let destination: Uri = API.parse().unwrap();
        let Route::Through(proxy) = proxies.route(&destination) else {
            panic!("{value} is no proxy")
        };
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        let connected = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(proxy.connect(destination, tcp));
        player.join().unwrap();
        connected.map_err(|error| error.to_string())
    }

    /// Reads a request's head, and answers.
    fn answers(mut stream: std::net::TcpStream, answer: &str) -> String {
        use std::io::{Read as _, Write as _};
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(head).unwrap().to_ascii_lowercase()
    }

    #[test]
    fn what_an_http_proxy_answers_is_told() {
        let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        let told = through("http://", move |stream| drop(answers(stream, answer))).unwrap_err();
        assert!(
            told.starts_with("the proxy 127.0.0.1:")
                && told.contains("it answered 407 Proxy Authentication Required"),
            "{told}"
        );
        let told = through("http://", drop).unwrap_err();
        assert!(told.starts_with("the proxy 127.0.0.1:"), "{told}");
    }

    #[test]
    fn an_http_proxy_is_asked_for_a_tunnel() {
        let connected = through("http://us:secret@", |stream| {
            let head = answers(stream, "HTTP/1.1 200 OK\r\n\r\n");
            assert!(
                head.starts_with("connect ghes.example:443 http/1.1\r\n"),
                "{head}"
            );
            assert!(
                head.contains("\r\nproxy-authorization: basic dxm6c2vjcmv0\r\n"),
                "{head}"
            );
        });
        assert!(connected.is_ok(), "{connected:?}");
    }

    #[test]
    fn a_socks_proxy_looks_names_up_itself_if_it_is_named_so() {
        let connected = through("socks5h://", |mut stream| {
            use std::io::{Read as _, Write as _};
            // RFC 1928: version 5, the methods; then connect, by name.
            let mut hello = [0; 2];
            stream.read_exact(&mut hello).unwrap();
            stream.read_exact(&mut vec![0; hello[1].into()]).unwrap();
            stream.write_all(&[5, 0]).unwrap();
            let mut request = vec![0; 5 + "ghes.example".len() + 2];
            stream.read_exact(&mut request).unwrap();
            assert_eq!(request[..5], [5, 1, 0, 3, 12]);
            assert_eq!(&request[5..17], b"ghes.example");
            assert_eq!(request[17..], 443_u16.to_be_bytes());
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        });
        assert!(connected.is_ok(), "{connected:?}");
    }
}
