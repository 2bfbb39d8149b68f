//! Removes what a rehearsal made: what it noted, and whatever else bears its name.

use http::Method;
use octocrab::OctoBody;
use serde_json::{Value, json};

use countersign_core::ledger::BRANCH;

use super::{
    Ask,
    scratch::{Made, PREFIX, Scratch},
};
use crate::github::{GitHub, Trouble, encoded, encoded_path, json_request, request};

/// Pages of a hundred that are looked through for what bears the rehearsal's name.
const MAX_PAGES: usize = 10;

impl GitHub {
    /// Removes everything, and returns what could not be removed, with the reason.
    pub(crate) async fn remove_rehearsed(&self, scratch: &Scratch) -> Vec<String> {
        let mut left = Vec::new();
        // Lists may lag, and answers may have been lost: both what was noted and what is listed are removed.
        for listing in [
            Listing::Pulls,
            Listing::Releases,
            Listing::Rulesets,
            Listing::Branches,
            Listing::Tags,
            Listing::Labels,
        ] {
            let Err(trouble) = self.note_listed(scratch, listing).await else {
                continue;
            };
            if !listing.is_needless(scratch, &trouble) {
                left.push(format!("{} could not be listed: {trouble}", listing.name()));
            }
        }
        let mut made = scratch.made();
        made.sort_by_key(order);
        for made in made {
            match self.remove_one(scratch, &made).await {
                Ok(()) => scratch.forget(&made),
                Err(trouble) => left.push(format!("{}: {trouble}", made.name())),
            }
        }
        left
    }

    async fn note_listed(&self, scratch: &Scratch, listing: Listing) -> Result<(), Trouble> {
        for page in 1..=MAX_PAGES {
            let listed = self
                .listed(&scratch.path(&format!("{}&page={page}", listing.path())))
                .await?;
            listed
                .iter()
                .filter_map(|found| listing.ours(found))
                .for_each(|made| {
                    scratch.note(made);
                });
            if listed.len() < 100 {
                break;
            }
        }
        Ok(())
    }

    /// What is not there any more is removed.
    async fn remove_one(&self, scratch: &Scratch, made: &Made) -> Result<(), Trouble> {
        let path = |below: String| self.endpoints.rest(&scratch.path(&below));
        let remove = async || {
            let removal = match made {
                Made::Pull(number) => json_request(
                    Method::PATCH,
                    &path(format!("pulls/{number}")),
                    &json!({ "state": "closed" }),
                )?,
                other => request(Method::DELETE, &path(place(other)), OctoBody::empty())?,
            };
            match self.send(removal).await {
                // What the plan does not offer was not made either.
                Ok(_) | Err(Trouble::NotFound { .. } | Trouble::PaidPlan { .. }) => Ok(()),
                Err(Trouble::Validation { message, .. })
                    if message.starts_with("Reference does not exist") =>
                {
                    Ok(())
                }
                Err(trouble) => Err(trouble),
            }
        };
        self.again(remove).await
    }
}

/// A kind of thing that GitHub lists.
#[derive(Clone, Copy)]
enum Listing {
    Pulls,
    Releases,
    Rulesets,
    Branches,
    Tags,
    Labels,
}

impl Listing {
    const fn name(self) -> &'static str {
        match self {
            Self::Pulls => "pull requests",
            Self::Releases => "releases",
            Self::Rulesets => "rulesets",
            Self::Branches => "branches",
            Self::Tags => "tags",
            Self::Labels => "labels",
        }
    }

    /// Whether nothing can be left although the list is refused: a plan without rulesets refuses
    /// theirs, and a token that may not list them made none, unless one is noted.
    fn is_needless(self, scratch: &Scratch, trouble: &Trouble) -> bool {
        let has_no_rulesets = matches!(
            (self, trouble),
            (
                Self::Rulesets,
                Trouble::Authorization { .. } | Trouble::PaidPlan { .. }
            )
        );
        has_no_rulesets || (trouble.may_lack_a_permission() && !self.is_noted(scratch))
    }

    /// Whether the rehearsal noted that it made something of this kind.
    fn is_noted(self, scratch: &Scratch) -> bool {
        scratch.made().iter().any(|made| {
            matches!(
                (self, made),
                (Self::Pulls, Made::Pull(_))
                    | (Self::Releases, Made::Release(_))
                    | (Self::Rulesets, Made::Ruleset(_))
                    | (Self::Branches | Self::Tags, Made::Ref(_))
                    | (Self::Labels, Made::Label(_))
            )
        })
    }

    fn path(self) -> String {
        match self {
            Self::Pulls => "pulls?state=open&per_page=100".into(),
            Self::Releases => "releases?per_page=100".into(),
            Self::Rulesets => "rulesets?per_page=100".into(),
            Self::Branches => format!("git/matching-refs/heads/{PREFIX}?per_page=100"),
            Self::Tags => format!("git/matching-refs/tags/{PREFIX}?per_page=100"),
            Self::Labels => "labels?per_page=100".into(),
        }
    }

    /// What is listed, if it bears the rehearsal's name.
    fn ours(self, found: &Value) -> Option<Made> {
        let ours = |name: &Value| name.as_str().is_some_and(|name| name.starts_with(PREFIX));
        match self {
            Self::Pulls if ours(&found["head"]["ref"]) => found["number"].as_u64().map(Made::Pull),
            Self::Releases if ours(&found["tag_name"]) => found["id"].as_u64().map(Made::Release),
            Self::Rulesets if ours(&found["name"]) => found["id"].as_u64().map(Made::Ruleset),
            Self::Branches => ref_below("refs/heads/", found),
            Self::Tags => ref_below("refs/tags/", found),
            Self::Labels if ours(&found["name"]) => {
                found["name"].as_str().map(|name| Made::Label(name.into()))
            }
            _ => None,
        }
    }
}

/// Whatever the server matched: only what bears the name is removed.
fn ref_below(space: &str, found: &Value) -> Option<Made> {
    let name = found["ref"].as_str()?;
    let ours = name.strip_prefix(space)?.starts_with(PREFIX);
    ours.then(|| Made::Ref(name.into()))
}

impl Made {
    fn name(&self) -> String {
        match self {
            Self::Ref(name) => name.clone(),
            Self::Release(id) => format!("release {id}"),
            Self::Pull(number) => format!("pull request {number}"),
            Self::Label(name) => format!("label `{name}`"),
            Self::Ruleset(id) => format!("ruleset {id}"),
            Self::Protection(branch) => format!("protection of the branch `{branch}`"),
            Self::CommitComment(id) => format!("commit comment {id}"),
            Self::Ledger => format!("refs/heads/{BRANCH}"),
        }
    }
}

/// Pull requests before their branches, releases before their tags, rules before what they guard.
const fn order(made: &Made) -> u8 {
    match made {
        Made::Pull(_) => 0,
        Made::Release(_) => 1,
        Made::Ruleset(_) | Made::Protection(_) => 2,
        Made::CommitComment(_) => 3,
        Made::Label(_) => 4,
        Made::Ref(_) => 5,
        Made::Ledger => 6,
    }
}

/// The REST path by which it is deleted; a pull request can only be closed.
fn place(made: &Made) -> String {
    match made {
        Made::Ref(name) => format!("git/{}", encoded_path(name)),
        Made::Release(id) => format!("releases/{id}"),
        Made::Pull(number) => format!("pulls/{number}"),
        Made::Label(name) => format!("labels/{}", encoded(name)),
        Made::Ruleset(id) => format!("rulesets/{id}"),
        Made::Protection(branch) => format!("branches/{}/protection", encoded(branch)),
        Made::CommitComment(id) => format!("comments/{id}"),
        Made::Ledger => format!("git/refs/heads/{BRANCH}"),
    }
}

impl Ask {
    /// Takes one thing away before the end.
    pub(crate) fn removal(made: &Made) -> Self {
        Self::delete(place(made))
    }
}
