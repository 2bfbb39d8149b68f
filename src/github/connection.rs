//! The HTTP client below octocrab: connector, certificates, proxy and time limits are ours, and nothing is ever repeated or redirected.

use std::{
    future::{self, Future},
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task,
    time::Duration,
};

use http::Uri;
use hyper_rustls::HttpsConnector;
use hyper_timeout::TimeoutConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tower::{BoxError, Service};

use super::{
    Endpoints,
    endpoints::Roots,
    proxy::{Proxies, Route},
};

const CONNECT: Duration = Duration::from_secs(15);

/// Opens an octocrab without its own retries, which repeat writes, and without its own token handling.
pub(super) fn open(endpoints: &Endpoints, silence: Duration) -> Octocrab {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_nodelay(true);
    let proxied = Proxied {
        tcp,
        proxies: Arc::new(Proxies::from_environment()),
    };
    let https: HttpsConnector<Proxied> = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(certificates(endpoints))
        .https_or_http()
        .enable_http1()
        .wrap_connector(proxied);
    let mut timed = TimeoutConnector::new(https);
    timed.set_connect_timeout(Some(CONNECT));
    timed.set_read_timeout(Some(silence));
    timed.set_write_timeout(Some(silence));
    // While an upload is under way GitHub has nothing to say: every piece that leaves begins the wait anew.
    timed.set_reset_reader_on_write(true);
    let client: Client<_, OctoBody> = Client::builder(TokioExecutor::new())
        .retry_canceled_requests(false)
        .build(timed);
    match OctocrabBuilder::new_empty()
        .with_service(client)
        .with_auth(AuthState::None)
        .build()
    {
        Ok(octocrab) => octocrab,
        Err(never) => match never {},
    }
}

/// Public roots always; the machine's own store too, unless the workflow wants the public ones alone. For GitHub's public service the variables that an earlier step could set
/// (`SSL_CERT_FILE`, `NODE_EXTRA_CA_CERTS`) are not read: they would let it put itself between us and GitHub.
fn roots(endpoints: &Endpoints) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    if endpoints.is_local() {
        return roots;
    }
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if endpoints.roots() == Roots::Machine {
        roots.add_parsable_certificates(machine_store(endpoints.is_public()));
    }
    roots
}

fn certificates(endpoints: &Endpoints) -> ClientConfig {
    let roots = roots(endpoints);
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_or_else(
            |_| unreachable!("ring serves the default protocol versions"),
            |builder| builder.with_root_certificates(roots).with_no_client_auth(),
        )
}

const MACHINE_STORES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];

fn machine_store(public: bool) -> Vec<CertificateDer<'static>> {
    if public {
        let store = MACHINE_STORES
            .iter()
            .map(PathBuf::from)
            .find(|path| path.is_file());
        return store.map_or(Vec::new(), |path| {
            rustls_native_certs::load_certs_from_paths(Some(&path), None).certs
        });
    }
    let mut certificates = rustls_native_certs::load_native_certs().certs;
    if let Some(extra) = std::env::var_os("NODE_EXTRA_CA_CERTS")
        && let Ok(extra) = CertificateDer::pem_file_iter(extra)
    {
        certificates.extend(extra.flatten());
    }
    certificates
}

/// Goes through `https_proxy` unless `no_proxy` says otherwise.
#[derive(Clone)]
struct Proxied {
    tcp: HttpConnector,
    proxies: Arc<Proxies>,
}

impl Service<Uri> for Proxied {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> task::Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let mut tcp = self.tcp.clone();
        match self.proxies.route(&destination) {
            Route::Direct => {
                Box::pin(async move { tcp.call(destination).await.map_err(Into::into) })
            }
            Route::Through(proxy) => Box::pin(proxy.connect(destination, tcp)),
            Route::Refused(reason) => Box::pin(future::ready(Err(reason))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(api: &'static str, graphql: &'static str) -> Endpoints {
        Endpoints::of(|name| match name {
            "GITHUB_API_URL" => Some(api),
            "GITHUB_GRAPHQL_URL" => Some(graphql),
            _ => None,
        })
        .unwrap()
    }

    #[test]
    fn the_machine_vouches_for_github_unless_the_workflow_wants_the_public_roots_alone() {
        let github = || endpoints("https://api.github.com", "https://api.github.com/graphql");
        let public = webpki_roots::TLS_SERVER_ROOTS.len();
        let machine = machine_store(true).len();
        let alone = github().with_roots("public").unwrap();
        assert_eq!(roots(&alone).len(), public);
        let with_the_machines = roots(&github().with_roots("").unwrap()).len();
        assert!(with_the_machines >= public && (machine == 0 || with_the_machines > public));
    }

    #[test]
    fn only_githubs_own_service_has_public_roots() {
        let refusal = |endpoints: Endpoints, input| {
            let refusal = endpoints.with_roots(input).unwrap_err();
            refusal.to_string()
        };
        let private = endpoints(
            "https://ghe.example/api/v3",
            "https://ghe.example/api/graphql",
        );
        let told = refusal(private, "public");
        assert!(
            told.contains("the certificate of ghe.example may be known to this machine alone"),
            "{told}"
        );
        let hosted = endpoints(
            "https://api.octo.ghe.com",
            "https://api.octo.ghe.com/graphql",
        );
        assert!(hosted.clone().with_roots("public").is_ok());
        assert!(refusal(hosted, "machine").contains("expected `public` or nothing"));
    }
}
