//! A proxy in front of the simulator of an Enterprise Server: it ends TLS for all of the server's
//! hosts, records which of them saw a token, and forwards every request unchanged.

use std::{
    collections::BTreeSet,
    io::{BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use countersign_sim::Simulator;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

/// Subdomain isolation needs a certificate for the host and for `*.HOST`.
const NAMES: &str = "[req]\ndistinguished_name=name\nx509_extensions=more\nprompt=no\n\
     [name]\nCN=server\n[more]\nsubjectAltName=DNS:ghes.example,DNS:*.ghes.example\n\
     basicConstraints=critical,CA:FALSE\n";

type Tls = StreamOwned<ServerConnection, TcpStream>;

pub(crate) struct Server {
    /// For `HTTPS_PROXY`: the only way to a host that has no address.
    pub proxy: String,
    /// The certificate that clients are to trust.
    pub certificate: String,
    hosts: Arc<Mutex<BTreeSet<String>>>,
}

impl Server {
    pub(crate) fn before(sim: &Simulator, folder: &Path) -> Self {
        let (config, certificate) = identity(folder);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let behind = sim.api_url().trim_start_matches("http://").to_owned();
        let hosts = Arc::new(Mutex::new(BTreeSet::new()));

        let seen = Arc::clone(&hosts);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (config, behind) = (Arc::clone(&config), behind.clone());
                let seen = Arc::clone(&seen);
                // A client that breaks off ends its own connection and no other.
                thread::spawn(move || converse(client.ok()?, &config, &behind, &seen));
            }
        });
        Self {
            proxy,
            certificate,
            hosts,
        }
    }

    /// In the order of their names.
    pub(crate) fn hosts_that_saw_a_token(&self) -> Vec<String> {
        self.hosts.lock().unwrap().iter().cloned().collect()
    }
}

/// A key and its self-signed certificate.
fn identity(folder: &Path) -> (Arc<ServerConfig>, String) {
    let file = |name: &str| folder.join(name).display().to_string();
    std::fs::write(file("names"), NAMES).unwrap();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let (key_file, certificate) = (file("server-key"), file("server-certificate"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "2"])
        .args(key)
        .args(["-config", &file("names")])
        .args(["-keyout", &key_file, "-out", &certificate])
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );

    let key = PrivateKeyDer::from_pem_file(&key_file).unwrap();
    let chain = vec![CertificateDer::from_pem_file(&certificate).unwrap()];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    (Arc::new(config), certificate)
}

/// One CONNECT with one request in its tunnel.
fn converse(
    mut client: TcpStream,
    config: &Arc<ServerConfig>,
    behind: &str,
    seen: &Mutex<BTreeSet<String>>,
) -> Option<()> {
    let connect = head(&mut BufReader::new(client.try_clone().ok()?))?;
    let host = connect.split([' ', ':']).nth(1)?.to_owned();
    client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .ok()?;

    let tls = ServerConnection::new(Arc::clone(config)).ok()?;
    let mut tunnel = BufReader::new(StreamOwned::new(tls, client));
    let request = head(&mut tunnel)?;
    if value(&request, "authorization").is_some() {
        seen.lock().ok()?.insert(host);
    }
    let answer = passed_on(behind, &request, &mut tunnel)?;

    let mut tunnel = tunnel.into_inner();
    tunnel.write_all(&answer).ok()?;
    tunnel.conn.send_close_notify();
    tunnel.flush().ok()
}

/// The simulator's answer, read until it closes the connection.
fn passed_on(behind: &str, request: &str, tunnel: &mut BufReader<Tls>) -> Option<Vec<u8>> {
    let length = value(request, "content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    tunnel.read_exact(&mut body).ok()?;

    let mut server = TcpStream::connect(behind).ok()?;
    let head = request.trim_end();
    write!(server, "{head}\r\nconnection: close\r\n\r\n").ok()?;
    server.write_all(&body).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    Some(answer)
}

/// Everything up to the first empty line.
fn head(reader: &mut impl std::io::BufRead) -> Option<String> {
    let mut head = String::new();
    while reader.read_line(&mut head).ok()? > 2 {}
    (!head.is_empty()).then_some(head)
}

fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut fields = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    fields.next().map(|(_, value)| value.trim())
}
