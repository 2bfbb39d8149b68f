//! The files of a release: name, size, digest and type of each, sorted by name, no name twice.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use crate::{
    digest::{Digest, bare_hex},
    evidence,
    json::{Malformed, Value},
    name::{AssetName, ContentType},
    text::excerpt,
};

/// Most assets of one release (GitHub: "`file_count` limited to 1000 assets").
pub const MOST_ASSETS: usize = 1000;
/// Largest asset in bytes (GitHub: "Each file must be under 2 GiB").
pub const MOST_BYTES: u64 = (1 << 31) - 1;

/// One file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Asset {
    /// Name under which it is downloaded.
    pub name: AssetName,
    /// Size in bytes.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_BYTES)))]
    pub size: u64,
    /// Digest of its bytes, written as bare hexadecimal.
    #[serde(serialize_with = "bare_hex")]
    #[cfg_attr(test, schemars(with = "crate::schema::BareDigest"))]
    pub sha256: Digest,
    /// Media type under which it is uploaded.
    pub content_type: ContentType,
}

impl Asset {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let asset = Self {
            name: object.take("name")?.name()?,
            size: object.take("size")?.number()?,
            sha256: object.take("sha256")?.bare_digest()?,
            content_type: object.take("content_type")?.name()?,
        };
        object.end()?;
        Ok(asset)
    }
}

/// What GitHub shows of an asset next to its name and its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outside {
    /// Shown in place of the name; null and an empty one are none.
    pub label: Option<String>,
    /// The media type under which it is downloaded.
    pub content_type: String,
}

/// A side of an asset that shows something that was not approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideDiffers {
    /// Which side.
    pub what: &'static str,
    /// What was approved.
    pub approved: String,
    /// What is shown.
    pub found: String,
}

impl Outside {
    /// What is not as it should be under this media type. No approval allows a label, and GitHub shows
    /// it where people look for the name.
    #[must_use]
    pub fn difference(&self, content_type: &str) -> Option<OutsideDiffers> {
        let label = self.label.as_deref().unwrap_or_default();
        let sides = [
            ("label", label, ""),
            ("content type", &self.content_type, content_type),
        ];
        let (what, found, approved) = sides
            .into_iter()
            .find(|(_, found, approved)| found != approved)?;
        Some(OutsideDiffers {
            what,
            approved: approved.into(),
            found: excerpt(found, 200),
        })
    }
}

/// Every asset of a release.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("maxItems" = MOST_ASSETS)))]
pub struct Assets(Vec<Asset>);

/// Why files cannot be the assets of one release.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAssets {
    /// Two files would have one name.
    #[error("two files would be the asset `{0}`")]
    Twice(AssetName),
    /// GitHub takes no more than [`MOST_ASSETS`].
    #[error("{0} assets are more than the {MOST_ASSETS} that a release may have")]
    TooMany(usize),
    /// The name is that of the evidence, in any spelling: some file systems know no case.
    #[error("the asset `{0}` would have the name of the receipt that Countersign itself attaches, `{evidence}`", evidence = evidence::NAME)]
    Reserved(AssetName),
    /// With the evidence beside them there would be more than [`MOST_ASSETS`].
    #[error("{0} assets leave no room for `{evidence}`: a release may have {MOST_ASSETS} in all", evidence = evidence::NAME)]
    NoRoom(usize),
    /// GitHub takes none over [`MOST_BYTES`], and none that is empty.
    #[error("the asset `{0}` has {1} bytes; GitHub takes 1 to {MOST_BYTES}")]
    Size(AssetName, u64),
}

impl Assets {
    /// Sorts the assets by name and checks them against GitHub's limits.
    pub fn new(mut assets: Vec<Asset>) -> Result<Self, InvalidAssets> {
        if assets.len() > MOST_ASSETS {
            return Err(InvalidAssets::TooMany(assets.len()));
        }
        assets.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(pair) = assets.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(InvalidAssets::Twice(pair[0].name.clone()));
        }
        if let Some(asset) = assets
            .iter()
            .find(|asset| asset.name.as_str().eq_ignore_ascii_case(evidence::NAME))
        {
            return Err(InvalidAssets::Reserved(asset.name.clone()));
        }
        if let Some(asset) = assets
            .iter()
            .find(|asset| asset.size == 0 || asset.size > MOST_BYTES)
        {
            return Err(InvalidAssets::Size(asset.name.clone(), asset.size));
        }
        Ok(Self(assets))
    }

    /// The assets in the order of their names.
    #[must_use]
    pub fn as_slice(&self) -> &[Asset] {
        &self.0
    }

    pub(crate) fn from_json(value: Value) -> Result<Self, Malformed> {
        let place = value.refuse("");
        let assets = value
            .list()?
            .into_iter()
            .map(Asset::from_json)
            .collect::<Result<_, _>>()?;
        Self::new(assets).map_err(|error| place.with_problem(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{operation::Operation, testing::release};
    use alloc::format;
    use std::string::ToString;

    fn asset(name: &str, size: u64) -> Asset {
        Asset {
            name: name.parse().unwrap(),
            size,
            sha256: Digest::of(b"abc"),
            content_type: "text/plain".parse().unwrap(),
        }
    }

    #[test]
    fn assets_stand_by_their_names_and_once() {
        let assets = Assets::new([asset("b", 1), asset("a", 1), asset("c", 1)].into()).unwrap();
        assert_eq!(
            assets
                .as_slice()
                .iter()
                .map(|asset| asset.name.as_str())
                .collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
        assert_eq!(
            Assets::new([asset("b", 1), asset("a", 1), asset("b", 2)].into()),
            Err(InvalidAssets::Twice("b".parse().unwrap()))
        );
    }

    #[test]
    fn a_release_has_a_thousand_assets_at_most() {
        let many = |count: usize| {
            Assets::new(
                (0..count)
                    .map(|number| asset(&format!("a{number}"), 1))
                    .collect(),
            )
        };
        assert_eq!(many(1000).map(|assets| assets.as_slice().len()), Ok(1000));
        assert_eq!(many(1001), Err(InvalidAssets::TooMany(1001)));
    }

    #[test]
    fn an_asset_has_a_byte_and_less_than_2_gib() {
        let sized = |size: u64| Assets::new([asset("a", size)].into()).map(|_| ());
        assert_eq!([sized(1), sized(2_147_483_647)], [Ok(()), Ok(())]);
        for size in [0, 2_147_483_648] {
            assert_eq!(
                sized(size),
                Err(InvalidAssets::Size("a".parse().unwrap(), size))
            );
        }
    }

    #[test]
    fn assets_of_a_document_are_refused_with_their_place() {
        let text = String::from_utf8(release().to_bytes()).unwrap();
        let (before, asset) = text
            .strip_suffix("]}")
            .and_then(|text| text.split_once("\"assets\":["))
            .unwrap();
        let twice = format!("{before}\"assets\":[{asset},{asset}]}}");
        let error = Operation::from_bytes(twice.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "two files would be the asset `app.tar.gz` (at $.assets)"
        );
    }
}
