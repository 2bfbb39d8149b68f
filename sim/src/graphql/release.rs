//! A release with its tag's commit.

use async_graphql::{Context, ID, Object};

use super::commit::Commit;
use super::scalar::Uri;
use super::world;
use crate::record::ReleaseRecord;
use crate::rest::release_html;

/// A release as it was when the request looked.
pub(super) struct Release(pub(super) ReleaseRecord);

#[Object]
impl Release {
    async fn id(&self) -> ID {
        ID(format!("RE_{}", self.0.id))
    }

    async fn database_id(&self) -> Option<u64> {
        Some(self.0.id)
    }

    async fn name(&self) -> Option<String> {
        self.0.name.clone()
    }

    async fn tag_name(&self) -> String {
        self.0.tag_name.clone()
    }

    async fn is_draft(&self) -> bool {
        self.0.draft
    }

    async fn is_prerelease(&self) -> bool {
        self.0.prerelease
    }

    /// Null for a draft whose tag is not made yet.
    async fn tag_commit(&self, context: &Context<'_>) -> Option<Commit> {
        world(context, |world| {
            world
                .git
                .peel(
                    world
                        .git
                        .reference(&format!("refs/tags/{}", self.0.tag_name))?,
                )
                .map(Commit)
        })
    }

    async fn url(&self, context: &Context<'_>) -> Uri {
        Uri(world(context, |world| {
            release_html(&world.identity, &self.0)
        }))
    }
}
