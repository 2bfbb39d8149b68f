//! Uploads: names, digests, duplicates, headers, and where the bytes are served from.

use crate::{
    commands::rehearse::{
        finding::{Finding, Probing, Stopped},
        stage::{Stage, text_of},
        table::{Feature, Probe, Way},
    },
    github::{Ask, Exchange},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

/// Uploads that are under way at once, as in the publisher.
const AT_ONCE: usize = 10;
const UPLOADS: usize = 40;

pub(in crate::commands::rehearse) const PROBES: &[Probe] = &[
    Probe {
        id: "asset-names",
        needs: &[],
        writes: 3,
        expected: "A name of letters, digits and `._+@-` comes back unchanged with the digest of its bytes, the content type that was sent and no label; the same name twice is refused with already_exists.",
        meaning: "A file may get another name, digest or content type than the approved one: the release is then not published, or reported as `release_mismatch`.",
        affects: Feature::Files,
        way: Way::Asks(|stage| Box::pin(asset_names(stage))),
    },
    Probe {
        id: "uploads",
        needs: &[],
        writes: UPLOADS + 1,
        expected: "Forty small assets, ten at once, are taken without a limit.",
        meaning: "Releases with many files may meet a limit: Countersign waits for it within `max-wait`, then the next attempt continues.",
        affects: Feature::Files,
        way: Way::Asks(|stage| Box::pin(uploads(stage))),
    },
    Probe {
        id: "upload-headers",
        needs: &[],
        writes: 2,
        expected: "The upload host sends neither x-ratelimit headers nor x-accepted-github-permissions.",
        meaning: "Nothing fails: what the upload host says about limits and permissions is just not used.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(upload_headers(stage))),
    },
    Probe {
        id: "asset-redirect",
        needs: &[],
        writes: 2,
        expected: "The bytes of an asset come by a redirect to another host.",
        meaning: "Assets are served by the API's host itself, which `verify-release` reads as well.",
        affects: Feature::Nothing,
        way: Way::Asks(|stage| Box::pin(asset_redirect(stage))),
    },
    Probe {
        id: "ghes",
        needs: &[],
        writes: 1,
        expected: "`upload_url` is at a host that may see the token: `uploads.` and the API's family, or the API's own host.",
        meaning: "Files cannot be uploaded: the token is not sent to that host (`foreign_host`).",
        affects: Feature::Files,
        way: Way::Asks(|stage| Box::pin(upload_host(stage))),
    },
];

/// What an asset holds, and its digest.
const BYTES: &[u8] = b"Rehearsed.\n";
const DIGEST: &str = "sha256:17cc663a85f8ca6ab574a307a51713595f4f4a228d9bee0821867bf3873c97be";

async fn asset_names(stage: &Stage<'_>) -> Probing {
    let draft = stage.draft(&stage.name("asset-names"), "").await?;
    let name = stage.name("Az09._+@-x.tar.gz");
    let made = stage.send_upload(&draft, &name, BYTES).await?;
    let again = stage.send_upload(&draft, &name, BYTES).await?;
    let is_duplicate = again.status == 422 && again.body["errors"][0]["code"] == "already_exists";
    let digest = text_of(&made.body["digest"]);
    let content_type = text_of(&made.body["content_type"]);
    let holds = made.body["name"] == name.as_str()
        && made.body["state"] == "uploaded"
        && digest == DIGEST
        && content_type == "application/octet-stream"
        && text_of(&made.body["label"]).is_empty()
        && is_duplicate;
    let found = format!(
        "{}, name `{}`, digest {}, content type `{content_type}`; again: {}",
        made.status,
        text_of(&made.body["name"]),
        if digest == DIGEST {
            "as it should be"
        } else {
            &digest
        },
        again.summary()
    );
    Ok(Finding::of(holds, found, &again))
}

async fn uploads(stage: &Stage<'_>) -> Probing {
    let draft = stage.draft(&stage.name("uploads"), "").await?;
    let answers = many(stage, &draft, UPLOADS).await?;
    Ok(counted(&answers))
}

/// Uploads so many files of 1 KiB, ten at once, as fast as the pace allows.
pub(super) async fn many(
    stage: &Stage<'_>,
    draft: &Exchange,
    count: usize,
) -> Result<Vec<Exchange>, Stopped> {
    let names: Vec<String> = (1..=count)
        .map(|number| stage.name(&format!("{number}.bin")))
        .collect();
    stream::iter(names)
        .map(|name| async move { stage.send_upload(draft, &name, &[0; 1024]).await })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// How many uploads were taken, and the first that was not.
pub(super) fn counted(answers: &[Exchange]) -> Finding {
    let taken = answers.iter().filter(|answer| answer.is_success()).count();
    let refused = answers.iter().find(|answer| !answer.is_success());
    let found = match refused {
        None => format!("all {taken} taken"),
        Some(refused) => format!(
            "{taken} of {} taken; {}, retry-after {}",
            answers.len(),
            refused.summary(),
            refused.header("retry-after").unwrap_or("none")
        ),
    };
    match refused.or(answers.first()) {
        Some(shown) => Finding::of(refused.is_none(), found, shown),
        None => Finding::without_exchange(false, found),
    }
}

async fn upload_headers(stage: &Stage<'_>) -> Probing {
    let draft = stage.draft(&stage.name("upload-headers"), "").await?;
    let made = stage
        .upload(&draft, &stage.name("headers.txt"), BYTES)
        .await?;
    let sent: Vec<&str> = made
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| name.starts_with("x-ratelimit-") || *name == "x-accepted-github-permissions")
        .collect();
    let found = if sent.is_empty() {
        "none of them".into()
    } else {
        sent.join(", ")
    };
    Ok(Finding::of(sent.is_empty(), found, &made))
}

async fn asset_redirect(stage: &Stage<'_>) -> Probing {
    let draft = stage.draft(&stage.name("redirect"), "").await?;
    let made = stage
        .upload(&draft, &stage.name("redirect.txt"), BYTES)
        .await?;
    let id = made.body["id"].as_u64().unwrap_or_default();
    let ask = Ask::get(format!("releases/assets/{id}")).accepting("application/octet-stream");
    let read = stage.send(ask).await?;
    let host = host_of(read.header("location").unwrap_or_default());
    let found = match &host {
        Some(host) => format!("{} to {host}", read.status),
        None => format!("{}, {} bytes", read.status, read.size),
    };
    Ok(Finding::of(
        read.status == 302 && host.is_some(),
        found,
        &read,
    ))
}

pub(super) fn host_of(address: &str) -> Option<String> {
    let uri: http::Uri = address.parse().ok()?;
    uri.host().map(ToOwned::to_owned)
}

async fn upload_host(stage: &Stage<'_>) -> Probing {
    let draft = stage.draft(&stage.name("upload-host"), "").await?;
    let address = text_of(&draft.body["upload_url"]);
    let address = address.split('{').next().unwrap_or_default();
    let upload = host_of(address).unwrap_or_default();
    let api = stage.github.host();
    let holds = stage.github.may_see_token(address);
    let found = format!("{upload}, where the API is {api}");
    Ok(Finding::of(holds, found, &draft))
}
