//! Releases, assets, pull requests and dispatches as the simulator keeps them and tests read them.

use std::collections::BTreeMap;

/// A release, draft or published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReleaseRecord {
    /// Numeric id, from 1.
    pub id: u64,
    /// The tag it is for; a draft's tag need not exist.
    pub tag_name: String,
    /// Title.
    pub name: Option<String>,
    /// Notes.
    pub body: Option<String>,
    /// Not yet published.
    pub draft: bool,
    /// Marked as a pre-release.
    pub prerelease: bool,
    /// The last `make_latest` that a request carried: `true`, `false` or `legacy`.
    pub make_latest: Option<String>,
    /// Branch or commit the tag is made at when it is missing.
    pub target_commitish: String,
    /// Published while immutable releases were on.
    pub immutable: bool,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Unix seconds; `None` for a draft.
    pub published_at: Option<i64>,
    /// Its assets, oldest first.
    pub assets: Vec<AssetRecord>,
}

/// One asset of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssetRecord {
    /// Numeric id, from 1.
    pub id: u64,
    /// Name as GitHub stores it, which may differ from the name that was sent.
    pub name: String,
    /// Label, if one was given.
    pub label: Option<String>,
    /// Size in bytes as stored.
    pub size: u64,
    /// `sha256:<hex>` as the API reports it; `None` where it reports none.
    pub digest: Option<String>,
    /// `uploaded` or `starter`.
    pub state: String,
    /// Content type that the upload declared.
    pub content_type: String,
    /// The stored bytes, for assets of at most 1 MiB.
    pub bytes: Option<Vec<u8>>,
    /// Unix seconds.
    pub created_at: i64,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullRecord {
    /// Number, from 1.
    pub number: u64,
    /// Login of whoever opened it.
    pub author: String,
    /// Title.
    pub title: String,
    /// Description.
    pub body: Option<String>,
    /// Head branch, without owner.
    pub head: String,
    /// Base branch.
    pub base: String,
    /// Where head and base led when either branch was last seen; both outlive their branches.
    pub heads: BTreeMap<String, String>,
    /// Opened as a draft.
    pub draft: bool,
    /// `open` or `closed`.
    pub state: String,
    /// Label names in order of adding.
    pub labels: Vec<String>,
    /// Logins of requested reviewers.
    pub reviewers: Vec<String>,
    /// Slugs of requested teams.
    pub team_reviewers: Vec<String>,
    /// Unix seconds.
    pub created_at: i64,
}

/// A workflow that was started through the API.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DispatchRecord {
    /// File name of the workflow, also where the request gave its id.
    pub workflow: String,
    /// The branch or tag as the request gave it.
    pub reference: String,
    /// The inputs; whatever was no string as its JSON text.
    pub inputs: BTreeMap<String, String>,
    /// The run it made.
    pub run_id: u64,
}

/// A comment on a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentRecord {
    /// Its id.
    pub id: u64,
    /// The commit.
    pub commit: String,
    /// Its text.
    pub body: String,
    /// When it was written, in seconds since 1970.
    pub created_at: i64,
}
