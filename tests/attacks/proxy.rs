//! A proxy that answers for every host with a certificate of its own, and notes what it gets to see.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

pub struct Proxy {
    pub address: String,
    /// The certificate that its clients are to trust.
    pub certificate: String,
    seen: Arc<Mutex<Vec<String>>>,
}

const NAMES: &str = "[req]\ndistinguished_name=name\nx509_extensions=more\nprompt=no\n[name]\nCN=proxy\n\
[more]\nsubjectAltName=DNS:api.github.com,DNS:ghe.example\nbasicConstraints=critical,CA:FALSE\n";

impl Proxy {
    pub fn start(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name).display().to_string();
        std::fs::write(file("names"), NAMES).unwrap();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args([
                "-config",
                &file("names"),
                "-keyout",
                &file("proxy-key"),
                "-out",
                &file("proxy-certificate"),
            ])
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let key = PrivateKeyDer::from_pem_file(file("proxy-key")).unwrap();
        let chain = vec![CertificateDer::from_pem_file(file("proxy-certificate")).unwrap()];
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (config, notes) = (Arc::new(config), Arc::clone(&seen));
        thread::spawn(move || {
            for client in listener.incoming() {
                let note = |line: &str| {
                    let request = line
                        .rsplit_once(" HTTP/")
                        .map_or(line, |(request, _)| request)
                        .to_owned();
                    let mut notes = notes.lock().unwrap();
                    if !notes.contains(&request) {
                        notes.push(request);
                    }
                };
                serve(client.unwrap(), &config, note);
            }
        });
        Self {
            address,
            certificate: file("proxy-certificate"),
            seen,
        }
    }

    /// Each first line of a request that it could read, once.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// A client that breaks off has seen through it.
fn serve(client: TcpStream, config: &Arc<ServerConfig>, note: impl Fn(&str)) {
    let mut head = BufReader::new(client.try_clone().unwrap());
    let mut line = String::new();
    if head.read_line(&mut line).is_err() {
        return;
    }
    note(line.trim_end());
    while head.read_line(&mut line).is_ok_and(|read| read > 2) {}
    let mut client = client;
    if client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .is_err()
    {
        return;
    }
    let mut tunnel = StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), client);
    let mut request = [0; 4096];
    if let Ok(length @ 1..) = tunnel.read(&mut request) {
        note(
            String::from_utf8_lossy(&request[..length])
                .lines()
                .next()
                .unwrap_or_default(),
        );
    }
}
