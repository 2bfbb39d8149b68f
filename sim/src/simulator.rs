//! The handle that tests hold: it starts the server, looks into it and changes its world.
#![expect(clippy::must_use_candidate, reason = "what makes commits and refs is called for what it does")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use git2::Oid;
use tokio::sync::oneshot;

use crate::builder::Builder;
use crate::fault::Fault;
use crate::git::{Change, Person};
use crate::log::{Event, Kind};
use crate::permission::Permissions;
use crate::record::{PullRecord, ReleaseRecord};
use crate::server::{self, Shared};
use crate::world::World;

/// A running GitHub with one repository. Dropping it stops the server.
pub struct Simulator {
    pub(crate) shared: Arc<Shared>,
    api_url: String,
    repository: String,
    repository_id: u64,
    git_dir: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
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

    pub(crate) fn serve(world: World, api: TcpListener, uploads: TcpListener) -> Self {
        let api_url = world.identity.api_url.clone();
        let repository = world.identity.full_name();
        let repository_id = world.identity.id;
        let git_dir = world.git.directory().to_owned();
        let shared = Arc::new(Shared::new(world));
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("github simulator".to_owned())
            .spawn(move || server::run(&served, api, uploads, stopped))
            .expect("a thread");
        Self { shared, api_url, repository, repository_id, git_dir, stop: Some(stop), thread: Some(thread) }
    }

    /// The REST root, without a slash at the end.
    #[must_use]
    pub fn api_url(&self) -> String {
        self.api_url.clone()
    }

    /// The root of uploads, without a slash at the end.
    #[must_use]
    pub fn uploads_url(&self) -> String {
        self.shared.world(|world| world.identity.upload_url.clone())
    }

    /// The GraphQL address.
    #[must_use]
    pub fn graphql_url(&self) -> String {
        format!("{}/graphql", self.api_url)
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

    /// Mints a new token with these permissions.
    #[must_use]
    pub fn token(&self, permissions: Permissions) -> String {
        self.shared.world(|world| {
            let token = format!("ghs_simulated{:023}", world.tokens.len() + 1);
            world.tokens.insert(token.clone(), permissions);
            token
        })
    }

    /// Adds a commit with these files to a branch, which starts at the default branch's head when
    /// it is missing; gives the commit's oid.
    pub fn commit(&self, branch: &str, files: &[(&str, &[u8])]) -> String {
        let changes: Vec<Change<'_>> = files.iter().map(|(path, bytes)| (*path, Some(*bytes))).collect();
        self.change(branch, &changes)
    }

    /// Adds a commit that removes these files from a branch; gives the commit's oid.
    pub fn remove(&self, branch: &str, paths: &[&str]) -> String {
        let changes: Vec<Change<'_>> = paths.iter().map(|path| (*path, None)).collect();
        self.change(branch, &changes)
    }

    fn change(&self, branch: &str, changes: &[Change<'_>]) -> String {
        self.shared.world(|world| {
            let git = &world.git;
            let parent = git.head(branch).or_else(|| git.head(&git.default_branch())).expect("the default branch has a head");
            let person = Person::octocat(world.now());
            let paths: Vec<&str> = changes.iter().map(|(path, _)| *path).collect();
            let message = format!("Change {}\n", paths.join(", "));
            let oid = git.commit_on(parent, changes, &message, &person, &person).expect("a commit on top of a known parent");
            git.set_reference(&format!("refs/heads/{branch}"), oid).expect("a branch can be moved");
            oid.to_string()
        })
    }

    /// Makes an orphan branch (without any parent) that holds these files; gives the commit's oid.
    pub fn orphan(&self, branch: &str, files: &[(&str, &[u8])]) -> String {
        self.shared.world(|world| {
            let changes: Vec<Change<'_>> = files.iter().map(|(path, bytes)| (*path, Some(*bytes))).collect();
            let git = &world.git;
            let person = Person::octocat(world.now());
            let tree = git.changed_tree(None, &changes).expect("a tree");
            let oid = git.write_commit(tree, &[], "Start\n", &person, &person).expect("a root commit");
            git.set_reference(&format!("refs/heads/{branch}"), oid).expect("a branch can be made");
            oid.to_string()
        })
    }

    /// Sets a lightweight tag.
    pub fn tag(&self, name: &str, commit_oid: &str) {
        self.set_ref(&format!("refs/tags/{name}"), commit_oid);
    }

    /// Makes an annotated tag and gives the tag object's oid.
    pub fn annotated_tag(&self, name: &str, commit_oid: &str, message: &str) -> String {
        let tag = self.shared.world(|world| {
            let repository = &world.git.repository;
            let tagger = Person::octocat(world.now()).signature();
            let object = repository.find_object(oid(commit_oid), None);
            repository
                .tag_annotation_create(name, &object.expect("a known commit"), &tagger.expect("a valid tagger"), message)
                .expect("a tag object")
                .to_string()
        });
        self.tag(name, &tag);
        tag
    }

    /// Points a full ref name at an object, whatever it was before.
    pub fn set_ref(&self, name: &str, object: &str) {
        self.shared.world(|world| {
            world.git.set_reference(name, oid(object)).expect("a ref to a known object");
        });
    }

    /// Deletes a ref by its full name; gives whether it was there.
    pub fn delete_ref(&self, name: &str) -> bool {
        self.shared.world(|world| world.git.delete_reference(name))
    }

    /// What a full ref name points at, unpeeled.
    #[must_use]
    pub fn ref_oid(&self, name: &str) -> Option<String> {
        self.shared.world(|world| world.git.reference(name)).map(|oid| oid.to_string())
    }

    /// A file's bytes at the head of a branch.
    #[must_use]
    pub fn read_file(&self, branch: &str, path: &str) -> Option<Vec<u8>> {
        self.shared.world(|world| world.git.file(world.git.head(branch)?, path))
    }

    /// Every release, drafts too, oldest first.
    #[must_use]
    pub fn releases(&self) -> Vec<ReleaseRecord> {
        self.shared.world(|world| world.releases.clone())
    }

    /// Every pull request, oldest first.
    #[must_use]
    pub fn pulls(&self) -> Vec<PullRecord> {
        self.shared.world(|world| world.pulls.clone())
    }

    /// Closes a pull request.
    pub fn close_pull(&self, number: u64) {
        self.shared.world(|world| {
            let pull = world.pull_mut(number).expect("a known pull request");
            "closed".clone_into(&mut pull.state);
        });
    }

    /// Every request in order of arrival.
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

    /// What requests really changed, in order.
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

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server's thread has printed itself; a second one here would abort.
            let _ = thread.join();
        }
    }
}

fn oid(text: &str) -> Oid {
    Oid::from_str(text).expect("an oid in hex")
}
