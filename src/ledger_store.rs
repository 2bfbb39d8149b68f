//! The ledger as it is kept on GitHub: looks by the preflight's query, appends by one compare-and-swap commit.

use countersign_core::{
    ledger::{Append, Appended, LedgerStore, LedgerView, Look},
    operation::Operation,
    refusal::Refusal,
};

use crate::github::{GitHub, PreflightQuery};

/// The ledger branch of the repository in which an operation happens.
pub(crate) struct LedgerBranch<'a> {
    github: &'a GitHub,
    operation: Operation,
}

impl<'a> LedgerBranch<'a> {
    pub(crate) const fn new(github: &'a GitHub, operation: Operation) -> Self {
        Self { github, operation }
    }
}

impl LedgerStore for LedgerBranch<'_> {
    async fn look(&self, look: &Look) -> Result<LedgerView, Refusal> {
        self.github.look(&PreflightQuery::new(&self.operation, Some(look))).await
    }

    async fn append(&self, append: &Append) -> Appended {
        self.github.append(&self.operation.target().repository, append).await
    }
}
