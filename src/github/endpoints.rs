//! Where GitHub is, and which hosts may see the token.

use http::Uri;

use countersign_core::{refusal::InputRefusal, text::excerpt};

/// GitHub's three addresses: REST, GraphQL, and the family of its upload host.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    api: Uri,
    graphql: Uri,
    server: String,
    roots: Roots,
}

/// The certificate authorities that may vouch for GitHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// The public ones that are built in, and those of the machine.
    Machine,
    /// The public ones alone.
    Public,
}

impl Endpoints {
    /// The addresses that the variables name, by default those of github.com.
    pub(crate) fn of<'a>(
        variable: impl Fn(&'static str) -> Option<&'a str>,
    ) -> Result<Self, InputRefusal> {
        if variable("GITHUB_API_URL")
            .is_some_and(|api| api.trim_end_matches('/') != "https://api.github.com")
            && variable("GITHUB_GRAPHQL_URL").is_none()
        {
            let problem = "is not set, but GITHUB_API_URL names another host than api.github.com: set it too, for instance to https://HOST/api/graphql";
            return Err(InputRefusal::Context {
                variable: "GITHUB_GRAPHQL_URL",
                problem: problem.into(),
            });
        }
        Self::new(
            variable("GITHUB_API_URL").unwrap_or("https://api.github.com"),
            variable("GITHUB_GRAPHQL_URL").unwrap_or("https://api.github.com/graphql"),
            variable("GITHUB_SERVER_URL").unwrap_or("https://github.com"),
        )
    }

    /// Takes the addresses from `GITHUB_API_URL`, `GITHUB_GRAPHQL_URL` and, for pages, `GITHUB_SERVER_URL`.
    fn new(api: &str, graphql: &str, server: &str) -> Result<Self, InputRefusal> {
        let api = safe("GITHUB_API_URL", api)?;
        let graphql = safe("GITHUB_GRAPHQL_URL", graphql)?;
        if api.host() != graphql.host() {
            return Err(InputRefusal::Context {
                variable: "GITHUB_GRAPHQL_URL",
                problem: "names another host than GITHUB_API_URL".into(),
            });
        }
        Ok(Self {
            api,
            graphql,
            server: server.trim_end_matches('/').into(),
            roots: Roots::Machine,
        })
    }

    /// The same with the authorities that the input names; without one, the machine's own too.
    pub(crate) fn with_roots(self, input: &str) -> Result<Self, InputRefusal> {
        let invalid = |problem| InputRefusal::Invalid {
            input: "roots",
            problem,
        };
        match input {
            "" => Ok(self),
            "public" if self.is_public() => Ok(Self {
                roots: Roots::Public,
                ..self
            }),
            "public" => Err(invalid(format!(
                "`public` is for github.com and *.ghe.com; the certificate of {} may be known to this machine alone",
                self.site()
            ))),
            other => Err(invalid(format!(
                "expected `public` or nothing, found `{}`",
                excerpt(other, 40)
            ))),
        }
    }

    pub(super) const fn roots(&self) -> Roots {
        self.roots
    }

    /// The address of a REST path, which begins with `/`.
    pub(super) fn rest(&self, path: &str) -> String {
        format!("{}{path}", self.api.to_string().trim_end_matches('/'))
    }

    /// The address of a page for people.
    pub(super) fn page(&self, path: &str) -> String {
        format!("{}/{path}", self.server)
    }

    /// The host as people know it, without `api.`.
    pub(crate) fn site(&self) -> String {
        let authority = self.api.authority().map_or("", |found| found.as_str());
        authority
            .strip_prefix("api.")
            .unwrap_or(authority)
            .to_ascii_lowercase()
    }

    pub(super) const fn graphql(&self) -> &Uri {
        &self.graphql
    }

    /// Whether everything stays on this machine: no certificates are needed then.
    pub(super) fn is_local(&self) -> bool {
        is_loopback(&self.api)
    }

    /// Whether this is GitHub's own service, whose certificates are public ones.
    pub(super) fn is_public(&self) -> bool {
        self.api
            .host()
            .is_some_and(|host| host == "api.github.com" || host.ends_with(".ghe.com"))
    }

    /// Whether this is GitHub's own service, which limits how fast content is created. On loopback
    /// the address of the web pages decides.
    pub(super) fn limits_content(&self) -> bool {
        let server = self.server.parse::<Uri>().ok();
        let host = server.as_ref().and_then(Uri::host).unwrap_or_default();
        let is_githubs = host == "github.com" || host.ends_with(".ghe.com");
        self.is_public() || self.is_local() && is_githubs
    }

    /// Whether the token may be sent there: the API, GraphQL, or the upload host of the same family.
    pub(super) fn trusts(&self, uri: &Uri) -> bool {
        if is_loopback(&self.api) {
            return uri.scheme_str() == Some("http") && is_loopback(uri);
        }
        if uri.scheme_str() != Some("https") || uri.port_u16() != self.api.port_u16() {
            return false;
        }
        let (Some(host), Some(api)) = (uri.host(), self.api.host()) else {
            return false;
        };

        // GitHub's service has `api.X` and `uploads.X`; a server with subdomain isolation has its
        // uploads at `uploads.X`, where X is its own name.
        let family = if self.is_public() {
            api.strip_prefix("api.").unwrap_or(api)
        } else {
            api
        };
        host == api || host.strip_prefix("uploads.") == Some(family)
    }
}

fn safe(variable: &'static str, text: &str) -> Result<Uri, InputRefusal> {
    let problem = |problem: &str| InputRefusal::Context {
        variable,
        problem: problem.into(),
    };
    let uri: Uri = text.parse().map_err(|_| problem("is no URL"))?;
    if uri.host().is_none()
        || uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
    {
        return Err(problem("names no plain host"));
    }
    // Whose certificates count, and where the token goes, is decided by the host's name: it has one spelling.
    if uri
        .host()
        .is_some_and(|host| host.ends_with('.') || host.contains(|c: char| c.is_ascii_uppercase()))
    {
        return Err(problem(
            "must name the host in small letters, without a dot at its end",
        ));
    }
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_loopback(&uri) => Ok(uri),
        _ => Err(problem("must begin with https://")),
    }
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(api: &str, graphql: &str, uri: &str) -> bool {
        Endpoints::new(api, graphql, "")
            .unwrap()
            .trusts(&uri.parse().unwrap())
    }

    #[test]
    fn the_token_goes_to_the_family_of_the_api_alone() {
        countersign_sim::pins![A70];
        let github = |uri| {
            trusts(
                "https://api.github.com",
                "https://api.github.com/graphql",
                uri,
            )
        };
        assert!(github("https://api.github.com/repos"));
        assert!(github("https://uploads.github.com/x"));
        for uri in [
            "http://api.github.com/",
            "https://api.github.com:8443/",
            "https://evil.example/",
            "https://uploads.github.com.evil.example/",
            "https://github.com/",
        ] {
            assert!(!github(uri), "{uri}");
        }
        let tenant = |uri| {
            trusts(
                "https://api.octo.ghe.com",
                "https://api.octo.ghe.com/graphql",
                uri,
            )
        };
        assert!(tenant("https://uploads.octo.ghe.com/x"));
        assert!(!tenant("https://uploads.other.ghe.com/x"));
        let server = |uri| {
            trusts(
                "https://ghes.example/api/v3",
                "https://ghes.example/api/graphql",
                uri,
            )
        };
        assert!(server("https://ghes.example/api/uploads/x"));
        assert!(server("https://uploads.ghes.example/x"));
        for uri in [
            "http://uploads.ghes.example/x",
            "https://uploads.ghes.example:8443/x",
            "https://uploads.uploads.ghes.example/x",
            "https://media.ghes.example/x",
            "https://uploadsghes.example/x",
            "https://uploads.other.example/x",
            "https://uploads.github.com/x",
        ] {
            assert!(!server(uri), "{uri}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        assert!(trusts(
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/graphql",
            "http://127.0.0.1:9090/upload"
        ));
        assert!(!trusts(
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/graphql",
            "http://192.168.0.1/"
        ));
        for (api, graphql) in [
            ("http://api.github.com", "https://api.github.com/graphql"),
            ("https://api.github.com", "https://evil.example/graphql"),
            (
                "https://user@api.github.com",
                "https://api.github.com/graphql",
            ),
            ("ftp://127.0.0.1", "https://127.0.0.1"),
            ("", ""),
        ] {
            assert_eq!(
                Endpoints::new(api, graphql, "").unwrap_err().code(),
                "context_missing",
                "{api}"
            );
        }
    }

    #[test]
    fn githubs_own_service_limits_how_fast_content_is_created() {
        let limits = |api: &str, server: &str| {
            Endpoints::new(api, &format!("{api}/graphql"), server)
                .unwrap()
                .limits_content()
        };
        assert!(limits("https://api.github.com", "https://github.com"));
        assert!(limits("https://api.octo.ghe.com", "https://octo.ghe.com"));
        assert!(!limits("https://ghes.example/api", "https://ghes.example"));
        assert!(!limits("https://ghes.example/api", "https://github.com"));
        assert!(limits("http://127.0.0.1:8080", "https://github.com"));
        assert!(!limits("http://127.0.0.1:8080", "https://ghes.example"));
    }

    #[test]
    fn a_rest_path_stands_behind_the_root() {
        let server = Endpoints::new(
            "https://ghes.example/api/v3/",
            "https://ghes.example/api/graphql",
            "https://ghes.example",
        )
        .unwrap();
        assert_eq!(
            server.rest("/rate_limit"),
            "https://ghes.example/api/v3/rate_limit"
        );
    }
}
