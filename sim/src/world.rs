//! Everything the simulated GitHub knows of one repository.

use std::collections::{BTreeMap, BTreeSet};

use git2::Oid;

use crate::actions::Actions;
use crate::clock::Clock;
use crate::freshness::Fresh;
use crate::git::Git;
use crate::rate::Rates;
use crate::record::{CommentRecord, PullRecord, ReleaseRecord};
use crate::ruleset::Ruleset;
use crate::switch::Switch;

/// Who and where the repository is.
pub(crate) struct Identity {
    pub(crate) owner: String,
    pub(crate) name: String,
    /// Owners and names that it had before, which redirect.
    pub(crate) former_names: Vec<(String, String)>,
    pub(crate) id: u64,
    /// `https://github.com`: where `html_url`s point.
    pub(crate) server_url: String,
    pub(crate) api_url: String,
    pub(crate) upload_url: String,
    /// Uploads go to a separate host: `uploads.` before that of the API.
    pub(crate) uploads_apart: bool,
    /// Where artifacts and release assets are stored, which needs no token.
    pub(crate) storage_url: String,
}

impl Identity {
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// GitHub compares owners and names without regard to case.
    pub(crate) fn is(&self, owner: &str, name: &str) -> bool {
        self.owner.eq_ignore_ascii_case(owner) && self.name.eq_ignore_ascii_case(name)
    }

    /// Whether the repository was called so before.
    pub(crate) fn was(&self, owner: &str, name: &str) -> bool {
        let same = |(old_owner, old_name): &(String, String)| {
            old_owner.eq_ignore_ascii_case(owner) && old_name.eq_ignore_ascii_case(name)
        };
        self.former_names.iter().any(same)
    }

    /// The node id of a ref.
    pub(crate) fn ref_id(&self, name: &str) -> String {
        format!("REF_{}:{name}", self.id)
    }

    /// The root of uploads as releases name it.
    pub(crate) fn upload_url(&self) -> String {
        if !self.uploads_apart {
            return self.upload_url.clone();
        }
        let (scheme, rest) = self.api_url.split_once("://").unwrap_or(("https", ""));
        let authority = rest.split('/').next().unwrap_or_default();
        // An address has no subdomains; its name has.
        let authority = authority.replacen("127.0.0.1", "localhost", 1);
        format!("{scheme}://uploads.{authority}")
    }

    /// REST address of the repository.
    pub(crate) fn api(&self) -> String {
        format!("{}/repos/{}", self.api_url, self.full_name())
    }

    /// Web address of the repository.
    pub(crate) fn html(&self) -> String {
        format!("{}/{}", self.server_url, self.full_name())
    }
}

/// What an administrator of the repository decides.
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are GitHub's own independent switches"
)]
pub(crate) struct Settings {
    pub(crate) immutable_releases: bool,
    pub(crate) actions_may_open_pulls: bool,
    pub(crate) tag_creation_restricted: bool,
    pub(crate) archived: bool,
    /// Dispatches are answered without the run that they made.
    pub(crate) bare_dispatches: bool,
    pub(crate) collaborators: Vec<String>,
    pub(crate) teams: Vec<String>,
    /// Patterns of tags that may be neither moved nor deleted; one `*` is a wildcard.
    pub(crate) protected_tags: Vec<String>,
    /// Those of the repository and those of its organization.
    pub(crate) rulesets: Vec<Ruleset>,
    pub(crate) last_ruleset: u64,
    /// Branches under classic branch protection.
    pub(crate) classically_protected: BTreeSet<String>,
}

/// The state of one repository.
pub(crate) struct World {
    pub(crate) identity: Identity,
    pub(crate) settings: Settings,
    /// What a test has turned on.
    pub(crate) switches: BTreeSet<Switch>,
    /// What looks still miss, with how many of them.
    pub(crate) fresh: BTreeMap<Fresh, usize>,
    pub(crate) lag: usize,
    /// What makes addresses in the storage of assets impossible to guess.
    pub(crate) secret: String,
    pub(crate) git: Git,
    /// Commits that GitHub has signed.
    pub(crate) verified: BTreeSet<Oid>,
    pub(crate) clock: Clock,
    pub(crate) rates: Rates,
    pub(crate) releases: Vec<ReleaseRecord>,
    pub(crate) latest: Option<u64>,
    pub(crate) pulls: Vec<PullRecord>,
    pub(crate) actions: Actions,
    pub(crate) comments: Vec<CommentRecord>,
    pub(crate) last_comment: u64,
    /// Tag names that an immutable release once held; they never come back.
    pub(crate) burned_tags: BTreeSet<String>,
    pub(crate) last_release: u64,
    pub(crate) last_asset: u64,
    /// What the request in hand has changed so far.
    pub(crate) effects: Vec<String>,
}

impl World {
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Without any branch GitHub has no git database.
    pub(crate) fn is_empty(&self) -> bool {
        !self.git.has_branches()
    }

    pub(crate) fn effect(&mut self, text: impl Into<String>) {
        self.effects.push(text.into());
    }

    pub(crate) fn release(&self, id: u64) -> Option<&ReleaseRecord> {
        self.releases.iter().find(|release| release.id == id)
    }

    pub(crate) fn release_mut(&mut self, id: u64) -> Option<&mut ReleaseRecord> {
        self.releases.iter_mut().find(|release| release.id == id)
    }

    /// The published release of a tag.
    pub(crate) fn published(&self, tag: &str) -> Option<&ReleaseRecord> {
        self.releases
            .iter()
            .find(|release| !release.draft && release.tag_name == tag)
    }

    pub(crate) fn pull(&self, number: u64) -> Option<&PullRecord> {
        self.pulls.iter().find(|pull| pull.number == number)
    }

    pub(crate) fn pull_mut(&mut self, number: u64) -> Option<&mut PullRecord> {
        self.pulls.iter_mut().find(|pull| pull.number == number)
    }

    /// Where these branches lead now, by their names.
    pub(crate) fn heads_of<const N: usize>(&self, branches: [&str; N]) -> BTreeMap<String, String> {
        let found = branches.into_iter().filter_map(|branch| {
            let head = self.git.head(branch)?;
            Some((branch.to_owned(), head.to_string()))
        });
        found.collect()
    }

    /// Notes where the branches of all pull requests lead, before one of them is deleted.
    pub(crate) fn remember_heads(&mut self) {
        for index in 0..self.pulls.len() {
            let pull = &self.pulls[index];
            let heads = self.heads_of([pull.head.as_str(), pull.base.as_str()]);
            self.pulls[index].heads.extend(heads);
        }
    }
}
