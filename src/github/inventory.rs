//! Lists what a repository holds, page by page: releases, tags, pull requests, and the rules of its ledger branch.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use countersign_core::{
    asset::Outside,
    ledger::BRANCH,
    name::Repository,
    reconcile::{FoundAsset, FoundPull, FoundRelease, FoundTag},
    timestamp::Timestamp,
};

use super::{
    GitHub, Trouble,
    graphql::{PageInfo, Query, WhenTooCostly, largest_page},
};

const TAGS: Query<'_> = Query {
    when_too_costly: WhenTooCostly::AskForLess,
    ..Query::new(include_str!("documents/tags.graphql"))
};

/// Releases of one page: each brings all its assets.
const RELEASES: usize = 50;
/// Where so many are too much for one answer.
const FEW_RELEASES: usize = 5;
/// Bodies are long, and each pull request brings two repositories.
const PULLS: usize = 30;
/// GitHub lists at most so many of anything.
const MOST_LISTED: usize = 10_000;

#[derive(Deserialize)]
struct Release {
    id: u64,
    html_url: String,
    tag_name: String,
    target_commitish: Option<String>,
    name: Option<String>,
    body: Option<String>,
    draft: bool,
    prerelease: bool,
    created_at: Option<String>,
    published_at: Option<String>,
    updated_at: Option<String>,
    #[serde(default)]
    assets: Vec<Asset>,
}

#[derive(Deserialize)]
struct Asset {
    name: String,
    size: u64,
    digest: Option<String>,
    label: Option<String>,
    content_type: String,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    html_url: String,
    title: String,
    body: Option<String>,
    user: Option<Account>,
    created_at: Option<String>,
    head: Side,
    base: Side,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

#[derive(Deserialize)]
struct Side {
    label: Option<String>,
    r#ref: String,
    sha: String,
    repo: Option<Numbered>,
}

#[derive(Deserialize)]
struct Numbered {
    id: u64,
}

#[derive(Deserialize)]
struct Rule {
    r#type: String,
}

#[derive(Serialize)]
struct Place<'a> {
    owner: &'a str,
    name: &'a str,
    first: usize,
    after: Option<&'a String>,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<Refs>,
}

#[derive(Deserialize)]
struct Refs {
    refs: Option<Connection>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    nodes: Vec<Ref>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
struct Ref {
    name: String,
    target: Option<Object>,
}

/// A git object; a tag names another.
#[derive(Deserialize)]
struct Object {
    oid: String,
    message: Option<String>,
    target: Option<Box<Object>>,
}

/// The rules that guard the ledger.
pub(crate) enum LedgerRules {
    /// Their types.
    Shown(Vec<String>),
    /// Older servers do not show them.
    NotByThisServer,
    /// A private repository has none on a free plan.
    NotOnThisPlan,
}

/// Which pull requests are asked for.
pub(crate) struct WantedPulls<'a> {
    /// Those that were opened since then.
    pub(crate) since: Timestamp,
    /// Those that these accounts opened; their names are in lower case, as GitHub compares them.
    pub(crate) by: &'a BTreeSet<String>,
    /// And those with these numbers, whoever opened them and whenever.
    pub(crate) numbers: &'a BTreeSet<u64>,
    /// And those from these branches: a receipt may have opened one whose number is not known.
    pub(crate) branches: &'a BTreeSet<String>,
}

impl GitHub {
    /// Every release and, if the token may write, every draft. The commit of a release is that of its tag.
    pub(crate) async fn releases(
        &self,
        repository: &Repository,
        tags: &[FoundTag],
    ) -> Result<Vec<FoundRelease>, Trouble> {
        let commits: BTreeMap<&str, &str> = tags
            .iter()
            .map(|tag| (tag.name.as_str(), tag.commit.as_str()))
            .collect();
        let mut found = BTreeMap::new();
        for page in 1..=MOST_LISTED / RELEASES {
            let listed = self.release_page(repository, page).await?;
            let last = listed.len() < RELEASES;
            // A release that is made meanwhile moves the others on: one of them comes twice.
            found.extend(listed.into_iter().map(|release| (release.id, release)));
            if last {
                return Ok(found
                    .into_values()
                    .map(|release| release.found(&commits))
                    .collect());
            }
        }
        Err(endless("releases"))
    }

    async fn release_page(
        &self,
        repository: &Repository,
        page: usize,
    ) -> Result<Vec<Release>, Trouble> {
        let path = |size: usize, page: usize| {
            format!("/repos/{repository}/releases?per_page={size}&page={page}")
        };
        match self.read(&path(RELEASES, page)).await {
            Err(Trouble::TooLarge) => {}
            page => return page,
        }
        let mut listed: Vec<Release> = Vec::new();
        let parts = RELEASES / FEW_RELEASES;
        for part in 1..=parts {
            listed.extend(
                self.read::<Vec<Release>>(&path(FEW_RELEASES, (page - 1) * parts + part))
                    .await?,
            );
        }
        Ok(listed)
    }

    /// Every tag, and where it leads.
    pub(crate) async fn tags(&self, repository: &Repository) -> Result<Vec<FoundTag>, Trouble> {
        let (owner, name) = repository.parts();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = |first| Place {
                owner,
                name,
                first,
                after: after.as_ref(),
            };
            let reply =
                largest_page(async |first| self.query::<Data>(&TAGS, page(first)).await).await?;
            let refs = reply
                .data
                .and_then(|data| data.repository)
                .and_then(|repository| repository.refs);
            let page = refs.ok_or_else(|| garbage("a repository without a list of tags"))?;
            found.extend(
                page.nodes
                    .into_iter()
                    .map(Ref::found)
                    .collect::<Result<Vec<_>, _>>()?,
            );
            after = page.page_info.next()?;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// The pull requests that are wanted; those with a number are looked up if they are older.
    pub(crate) async fn pulls(
        &self,
        repository: &Repository,
        wanted: &WantedPulls<'_>,
    ) -> Result<Vec<FoundPull>, Trouble> {
        let mut found = BTreeMap::new();
        'pages: for page in 1.. {
            if page > MOST_LISTED.div_ceil(PULLS) {
                return Err(endless("pull requests"));
            }
            let path = format!(
                "/repos/{repository}/pulls?state=all&sort=created&direction=desc&per_page={PULLS}&page={page}"
            );
            let listed: Vec<Pull> = self.read(&path).await?;
            let last = listed.len() < PULLS;
            for pull in listed.into_iter().map(|pull| pull.found(wanted.by)) {
                if pull.opened_at.is_some_and(|at| at < wanted.since) {
                    break 'pages;
                }
                if pull.needs_receipt
                    || wanted.numbers.contains(&pull.number)
                    || wanted.branches.contains(&pull.head_branch)
                {
                    found.insert(pull.number, pull);
                }
            }
            if last {
                break;
            }
        }
        for number in wanted
            .numbers
            .iter()
            .filter(|number| !found.contains_key(number))
            .copied()
            .collect::<Vec<_>>()
        {
            match self
                .read::<Pull>(&format!("/repos/{repository}/pulls/{number}"))
                .await
            {
                Ok(pull) => drop(found.insert(number, pull.found(wanted.by))),
                Err(Trouble::NotFound { .. }) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(found.into_values().collect())
    }

    /// The rules that guard the ledger, as far as GitHub shows them.
    pub(crate) async fn ledger_rules(
        &self,
        repository: &Repository,
    ) -> Result<LedgerRules, Trouble> {
        match self
            .read::<Vec<Rule>>(&format!(
                "/repos/{repository}/rules/branches/{BRANCH}?per_page=100"
            ))
            .await
        {
            Ok(rules) => Ok(LedgerRules::Shown(
                rules.into_iter().map(|rule| rule.r#type).collect(),
            )),
            Err(Trouble::NotFound { .. }) => Ok(LedgerRules::NotByThisServer),
            Err(Trouble::PaidPlan { .. }) => Ok(LedgerRules::NotOnThisPlan),
            Err(trouble) => Err(trouble),
        }
    }
}

fn garbage(reason: &str) -> Trouble {
    Trouble::Garbage {
        reason: reason.into(),
    }
}

fn endless(what: &str) -> Trouble {
    Trouble::Garbage {
        reason: format!("more than {MOST_LISTED} {what}, and GitHub lists no more"),
    }
}

/// A moment that cannot be read is none: what has it counts as new.
fn moment(text: Option<&String>) -> Option<Timestamp> {
    text?.parse().ok()
}

impl Release {
    fn found(self, commits: &BTreeMap<&str, &str>) -> FoundRelease {
        let published_at = moment(self.published_at.as_ref()).filter(|_| !self.draft);
        let own = [&self.created_at, &self.published_at, &self.updated_at];
        let of_assets = self.assets.iter().map(|asset| &asset.updated_at);
        let changed_at = own
            .into_iter()
            .chain(of_assets)
            .filter_map(|at| moment(at.as_ref()))
            .max();
        let tagged = commits
            .get(self.tag_name.as_str())
            .map(|commit| (*commit).to_owned());
        let asset = |asset: Asset| FoundAsset {
            name: asset.name,
            size: asset.size,
            digest: asset.digest,
            outside: Outside {
                label: asset.label,
                content_type: asset.content_type,
            },
        };
        FoundRelease {
            id: self.id,
            commit: if self.draft {
                self.target_commitish
            } else {
                tagged
            },
            tag_name: self.tag_name,
            name: self.name.unwrap_or_default(),
            body: self.body.unwrap_or_default(),
            draft: self.draft,
            prerelease: self.prerelease,
            assets: self.assets.into_iter().map(asset).collect(),
            published_at,
            changed_at,
            url: self.html_url,
        }
    }
}

impl Ref {
    fn found(self) -> Result<FoundTag, Trouble> {
        let target = self
            .target
            .ok_or_else(|| garbage("a tag that leads nowhere"))?;
        let mut last = &target;
        while let Some(next) = &last.target {
            last = next;
        }
        Ok(FoundTag {
            name: self.name,
            object: target.oid.clone(),
            commit: last.oid.clone(),
            message: target.message,
            is_known: false,
        })
    }
}

impl Pull {
    fn found(self, by: &BTreeSet<String>) -> FoundPull {
        let here = self.head.repo.as_ref().map(|repo| repo.id)
            == self.base.repo.as_ref().map(|repo| repo.id);
        // A fork's branch of the same name is another branch.
        let head_branch = if here {
            self.head.r#ref
        } else {
            self.head
                .label
                .unwrap_or_else(|| format!("?:{}", self.head.r#ref))
        };
        // Who deleted their account is no one, and no job.
        let author = self
            .user
            .map_or_else(|| "ghost".to_owned(), |user| user.login);
        FoundPull {
            number: self.number,
            needs_receipt: by.contains(&author.to_ascii_lowercase()),
            author,
            title: self.title,
            body: self.body.unwrap_or_default(),
            head_branch,
            head_sha: self.head.sha,
            base_branch: self.base.r#ref,
            opened_at: moment(self.created_at.as_ref()),
            url: self.html_url,
        }
    }
}
