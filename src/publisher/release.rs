//! Publishes a release. Without assets in one request; with assets as a draft that becomes visible only when all of them are right.

mod evidence;
mod existing;
mod settled;
mod shown;
mod words;

use std::{cell::RefCell, collections::BTreeMap, ops::Deref};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;

use countersign_core::{
    asset::Asset,
    digest::Digest,
    evidence::AttachReceipt,
    ledger::{Claim, Effect, GithubResponse, PublishedAsset},
    operation::PublishRelease,
    text::{excerpt, same_text},
};

pub(super) use self::{evidence::shown_as_attached, shown::Published, words::hold};
use self::{
    existing::{Left, Looks},
    words::{ReleaseWords, same_inside, same_outside},
};
use super::{
    AssetFiles, Gate, Setback,
    certain::{Before, Made, certain, read_fresh, repeated},
    upload::{self, Sent, Source, Upload},
};
use crate::{
    github::{GitHub, Release, Trouble, UploadedAsset, Written, encoded},
    progress::{Files, Work},
};

/// Uploads under way at once.
const UPLOADS: usize = 10;

pub(super) async fn publish(
    gate: &Gate<'_>,
    release: &PublishRelease,
    github: &GitHub,
    files: &AssetFiles,
    attach: AttachReceipt,
) -> Effect {
    let mut held = GithubResponse::default();
    let expected = evidence::beside(release.assets.as_slice(), gate.claim, attach);
    let steps = Steps {
        gate,
        claim: gate.claim,
        sight: Sight::new(release, expected, github),
    };
    match steps.run(files, &mut held).await {
        Ok(()) => Effect::Succeeded(held),
        Err(setback) => setback.with(held),
    }
}

/// The release as GitHub has it, compared with what was approved. It reads only.
pub(super) struct Sight<'a> {
    /// What was read back, by the asset's number: an asset of the same name may be another one.
    read_back: RefCell<BTreeMap<u64, Digest>>,
    release: &'a PublishRelease,
    /// What the release must have: every approved asset and, if it is to be attached, the evidence.
    expected: Vec<Asset>,
    github: &'a GitHub,
}

impl<'a> Sight<'a> {
    pub(super) fn new(
        release: &'a PublishRelease,
        expected: Vec<Asset>,
        github: &'a GitHub,
    ) -> Self {
        Self {
            read_back: RefCell::default(),
            release,
            expected,
            github,
        }
    }
}

/// The steps of a publication: what can be seen, and the claim that allows writes.
struct Steps<'a> {
    gate: &'a Gate<'a>,
    claim: &'a Claim,
    sight: Sight<'a>,
}

impl<'a> Deref for Steps<'a> {
    type Target = Sight<'a>;

    fn deref(&self) -> &Sight<'a> {
        &self.sight
    }
}

impl Steps<'_> {
    async fn run(&self, files: &AssetFiles, held: &mut GithubResponse) -> Result<(), Setback> {
        let left = if self.claim.resumes() {
            self.left().await?
        } else {
            Left::Nothing
        };
        match left {
            Left::Published(published) => {
                held.already_existed = true;
                self.ended(published, Published::Before, held).await
            }
            left if self.expected.is_empty() => self.at_once(left.draft(), held).await,
            left => self.by_draft(left.draft(), files, held).await,
        }
    }

    async fn at_once(
        &self,
        left: Option<Release>,
        held: &mut GithubResponse,
    ) -> Result<(), Setback> {
        held.already_existed = left.is_some();
        let made = match left {
            Some(left) => left,
            None => self.create(self.release.visibility.draft()).await?.it(),
        };
        self.ended(made, Published::Now, held).await
    }

    async fn by_draft(
        &self,
        left: Option<Release>,
        files: &AssetFiles,
        held: &mut GithubResponse,
    ) -> Result<(), Setback> {
        let draft = match left {
            Some(left) => Made::Found(left),
            None => self.create(true).await?,
        };
        let ours = draft.is_ours();
        let found = draft.as_ref();
        held.release_id = Some(found.id);
        self.as_approved(found, true)?;

        let kept = if ours {
            Vec::new()
        } else {
            self.sort_out(found).await?
        };
        match self.upload_all(&draft, kept, files).await {
            Ok(assets) => held.assets = assets,
            Err(setback) if ours && !setback.open => {
                return Err(self.discard(found, setback, held).await);
            }
            Err(setback) => return Err(setback),
        }

        if self.release.visibility.draft() {
            hold(found, held);
            return Ok(());
        }
        match self.make_visible(&draft).await {
            Ok(made) => self.ended(made, Published::Now, held).await,
            Err(setback) if ours && !setback.open => Err(self.discard(found, setback, held).await),
            Err(setback) => Err(setback),
        }
    }

    /// Notes what GitHub holds, then compares it with what was approved, member by member.
    async fn ended(
        &self,
        made: Release,
        published: Published,
        held: &mut GithubResponse,
    ) -> Result<(), Setback> {
        held.release_id = Some(made.id);
        let made = self.shown(made).await?;
        hold(&made, held);
        self.as_approved(&made, self.release.visibility.draft())?;
        held.assets = self.exactly(made, published).await?;
        Ok(())
    }

    /// Creates the release; if an answer is lost, or someone else was first while we resume, checks
    /// whether it exists.
    async fn create(&self, draft: bool) -> Result<Made<Release>, Setback> {
        let path = format!("/repos/{}/releases", self.release.target.repository);
        // The draft of a release shows nothing; a draft that was approved as one is the effect itself.
        let is_visible = !draft || self.release.visibility.draft();
        let write = async || {
            // A draft shows nothing, but whoever has lost the claim would leave it behind for good.
            self.gate.opens().await?;
            let (claim, words) = (self.claim, self.words(draft));
            Ok(if is_visible {
                self.github
                    .write_visible(claim, Method::POST, &path, &words)
                    .await
            } else {
                self.github.write(claim, Method::POST, &path, &words).await
            })
        };
        let looks = Looks::default();
        let look = async || {
            if draft {
                self.own_draft(looks.pages()).await
            } else {
                self.published().await
            }
        };
        let before = Before {
            doubtful: self.claim.resumes(),
            fresh: false,
            doubles: draft,
        };
        certain(self.github, before, write, look).await
    }

    /// Every approved word once more: whoever edited the draft meanwhile edited it for nothing.
    async fn make_visible(&self, draft: &Made<Release>) -> Result<Release, Setback> {
        let id = draft.as_ref().id;
        let path = self.path_of(id);
        let write = async || {
            self.gate.opens().await?;
            Ok(self
                .github
                .write_visible::<Release>(self.claim, Method::PATCH, &path, &self.words(false))
                .await)
        };
        let look = async || Ok(self.by_id(id).await?.filter(|found| !found.draft));
        let before = Before {
            doubtful: false,
            fresh: true,
            doubles: false,
        };
        certain(self.github, before, write, look)
            .await
            .map(Made::it)
    }

    fn words(&self, draft: bool) -> ReleaseWords<'_> {
        let release = self.release;
        ReleaseWords {
            tag_name: release.tag_name.as_str(),
            target_commitish: release.target_sha.as_str(),
            name: release.release_name.as_str(),
            body: release.body.as_str(),
            draft,
            prerelease: release.visibility.prerelease(),
            // A draft can never be the latest release; the word comes with its publication.
            make_latest: if draft {
                "false"
            } else {
                release.visibility.make_latest().as_str()
            },
        }
    }

    /// Uploads every asset that is not there yet, several at once, and compares what GitHub stored with what was approved.
    async fn upload_all(
        &self,
        draft: &Made<Release>,
        kept: Vec<PublishedAsset>,
        files: &AssetFiles,
    ) -> Result<Vec<PublishedAsset>, Setback> {
        let missing = self
            .expected
            .iter()
            .filter(|asset| kept.iter().all(|kept| kept.name != asset.name));
        let missing: Vec<&Asset> = missing.collect();
        self.announce(missing.len(), files);
        let sent = Sent::new(missing.len());
        let telling = files.progress.as_ref().map(|progress| {
            progress.files(
                Work::Uploading,
                missing.iter().map(|asset| asset.size).sum(),
            )
        });
        let uploads = missing
            .into_iter()
            .map(|asset| self.upload(draft, asset, files, telling.as_ref(), &sent));
        let uploads = stream::iter(uploads)
            .buffer_unordered(UPLOADS)
            .try_collect::<Vec<PublishedAsset>>();
        // Has somebody added something to the draft? A draft that becomes a release is listed once more with its publication; that one
        // is looked at when the last bytes have left, beside the last answers. One that stays a draft is looked at when all is there.
        let mut assets = if self.release.visibility.draft() {
            let assets = uploads.await?;
            self.no_strangers(draft.as_ref()).await?;
            assets
        } else {
            let strangers = async {
                sent.all().await;
                self.no_strangers(draft.as_ref()).await
            };
            let uploads = async {
                let uploaded = uploads.await;
                sent.finish();
                uploaded
            };
            tokio::try_join!(uploads, strangers)?.0
        };
        assets.extend(kept);
        assets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(assets)
    }

    /// Reports how long the uploads take, if they are slowed down.
    fn announce(&self, uploads: usize, files: &AssetFiles) {
        let least = self.github.pace().least_seconds(uploads as u64);
        if let (Some(seconds), Some(progress)) = (least, &files.progress) {
            let (minutes, seconds) = (seconds / 60, seconds % 60);
            progress.line(&format!(
                "countersign: {uploads} files are uploaded one per second after the first 60, because GitHub limits how fast content is created: this takes {minutes} min {seconds} s at least."
            ));
        }
    }

    async fn upload(
        &self,
        draft: &Made<Release>,
        asset: &Asset,
        files: &AssetFiles,
        telling: Option<&Files<'_>>,
        sent: &Sent,
    ) -> Result<PublishedAsset, Setback> {
        let source = self.source(asset, files)?;
        // The list of an earlier attempt's assets may have lacked one; the draft of this attempt, also
        // one that was found after a lost answer, may not be known everywhere yet.
        let before = Before {
            doubtful: !draft.is_ours(),
            fresh: true,
            doubles: false,
        };
        let write = async || {
            self.github.pace().turn().await;
            self.send(draft.as_ref(), asset, source, telling, sent)
                .await
        };
        let look = async || self.half_uploaded(draft.as_ref(), asset).await;
        let uploaded = certain(self.github, before, write, look).await?.it();

        // GitHub has other bytes: because the file changed, or because they were spoilt on their way?
        self.verified(&uploaded, asset)
            .await
            .map_err(|setback| match source.unchanged(asset) {
                Ok(()) => setback,
                Err(error) => unusable(&upload::changed(asset, &error)),
            })
    }

    /// Sends one file, once.
    async fn send(
        &self,
        draft: &Release,
        asset: &Asset,
        source: Source<'_>,
        telling: Option<&Files<'_>>,
        sent: &Sent,
    ) -> Result<Written<UploadedAsset>, Setback> {
        let address = draft.upload_url.split('{').next().unwrap_or_default();
        let uri = format!("{address}?name={}", encoded(asset.name.as_str()));
        let progress = telling.map(|telling| telling.file(asset.name.as_str(), asset.size));
        let Upload { body, changed } = upload::open(source, asset, progress, sent.clone())
            .map_err(|error| unusable(&error))?;

        let content_type = asset.content_type.as_str();
        let written = self
            .github
            .upload(self.claim, &uri, content_type, asset.size, body)
            .await;
        if changed.happened() && !matches!(written, Written::Done(_)) {
            let interrupted = std::io::Error::other("its upload was interrupted");
            return Err(unusable(&upload::changed(asset, &interrupted)));
        }
        Ok(written)
    }

    /// What an upload whose answer was lost left behind: the whole asset, or a half one, which is taken away.
    async fn half_uploaded(
        &self,
        draft: &Release,
        asset: &Asset,
    ) -> Result<Option<UploadedAsset>, Setback> {
        let listed = self.assets_so_far(draft).await?;
        let found = listed
            .into_iter()
            .find(|there| there.name == asset.name.as_str());
        match found {
            Some(there) if there.state == "uploaded" => Ok(Some(there)),
            Some(half) => self.take_away(&half).await.map(|()| None),
            None => Ok(None),
        }
    }

    /// Compares an asset with the one that must be there. The evidence may be that of an earlier attempt.
    async fn verified(
        &self,
        uploaded: &UploadedAsset,
        asset: &Asset,
    ) -> Result<PublishedAsset, Setback> {
        match self.same(uploaded, asset).await {
            Err(setback) if evidence::is(asset) && !setback.open => {
                self.earlier_evidence(uploaded, asset, setback).await
            }
            compared => compared,
        }
    }

    /// Takes away the draft that this very attempt made and nobody has seen. What it is by now is looked at first.
    async fn discard(
        &self,
        draft: &Release,
        setback: Setback,
        held: &mut GithubResponse,
    ) -> Setback {
        if let Err(shut) = self.gate.opens_to_clean_up().await {
            let message = format!(
                "{}; release {} was left as it is: {}",
                setback.message, draft.id, shut.message
            );
            return Setback { message, ..setback };
        }
        let path = self.path_of(draft.id);
        let read = async || self.github.read::<Release>(&path).await;
        let remove = async || match read_fresh(self.github, "the draft", read).await {
            // Looked at before every try: somebody may have published it meanwhile.
            Ok(found) if found.draft => self.github.remove(self.claim, &path).await,
            Ok(_) => Written::NotDone(Trouble::Validation {
                status: 200,
                message: "it is published".into(),
            }),
            Err(Trouble::NotFound { .. }) => Written::Done(()),
            Err(trouble) => Written::NotDone(trouble),
        };
        let message = match repeated(self.github, false, remove).await {
            Ok(()) => {
                held.release_id = None;
                held.assets.clear();
                format!(
                    "{}; the draft was taken away, nothing was published",
                    setback.message
                )
            }
            Err(_) => format!(
                "{}; look at release {}: it was left as it is",
                setback.message, draft.id
            ),
        };
        Setback { message, ..setback }
    }
}

impl Sight<'_> {
    /// Where GitHub tells no digest, the bytes are read back.
    async fn same(
        &self,
        uploaded: &UploadedAsset,
        asset: &Asset,
    ) -> Result<PublishedAsset, Setback> {
        same_outside(uploaded, asset)?;
        if let Some(digest) = &uploaded.digest {
            return same_inside(uploaded, digest, asset);
        }
        let known = self.read_back.borrow().get(&uploaded.id).copied();
        let digest = match known {
            Some(digest) => digest,
            None => self.read(uploaded, asset).await?,
        };
        same_inside(uploaded, &digest.to_string(), asset)
    }

    async fn read(&self, uploaded: &UploadedAsset, asset: &Asset) -> Result<Digest, Setback> {
        let path = format!(
            "/repos/{}/releases/assets/{}",
            self.release.target.repository, uploaded.id
        );
        let unverified = |trouble: Trouble| {
            let done = format!(
                "GitHub tells no digest of the asset `{}`, and it could not be read back",
                asset.name
            );
            Setback {
                code: "asset_unverified",
                ..Setback::from(trouble).about(&done)
            }
        };
        let digest = read_fresh(self.github, "the asset", async || {
            self.github.read_back(&path, asset.size).await
        })
        .await
        .map_err(unverified)?;
        self.read_back.borrow_mut().insert(uploaded.id, digest);
        Ok(digest)
    }

    /// Whether every asset of the draft was approved.
    async fn no_strangers(&self, draft: &Release) -> Result<(), Setback> {
        self.no_extra(&self.assets(draft).await?, "draft")
    }

    fn no_extra(&self, listed: &[UploadedAsset], what: &str) -> Result<(), Setback> {
        let extra = listed.iter().find(|listed| {
            self.expected
                .iter()
                .all(|asset| asset.name.as_str() != listed.name)
        });
        extra.map_or(Ok(()), |extra| {
            let message = format!(
                "the {what} has an asset `{}` that nobody approved",
                excerpt(&extra.name, 80)
            );
            Err(Setback::fault("asset_extra", message))
        })
    }

    /// What GitHub says it published, member by member.
    pub(super) fn as_approved(&self, made: &Release, draft: bool) -> Result<(), Setback> {
        let release = self.release;
        let differs = |what: &str| {
            Err(Setback::fault(
                "release_mismatch",
                format!(
                    "release {} was made, but its {what} is not the approved one",
                    made.id
                ),
            ))
        };
        if made.tag_name != release.tag_name.as_str() {
            return differs("tag");
        }
        if made.name.as_deref() != Some(release.release_name.as_str()) {
            return differs("name");
        }
        if !same_text(
            made.body.as_deref().unwrap_or_default(),
            release.body.as_str(),
        ) {
            return differs("body");
        }
        if (made.draft, made.prerelease) != (draft, release.visibility.prerelease()) {
            return differs("visibility");
        }
        Ok(())
    }
}

fn unusable(error: &std::io::Error) -> Setback {
    Setback::fault("file_changed", error.to_string())
}
