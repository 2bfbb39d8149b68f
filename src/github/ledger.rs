//! Reads a whole ledger through the API: many files with one query, all of them from one commit.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use countersign_core::{
    ledger::{BRANCH, MOST_ENTRY_BYTES, Making},
    name::{CommitId, Repository, RepositoryId},
};

use super::{
    GitHub, Trouble, encoded_path,
    graphql::{Absence, PageInfo, Query, WhenTooCostly, largest_page},
    tail::{Author, Signature},
};

const TIP: Query<'_> = Query::new(include_str!("documents/ledger_tip.graphql"));

/// A commit that removed `ledger.json` is passed on, so that the reader can name it.
const COMMITS: Query<'_> = Query {
    absences: &[Absence::at("repository.object.history.nodes.*.file")],
    when_too_costly: WhenTooCostly::AskForLess,
    ..Query::new(include_str!("documents/ledger_commits.graphql"))
};

/// Folders that are listed with one query; each has at most a thousand names.
const FOLDERS: usize = 10;
/// Queries under way at once.
const AT_ONCE: usize = 3;

/// A ledger branch at one commit.
pub(crate) struct LedgerReader {
    github: GitHub,
    repository: Repository,
    repository_id: RepositoryId,
    commit: CommitId,
}

/// Some commits of the branch with their `ledger.json`, newest first.
pub(crate) struct Commits {
    pub(crate) commits: Vec<ToldCommit>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<String>,
}

/// One commit of the branch.
pub(crate) struct ToldCommit {
    pub(crate) id: CommitId,
    pub(crate) parents: usize,
    /// Its `ledger.json`; empty if it has none.
    pub(crate) head: Vec<u8>,
    /// Who made it, and when.
    pub(crate) making: Making,
}

#[derive(Serialize)]
struct Place<'a> {
    owner: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Page<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    commit: &'a CommitId,
    first: usize,
    after: Option<&'a String>,
}

#[derive(Deserialize)]
struct Data<T> {
    repository: Option<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tip {
    database_id: Option<u64>,
    ledger: Option<Ref>,
}

#[derive(Deserialize)]
struct Ref {
    target: Option<Oid>,
}

#[derive(Deserialize)]
struct Oid {
    oid: String,
}

#[derive(Deserialize)]
struct History {
    object: Option<Commit>,
}

#[derive(Deserialize)]
struct Commit {
    history: Option<Connection>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    nodes: Vec<Node>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    oid: String,
    committed_date: String,
    parents: Count,
    signature: Option<Signature>,
    author: Option<Author>,
    file: Option<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Count {
    total_count: usize,
}

#[derive(Deserialize)]
struct File {
    object: Option<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob {
    oid: Option<String>,
    byte_size: Option<u64>,
    text: Option<String>,
    is_truncated: Option<bool>,
}

#[derive(Deserialize)]
struct Tree {
    entries: Option<Vec<TreeEntry>>,
}

#[derive(Deserialize)]
struct TreeEntry {
    name: String,
    r#type: String,
}

#[derive(Deserialize)]
struct RestBlob {
    content: String,
    encoding: String,
    sha: String,
}

fn garbage(reason: impl Into<String>) -> Trouble {
    Trouble::Garbage {
        reason: reason.into(),
    }
}

impl GitHub {
    /// Finds the ledger branch of a repository, if it has one.
    pub(crate) async fn read_ledger(
        self,
        repository: &Repository,
    ) -> Result<Option<LedgerReader>, Trouble> {
        let tip = self.tip_of_ledger(repository).await?;
        let Some((repository_id, commit)) = tip else {
            return Ok(None);
        };
        Ok(Some(LedgerReader {
            github: self,
            repository: repository.clone(),
            repository_id,
            commit,
        }))
    }

    /// The repository's number and the newest commit of its ledger, if it has one.
    pub(super) async fn tip_of_ledger(
        &self,
        repository: &Repository,
    ) -> Result<Option<(RepositoryId, CommitId)>, Trouble> {
        let (owner, name) = repository.parts();
        let tip: Tip = self.asked(&TIP, Place { owner, name }).await?;
        let Some(target) = tip.ledger.and_then(|ledger| ledger.target) else {
            return Ok(None);
        };
        let commit = target
            .oid
            .parse()
            .map_err(|_| garbage("a branch that points to no commit"))?;
        let number = tip
            .database_id
            .ok_or_else(|| garbage("the repository has no number"))?;
        Ok(Some((RepositoryId(number), commit)))
    }

    pub(super) async fn asked<T: for<'de> Deserialize<'de>>(
        &self,
        query: &Query<'_>,
        variables: impl Serialize,
    ) -> Result<T, Trouble> {
        let reply = self.query::<Data<T>>(query, variables).await?;
        reply
            .data
            .and_then(|data| data.repository)
            .ok_or_else(|| garbage("no repository in the answer"))
    }
}

impl GitHub {
    /// One file of the ledger at a commit.
    pub(crate) async fn ledger_file(
        &self,
        repository: &Repository,
        commit: &CommitId,
        path: &str,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        match self
            .read::<RestBlob>(&format!(
                "/repos/{repository}/contents/{}?ref={commit}",
                encoded_path(path)
            ))
            .await
        {
            // GitHub shows contents up to 1 MB this way; a blob of any size is shown by its id.
            Ok(blob) if blob.encoding != "base64" => {
                let oid: CommitId = blob
                    .sha
                    .parse()
                    .map_err(|_| garbage("a file without an id"))?;
                self.read::<RestBlob>(&format!("/repos/{repository}/git/blobs/{oid}"))
                    .await?
                    .bytes()
                    .map(Some)
            }
            Ok(blob) => blob.bytes().map(Some),
            Err(Trouble::NotFound { .. }) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }
}

impl RestBlob {
    fn bytes(&self) -> Result<Vec<u8>, Trouble> {
        let content: String = self.content.split_whitespace().collect();
        STANDARD
            .decode(content)
            .map_err(|error| garbage(error.to_string()))
    }
}

impl LedgerReader {
    /// What is read.
    pub(crate) fn place(&self) -> String {
        format!(
            "{} refs/heads/{BRANCH} at commit {}",
            self.repository, self.commit
        )
    }

    /// The commit that is read.
    pub(crate) const fn commit_id(&self) -> &CommitId {
        &self.commit
    }

    /// The repository's number.
    pub(crate) const fn repository_id(&self) -> RepositoryId {
        self.repository_id
    }

    /// The bytes of each file, as far as it is there.
    pub(crate) async fn files(&self, paths: &[String]) -> Result<Vec<Option<Vec<u8>>>, Trouble> {
        let expressions: Vec<String> = paths.iter().map(|path| self.at(path)).collect();
        files_at(&self.github, &self.repository, &expressions).await
    }

    /// The same in another commit of the branch.
    pub(crate) async fn files_in(
        &self,
        commit: &CommitId,
        paths: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, Trouble> {
        let at = |path: &String| format!("{commit}:{path}");
        let expressions: Vec<String> = paths.iter().map(at).collect();
        files_at(&self.github, &self.repository, &expressions).await
    }

    fn at(&self, path: &str) -> String {
        format!("{}:{path}", self.commit)
    }

    /// Every path of the commit; only such folders are listed.
    pub(crate) async fn paths(&self, is_folder: fn(&str) -> bool) -> Result<Vec<String>, Trouble> {
        let mut found = Vec::new();
        let mut folders = vec![String::new()];
        while !folders.is_empty() {
            let batches = folders.chunks(FOLDERS).map(|batch| self.listed(batch));
            let listed: Vec<Vec<(String, bool)>> = stream::iter(batches)
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
            folders = Vec::new();
            for (path, tree) in listed.into_iter().flatten() {
                if tree && is_folder(&path) {
                    folders.push(path);
                } else {
                    found.push(path);
                }
            }
        }
        Ok(found)
    }

    async fn listed(&self, folders: &[String]) -> Result<Vec<(String, bool)>, Trouble> {
        let expressions: Vec<String> = folders.iter().map(|folder| self.at(folder)).collect();
        let shape = "... on Tree { entries { name type } }";
        let trees: Vec<Option<Tree>> =
            match objects(&self.github, &self.repository, &expressions, shape).await {
                Err(Trouble::TooLarge | Trouble::TooCostly { .. }) if folders.len() > 1 => {
                    let (first, second) = folders.split_at(folders.len() / 2);
                    let mut listed = Box::pin(self.listed(first)).await?;
                    listed.extend(Box::pin(self.listed(second)).await?);
                    return Ok(listed);
                }
                trees => trees?,
            };
        let mut listed = Vec::new();
        for (folder, tree) in folders.iter().zip(trees) {
            let entries = tree
                .and_then(|tree| tree.entries)
                .ok_or_else(|| garbage(format!("the folder `{folder}` cannot be listed")))?;
            let below = if folder.is_empty() {
                String::new()
            } else {
                format!("{folder}/")
            };
            listed.extend(
                entries
                    .into_iter()
                    .map(|entry| (format!("{below}{}", entry.name), entry.r#type == "tree")),
            );
        }
        Ok(listed)
    }

    /// A page of the branch's history, as large as GitHub answers it.
    pub(crate) async fn commits(&self, after: Option<String>) -> Result<Commits, Trouble> {
        let (owner, name) = self.repository.parts();
        let page = |first| Page {
            place: Place { owner, name },
            commit: &self.commit,
            first,
            after: after.as_ref(),
        };
        let history: History =
            largest_page(async |first| self.github.asked(&COMMITS, page(first)).await).await?;
        let history = history
            .object
            .and_then(|commit| commit.history)
            .ok_or_else(|| garbage("a commit without history"))?;
        let commits = history
            .nodes
            .into_iter()
            .map(commit)
            .collect::<Result<_, _>>()?;
        let next = history.page_info.next()?;
        Ok(Commits { commits, next })
    }
}

/// The bytes of files, each by `COMMIT:PATH`, as far as they are there.
pub(super) async fn files_at(
    github: &GitHub,
    repository: &Repository,
    expressions: &[String],
) -> Result<Vec<Option<Vec<u8>>>, Trouble> {
    if expressions.is_empty() {
        return Ok(Vec::new());
    }
    let shape = "... on Blob { oid byteSize text isTruncated }";
    let found: Vec<Option<Blob>> = match objects(github, repository, expressions, shape).await {
        // Too much for one answer: the halves may fit.
        Err(Trouble::TooLarge | Trouble::TooCostly { .. }) if expressions.len() > 1 => {
            let (first, second) = expressions.split_at(expressions.len() / 2);
            let mut read = Box::pin(files_at(github, repository, first)).await?;
            read.extend(Box::pin(files_at(github, repository, second)).await?);
            return Ok(read);
        }
        found => found?,
    };
    stream::iter(
        found
            .into_iter()
            .map(|blob| file_bytes(github, repository, blob)),
    )
    .buffered(1)
    .try_collect()
    .await
}

/// GraphQL cuts long texts and shows no others; REST gives any blob whole. What is no file, or longer
/// than any entry, is none of the ledger's: it is as good as absent, so that whoever puts it there
/// cannot keep others from reading the rest.
pub(super) async fn file_bytes(
    github: &GitHub,
    repository: &Repository,
    blob: Option<Blob>,
) -> Result<Option<Vec<u8>>, Trouble> {
    let Some(Blob {
        oid: Some(oid),
        byte_size,
        text,
        is_truncated,
    }) = blob
    else {
        return Ok(None);
    };
    if byte_size.is_some_and(|size| size > MOST_ENTRY_BYTES as u64) {
        return Ok(None);
    }

    // The text counts only if it is the file's very bytes: GraphQL shows those of other encodings as UTF-8.
    if let (Some(text), Some(false)) = (text, is_truncated)
        && blob_id(text.as_bytes()).as_ref() == Some(&oid)
    {
        return Ok(Some(text.into_bytes()));
    }
    let oid: CommitId = oid.parse().map_err(|_| garbage("a file without an id"))?;
    let blob: RestBlob = github
        .read(&format!("/repos/{repository}/git/blobs/{oid}"))
        .await?;
    blob.bytes().map(Some)
}

/// What is at each `COMMIT:PATH`, in one query: only paths of the ledger's own making come here, and each is a variable.
async fn objects<T: for<'de> Deserialize<'de>>(
    github: &GitHub,
    repository: &Repository,
    expressions: &[String],
    shape: &str,
) -> Result<Vec<Option<T>>, Trouble> {
    let (document, variables) = query(repository, expressions, shape);
    let query = Query {
        when_too_costly: WhenTooCostly::AskForLess,
        ..Query::new(&document)
    };
    let mut found: Map<String, Value> = github.asked(&query, variables).await?;
    let object = |(number, asked): (usize, &String)| match found.remove(&format!("o{number}")) {
        None => Err(garbage(format!("the answer lacks `{asked}`"))),
        Some(Value::Null) => Ok(None),
        Some(object) => serde_json::from_value(object)
            .map(Some)
            .map_err(|error| garbage(error.to_string())),
    };
    expressions.iter().enumerate().map(object).collect()
}

/// The id that git gives to a file.
fn blob_id(bytes: &[u8]) -> Option<String> {
    gix_object::compute_hash(gix_hash::Kind::Sha1, gix_object::Kind::Blob, bytes)
        .ok()
        .map(|id| id.to_string())
}

fn commit(node: Node) -> Result<ToldCommit, Trouble> {
    let text = node
        .file
        .and_then(|file| file.object)
        .and_then(|blob| blob.text);
    Ok(ToldCommit {
        id: node
            .oid
            .parse()
            .map_err(|_| garbage("a commit without an id"))?,
        parents: node.parents.total_count,
        head: text.unwrap_or_default().into_bytes(),
        making: Making {
            at: node.committed_date.parse().ok(),
            is_proven: node.signature.as_ref().is_some_and(Signature::is_githubs),
            author: node.author.and_then(Author::shown),
        },
    })
}

/// A query with one alias and one variable for each expression.
fn query(
    repository: &Repository,
    expressions: &[String],
    shape: &str,
) -> (String, Map<String, Value>) {
    let (owner, name) = repository.parts();
    let mut variables =
        Map::from_iter([("owner".into(), owner.into()), ("name".into(), name.into())]);
    let mut declared = Vec::new();
    let mut asked = Vec::new();
    for (number, expression) in expressions.iter().enumerate() {
        variables.insert(format!("p{number}"), expression.as_str().into());
        declared.push(format!("$p{number}: String!"));
        asked.push(format!(
            "o{number}: object(expression: $p{number}) {{ {shape} }}"
        ));
    }
    let (declared, asked) = (declared.join(" "), asked.join(" "));
    let document = format!(
        "query LedgerFiles($owner: String! $name: String! {declared}) {{ repository(owner: $owner, name: $name, followRenames: false) {{ {asked} }} }}"
    );
    (document, variables)
}
