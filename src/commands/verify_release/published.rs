//! A published release as GitHub shows it, with the bytes of its assets.

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use countersign_core::{
    commit_name::CommitName,
    digest::Digest,
    evidence::{ApprovedRelease, CONTENT_TYPE, HeldFile, MOST_BYTES, NAME},
    name::{CommitId, Repository, RepositoryId, TagName},
    text::{excerpt, same_text},
    timestamp::Timestamp,
};

use super::findings::Fault;
use crate::{
    commands::{Row, tell, told},
    github::{GitHub, Named, Release, UploadedAsset},
};

/// Assets that are read at once.
const AT_ONCE: usize = 4;

/// What a differing release means for whoever reads it.
const CHANGED: &str = "Somebody with write access changed it after the publication, or it is another release: ask the approvers.";

pub(super) struct Published<'a> {
    github: &'a GitHub,
    repository: Repository,
    repository_id: RepositoryId,
    /// Where the tag leads.
    commit: Option<CommitId>,
    release: Release,
    assets: Vec<UploadedAsset>,
}

impl<'a> Published<'a> {
    pub(super) async fn look(
        github: &'a GitHub,
        repository: &Repository,
        tag: &TagName,
    ) -> Result<Self> {
        let resolved = github
            .resolve(repository, &CommitName::Tag(tag.clone()))
            .await
            .map_err(|trouble| told(&trouble))?;
        let commit = match resolved.commit {
            Named::Commit(commit) => Some(commit),
            Named::Nothing | Named::Both { .. } => None,
        };
        // GitHub may have renamed it; its own name is asked from here on.
        let repository = resolved.target.repository;
        let release = github
            .release_of_tag(&repository, tag)
            .await
            .map_err(|trouble| told(&trouble))?;
        let release = release.with_context(|| {
            format!("{repository} has no published release of the tag `{tag}`; check both names")
        })?;
        let assets = github
            .assets_of(&repository, release.id)
            .await
            .map_err(|trouble| told(&trouble))?;
        Ok(Self {
            github,
            repository,
            repository_id: resolved.target.repository_id,
            commit,
            release,
            assets,
        })
    }

    pub(super) const fn repository_id(&self) -> RepositoryId {
        self.repository_id
    }

    /// When it was published, by GitHub's clock.
    pub(super) fn published_at(&self) -> Option<Timestamp> {
        let told = self.release.published_at.as_deref()?;
        told.parse().ok()
    }

    /// The evidence's bytes, if the release has it.
    pub(super) async fn evidence(&self) -> Result<Option<Vec<u8>>> {
        let Some(there) = self.assets.iter().find(|there| there.name == NAME) else {
            return Ok(None);
        };
        ensure!(
            there.size <= MOST_BYTES as u64,
            "the asset `{NAME}` has {} bytes, more than any evidence: do not trust it",
            there.size
        );
        let bytes = self
            .github
            .asset(&self.repository, there)
            .await
            .map_err(|trouble| told(&trouble))?;
        as_told(there, Digest::of(&bytes))?;
        Ok(Some(bytes.into()))
    }

    /// What people see next to the evidence's name, if Countersign did not attach it so.
    pub(super) fn shows_evidence_otherwise(&self) -> Option<Fault> {
        let there = self.assets.iter().find(|there| there.name == NAME)?;
        let differs = there.outside().difference(CONTENT_TYPE)?;
        let problem = format!(
            "`{NAME}`: its {} is `{}`, but it was attached with `{}`",
            differs.what, differs.found, differs.approved
        );
        Some(Fault::new(problem, CHANGED))
    }

    /// Every other asset: its bytes are read, whatever GitHub tells about them.
    pub(super) async fn files(&self) -> Result<Vec<HeldFile>> {
        let others: Vec<&UploadedAsset> = self
            .assets
            .iter()
            .filter(|there| there.name != NAME)
            .collect();
        if !others.is_empty() {
            tell(Row::words(format!(
                "reading {} asset(s), {} bytes",
                others.len(),
                others.iter().map(|there| there.size).sum::<u64>()
            )));
        }
        stream::iter(others.into_iter().map(|there| self.file(there)))
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn file(&self, there: &UploadedAsset) -> Result<HeldFile> {
        let path = format!("/repos/{}/releases/assets/{}", self.repository, there.id);
        let sha256 = self
            .github
            .read_back(&path, there.size)
            .await
            .map_err(|trouble| told(&trouble));
        let sha256 = sha256.with_context(|| format!("the asset `{}`", excerpt(&there.name, 80)))?;
        as_told(there, sha256)?;
        Ok(HeldFile {
            name: there.name.clone(),
            size: there.size,
            sha256,
            outside: Some(there.outside()),
        })
    }

    /// Title, text and flags. `make_latest` is no member of a release: it is the newest one's business.
    pub(super) fn has_words_of(&self, approved: &ApprovedRelease) -> Result<String, Fault> {
        let (found, release) = (&self.release, approved.release());
        let body = found.body.as_deref().unwrap_or_default();
        let sides = [
            (
                "title",
                excerpt(found.name.as_deref().unwrap_or_default(), 80),
                release.release_name.to_string(),
            ),
            (
                "draft",
                found.draft.to_string(),
                release.visibility.draft().to_string(),
            ),
            (
                "prerelease",
                found.prerelease.to_string(),
                release.visibility.prerelease().to_string(),
            ),
        ];
        if let Some((what, found, approved)) = sides
            .into_iter()
            .find(|(_, found, approved)| found != approved)
        {
            return Err(Fault::new(
                format!("its {what} is `{found}`, but `{approved}` was approved"),
                CHANGED,
            ));
        }
        if !same_text(body, release.body.as_str()) {
            let (found, approved) = (excerpt(body, 80), excerpt(release.body.as_str(), 80));
            return Err(Fault::new(
                format!(
                    "its text begins `{found}`, and is not the approved one, which begins `{approved}`"
                ),
                CHANGED,
            ));
        }
        Ok(format!(
            "title, text, draft and prerelease are as approved; {}",
            found
                .html_url
                .as_deref()
                .unwrap_or("GitHub names no page of it")
        ))
    }

    pub(super) fn tag_leads_to(&self, approved: &ApprovedRelease) -> Result<String, Fault> {
        let release = approved.release();
        match &self.commit {
            Some(found) if *found == release.target_sha => {
                Ok(format!("`{}` leads to {found}", release.tag_name))
            }
            Some(found) => Err(Fault::new(
                format!(
                    "`{}` leads to {found}, but {} was approved",
                    release.tag_name, release.target_sha
                ),
                CHANGED,
            )),
            None => Err(Fault::new(
                format!(
                    "`{}` leads to no commit, but {} was approved",
                    release.tag_name, release.target_sha
                ),
                CHANGED,
            )),
        }
    }
}

/// GitHub computes a digest when it stores an asset; older servers tell none.
fn as_told(there: &UploadedAsset, found: Digest) -> Result<()> {
    let told = there.digest.as_ref();
    ensure!(
        told.is_none_or(|told| told.parse() == Ok(found)),
        "the asset `{}` was read with {found}, but GitHub tells `{}`; read it again later",
        excerpt(&there.name, 80),
        excerpt(told.map_or("", String::as_str), 80)
    );
    Ok(())
}
