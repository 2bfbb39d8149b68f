//! The handle that tests hold: it starts the server, looks into a repository and changes it.
#![expect(
    clippy::must_use_candidate,
    reason = "what makes commits and refs is called for what it does"
)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::Oid;

use crate::builder::Builder;
use crate::fault::Fault;
use crate::git::{Change, Person};
use crate::log::{Event, Kind};
use crate::permission::{Grant, Permissions};
use crate::record::{PullRecord, ReleaseRecord};
use crate::server::{Server, Shared};
use crate::site::Site;
use crate::transcript::Transcript;
use crate::world::World;

/// The addresses that the simulator listens at.
#[derive(Clone)]
pub(crate) struct Doors {
    pub(crate) api: String,
    pub(crate) uploads: String,
}

/// One repository of a running GitHub. Dropping the last handle stops the server.
pub struct Simulator {
    pub(crate) shared: Arc<Shared>,
    doors: Doors,
    /// Its place among the repositories of this server.
    place: usize,
    repository: String,
    repository_id: u64,
    git_dir: PathBuf,
    server: Arc<Server>,
}

impl Simulator {
    /// Starts one with every default.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Chooses before starting.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn serve(
        site: Site,
        doors: Doors,
        transcript: Option<Transcript>,
        api: TcpListener,
        uploads: TcpListener,
    ) -> Self {
        let shared = Arc::new(Shared::new(site, transcript));
        let server = Server::start(Arc::clone(&shared), api, uploads);
        Self::at(0, shared, doors, Arc::new(server))
    }

    fn at(place: usize, shared: Arc<Shared>, doors: Doors, server: Arc<Server>) -> Self {
        let (repository, repository_id, git_dir) = shared.world(place, |world| {
            let identity = &world.identity;
            (
                identity.full_name(),
                identity.id,
                world.git.directory().to_owned(),
            )
        });
        Self {
            shared,
            doors,
            place,
            repository,
            repository_id,
            git_dir,
            server,
        }
    }

    /// Adds a repository behind the same two ports, with every default and one commit on `main`; gives its handle.
    /// Log, faults, clock and delay are those of all; the rest is the repository's own.
    #[must_use]
    pub fn beside(&self, full_name: &str, id: u64) -> Self {
        let place = self.shared.site(|site| {
            let taken = site.worlds.iter().any(|world| {
                world.identity.id == id
                    || world.identity.full_name().eq_ignore_ascii_case(full_name)
            });
            assert!(!taken, "there is a repository {full_name} or {id} already");
            let (first, place) = (&site.worlds[0], site.worlds.len());
            let (identity, clock) = (&first.identity, first.clock);
            let builder = Self::builder()
                .repository(full_name)
                .repository_id(id)
                .server_url(&identity.server_url);
            let storage_url = identity.storage_url.clone();
            let mut world =
                builder.world(identity.api_url.clone(), identity.upload_url.clone(), clock);
            world.identity.storage_url = storage_url;
            site.worlds.push(world);
            place
        });
        let doors = self.doors.clone();
        Self::at(
            place,
            Arc::clone(&self.shared),
            doors,
            Arc::clone(&self.server),
        )
    }

    /// Works on the repository under the lock.
    pub(crate) fn world<R>(&self, work: impl FnOnce(&mut World) -> R) -> R {
        self.shared.world(self.place, work)
    }

    /// The REST root, without a slash at the end.
    #[must_use]
    pub fn api_url(&self) -> String {
        self.doors.api.clone()
    }

    /// The root of uploads, without a slash at the end.
    #[must_use]
    pub fn uploads_url(&self) -> String {
        self.doors.uploads.clone()
    }

    /// The GraphQL address.
    #[must_use]
    pub fn graphql_url(&self) -> String {
        format!("{}/graphql", self.doors.api)
    }

    /// `owner/name` in its canonical case.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The repository's numeric id.
    #[must_use]
    pub fn repository_id(&self) -> u64 {
        self.repository_id
    }

    /// The bare repository.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Mints a new token with these permissions for this repository alone, as a job's token is.
    #[must_use]
    pub fn token(&self, permissions: Permissions) -> String {
        self.mint("ghs", Grant::of(permissions, self.place))
    }

    /// Mints a new token with these permissions in every repository; it spends the budget of this one.
    #[must_use]
    pub fn token_everywhere(&self, permissions: Permissions) -> String {
        self.mint("ghs", Grant::everywhere(permissions, self.place))
    }

    /// Mints a user's token with these permissions for this repository: what `gh auth token`
    /// prints. Commits that it makes through the git data API are unsigned.
    #[must_use]
    pub fn person_token(&self, permissions: Permissions) -> String {
        self.mint("gho", Grant::person(permissions, self.place))
    }

    fn mint(&self, prefix: &str, grant: Grant) -> String {
        self.shared.site(|site| {
            let token = format!("{prefix}_simulated{:023}", site.tokens.len() + 1);
            site.tokens.insert(token.clone(), grant);
            token
        })
    }

    /// Adds a commit with these files to a branch, which starts at the default branch's head when
    /// it is missing, or at a root; returns the commit's oid.
    pub fn commit(&self, branch: &str, files: &[(&str, &[u8])]) -> String {
        let changes: Vec<Change<'_>> = files
            .iter()
            .map(|(path, bytes)| (*path, Some(*bytes)))
            .collect();
        self.change(branch, &changes)
    }

    /// Adds a commit that removes these files from a branch; gives the commit's oid.
    pub fn remove(&self, branch: &str, paths: &[&str]) -> String {
        let changes: Vec<Change<'_>> = paths.iter().map(|path| (*path, None)).collect();
        self.change(branch, &changes)
    }

    fn change(&self, branch: &str, changes: &[Change<'_>]) -> String {
        self.world(|world| {
            let git = &world.git;
            let parent = git.head(branch).or_else(|| git.head(&git.default_branch()));
            let person = Person::octocat(world.now());
            let paths: Vec<&str> = changes.iter().map(|(path, _)| *path).collect();
            let message = format!("Change {}\n", paths.join(", "));
            let oid = match parent {
                Some(parent) => git.commit_on(parent, changes, &message, &person, &person),
                None => git
                    .changed_tree(None, changes)
                    .and_then(|tree| git.write_commit(tree, &[], &message, &person, &person)),
            };
            let oid = oid.expect("a commit on top of a known parent");
            git.set_reference(&format!("refs/heads/{branch}"), oid)
                .expect("a branch can be moved");
            oid.to_string()
        })
    }

    /// Makes an orphan branch (without any parent) that holds these files; gives the commit's oid.
    pub fn orphan(&self, branch: &str, files: &[(&str, &[u8])]) -> String {
        self.world(|world| {
            let changes: Vec<Change<'_>> = files
                .iter()
                .map(|(path, bytes)| (*path, Some(*bytes)))
                .collect();
            let git = &world.git;
            let person = Person::octocat(world.now());
            let tree = git.changed_tree(None, &changes).expect("a tree");
            let oid = git
                .write_commit(tree, &[], "Start\n", &person, &person)
                .expect("a root commit");
            git.set_reference(&format!("refs/heads/{branch}"), oid)
                .expect("a branch can be made");
            oid.to_string()
        })
    }

    /// Sets a lightweight tag.
    pub fn tag(&self, name: &str, commit_oid: &str) {
        self.set_ref(&format!("refs/tags/{name}"), commit_oid);
    }

    /// Makes an annotated tag and gives the tag object's oid.
    pub fn annotated_tag(&self, name: &str, commit_oid: &str, message: &str) -> String {
        let tag = self.world(|world| {
            let repository = &world.git.repository;
            let tagger = Person::octocat(world.now()).signature();
            let object = repository.find_object(oid(commit_oid), None);
            repository
                .tag_annotation_create(
                    name,
                    &object.expect("a known commit"),
                    &tagger.expect("a valid tagger"),
                    message,
                )
                .expect("a tag object")
                .to_string()
        });
        self.tag(name, &tag);
        tag
    }

    /// Points a full ref name at an object, whatever it was before.
    pub fn set_ref(&self, name: &str, object: &str) {
        self.world(|world| {
            world
                .git
                .set_reference(name, oid(object))
                .expect("a ref to a known object");
        });
    }

    /// Deletes a ref by its full name; gives whether it was there.
    pub fn delete_ref(&self, name: &str) -> bool {
        self.world(|world| {
            world.remember_heads();
            world.git.delete_reference(name)
        })
    }

    /// What a full ref name points at, unpeeled.
    #[must_use]
    pub fn ref_oid(&self, name: &str) -> Option<String> {
        self.world(|world| world.git.reference(name))
            .map(|oid| oid.to_string())
    }

    /// A file's bytes at the head of a branch.
    #[must_use]
    pub fn read_file(&self, branch: &str, path: &str) -> Option<Vec<u8>> {
        self.world(|world| world.git.file(world.git.head(branch)?, path))
    }

    /// Every release, drafts too, oldest first.
    #[must_use]
    pub fn releases(&self) -> Vec<ReleaseRecord> {
        self.world(|world| world.releases.clone())
    }

    /// Every pull request, oldest first.
    #[must_use]
    pub fn pulls(&self) -> Vec<PullRecord> {
        self.world(|world| world.pulls.clone())
    }

    /// Makes somebody else the one who opened a pull request.
    pub fn open_pull_as(&self, login: &str, number: u64) {
        self.world(|world| {
            let pull = world.pull_mut(number).expect("a known pull request");
            login.clone_into(&mut pull.author);
        });
    }

    /// Closes a pull request.
    pub fn close_pull(&self, number: u64) {
        self.world(|world| {
            let pull = world.pull_mut(number).expect("a known pull request");
            "closed".clone_into(&mut pull.state);
        });
    }

    /// Every request in order of arrival, whichever repository it was for.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.shared.log.events()
    }

    /// Every request that could have changed something, the refused ones too.
    #[must_use]
    pub fn writes(&self) -> Vec<Event> {
        let mut events = self.events();
        events.retain(|event| event.kind == Kind::Write);
        events
    }

    /// What requests really changed, in order, in whichever repository.
    #[must_use]
    pub fn effects(&self) -> Vec<String> {
        self.shared.log.effects()
    }

    /// Blocks until the log satisfies `wanted`; panics after 30 seconds. The log is locked while
    /// `wanted` looks at it, so it must not use the simulator.
    pub fn wait_until(&self, wanted: impl Fn(&[Event]) -> bool) {
        self.shared.log.wait_until(wanted);
    }

    /// Plans a fault; several that are due together meet one request after the other.
    pub fn plan(&self, fault: Fault) {
        self.shared.plan.lock().add(fault);
    }

    /// Forgets every planned fault that no request has met yet.
    pub fn forget_faults(&self) {
        self.shared.plan.lock().forget();
    }
}

fn oid(text: &str) -> Oid {
    Oid::from_str(text).expect("an oid in hex")
}
