//! What can be chosen before the simulator starts.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::path::PathBuf;

use crate::actions::Actions;
use crate::clock::Clock;
use crate::freshness;
use crate::git::Git;
use crate::rate::Rates;
use crate::simulator::{Doors, Simulator};
use crate::site::Site;
use crate::transcript::Transcript;
use crate::world::{Identity, Settings, World};

/// Choices for [`Simulator::builder`]; each has a default.
#[derive(Clone, Debug)]
pub struct Builder {
    repository: String,
    repository_id: u64,
    git_dir: Option<PathBuf>,
    server_url: String,
    collaborators: Vec<String>,
    teams: Vec<String>,
    archived: bool,
    empty: bool,
    host: Option<String>,
    transcript: Option<PathBuf>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            repository: "octo/hello".to_owned(),
            repository_id: 123_456,
            git_dir: None,
            server_url: "https://github.com".to_owned(),
            collaborators: vec!["octocat".to_owned(), "hubot".to_owned()],
            teams: Vec::new(),
            archived: false,
            empty: false,
            host: None,
            transcript: None,
        }
    }
}

/// Names the file of the transcript for every simulator of a process.
const TRANSCRIPT: &str = "COUNTERSIGN_SIM_TRANSCRIPT";

impl Builder {
    /// `owner/name` in its canonical case; `octo/hello` unless told.
    #[must_use]
    pub fn repository(mut self, full_name: &str) -> Self {
        full_name.clone_into(&mut self.repository);
        self
    }

    /// The repository's numeric id; 123456 unless told.
    #[must_use]
    pub fn repository_id(mut self, id: u64) -> Self {
        self.repository_id = id;
        self
    }

    /// A directory for the bare repository that stays afterwards; a temporary one unless told.
    #[must_use]
    pub fn git_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.git_dir = Some(path.into());
        self
    }

    /// The address that web pages (`html_url`) live at; `https://github.com` unless told.
    #[must_use]
    pub fn server_url(mut self, url: &str) -> Self {
        url.trim_end_matches('/').clone_into(&mut self.server_url);
        self
    }

    /// Who can be asked for a review; `octocat` and `hubot` unless told.
    #[must_use]
    pub fn collaborators<I: Into<String>>(mut self, logins: impl IntoIterator<Item = I>) -> Self {
        self.collaborators = logins.into_iter().map(Into::into).collect();
        self
    }

    /// Which teams can be asked for a review; none unless told.
    #[must_use]
    pub fn teams<I: Into<String>>(mut self, slugs: impl IntoIterator<Item = I>) -> Self {
        self.teams = slugs.into_iter().map(Into::into).collect();
        self
    }

    /// Whether the repository is archived; it is not unless told.
    #[must_use]
    pub fn archived(mut self, archived: bool) -> Self {
        self.archived = archived;
        self
    }

    /// A repository without any commit or branch.
    #[must_use]
    pub fn empty(mut self) -> Self {
        self.empty = true;
        self
    }

    /// An Enterprise Server of this host name: every address in an answer is below
    /// `https://HOST/api/v3`, `https://HOST/api/uploads` or `https://storage.HOST`, while the
    /// simulator still listens on loopback. A proxy that ends TLS for these hosts may forward
    /// everything to [`api_url`](Simulator::api_url), with path and `Host` unchanged.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// A file to which every REST exchange is appended as a line of JSON; what the environment variable `COUNTERSIGN_SIM_TRANSCRIPT`
    /// names, or none, unless told.
    #[must_use]
    pub fn transcript(mut self, path: impl Into<PathBuf>) -> Self {
        self.transcript = Some(path.into());
        self
    }

    /// Opens both doors on free loopback ports and starts to answer.
    #[must_use]
    pub fn start(self) -> Simulator {
        let (api, api_url) = listen();
        let (uploads, upload_url) = listen();
        let transcript = self
            .transcript
            .clone()
            .or_else(|| std::env::var_os(TRANSCRIPT).map(PathBuf::from));
        let transcript = transcript.map(|path| Transcript::open(&path));

        let (listening, uploading) = (api_url.clone(), upload_url.clone());
        let (api_url, upload_url) = match &self.host {
            None => (api_url, upload_url),
            Some(host) => (
                format!("https://{host}/api/v3"),
                format!("https://{host}/api/uploads"),
            ),
        };

        let world = self.world(api_url, upload_url, Clock::Real { shift: 0 });
        let doors = Doors {
            api: listening,
            uploads: uploading,
        };
        Simulator::serve(Site::new(world), doors, transcript, api, uploads)
    }

    pub(crate) fn world(self, api_url: String, upload_url: String, clock: Clock) -> World {
        let (owner, name) = self
            .repository
            .split_once('/')
            .expect("a repository is written owner/name");
        World {
            identity: Identity {
                owner: owner.to_owned(),
                name: name.to_owned(),
                former_names: Vec::new(),
                id: self.repository_id,
                server_url: self.server_url,
                api_url,
                uploads_apart: false,
                storage_url: match &self.host {
                    None => upload_url.clone(),
                    Some(host) => format!("https://storage.{host}"),
                },
                upload_url,
            },
            settings: Settings {
                immutable_releases: false,
                actions_may_open_pulls: true,
                tag_creation_restricted: false,
                archived: self.archived,
                bare_dispatches: false,
                collaborators: self.collaborators,
                teams: self.teams,
                protected_tags: Vec::new(),
                rulesets: Vec::new(),
                last_ruleset: 0,
                classically_protected: BTreeSet::new(),
            },
            switches: BTreeSet::new(),
            verified: BTreeSet::new(),
            fresh: BTreeMap::new(),
            lag: freshness::LOOKS,
            secret: format!("{:016x}", RandomState::new().hash_one(self.repository_id)),
            git: Git::open(self.git_dir.as_deref(), (!self.empty).then(|| clock.now())),
            clock,
            rates: Rates::new(),
            releases: Vec::new(),
            latest: None,
            pulls: Vec::new(),
            actions: Actions::new(),
            comments: Vec::new(),
            last_comment: 0,
            burned_tags: BTreeSet::new(),
            last_release: 0,
            last_asset: 0,
            effects: Vec::new(),
        }
    }
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free loopback port");
    listener
        .set_nonblocking(true)
        .expect("a listener can be made non-blocking");
    let address = listener.local_addr().expect("a bound listener");
    (listener, format!("http://{address}"))
}
