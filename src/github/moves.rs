//! Reads GitHub's record of how the ledger's branch moved.

use serde::Deserialize;

use countersign_core::{
    ledger::{BRANCH, MOST_TAIL_COMMITS, Move, MoveKind, Moves, Tail, Unjoined},
    name::{CommitId, Repository},
    receipt::Terms,
    text::excerpt,
};

use super::{GitHub, Trouble, encoded};

/// Moves of one page.
const PAGE: usize = 100;
/// Pages at most: enough for the longest tail, and as many moves again in the day before it.
const MOST_PAGES: usize = 2 * MOST_TAIL_COMMITS / PAGE;

#[derive(Deserialize)]
struct Activity {
    before: String,
    after: String,
    #[serde(rename = "activity_type")]
    kind: String,
    timestamp: String,
}

impl Activity {
    fn read(&self) -> Result<Move, Trouble> {
        let garbage = |what: &str, found: &str| Trouble::Garbage {
            reason: format!("an activity whose {what} is `{}`", excerpt(found, 60)),
        };
        let commit = |text: &str| {
            text.parse::<CommitId>()
                .map_err(|_| garbage("commit", text))
        };
        let at = self.timestamp.parse();
        Ok(Move {
            before: commit(&self.before)?,
            after: commit(&self.after)?,
            kind: match self.kind.as_str() {
                "push" => MoveKind::Push,
                "branch_creation" => MoveKind::Creation,
                _ => MoveKind::Other,
            },
            at: at.map_err(|_| garbage("time", &self.timestamp))?,
        })
    }
}

/// A page of the record, the newest moves first, and where the next one begins.
struct Page {
    moves: Vec<Move>,
    next: Option<String>,
}

impl GitHub {
    /// The moves that show whether the branch was rewound since a receipt's plan, as far as GitHub
    /// has them. It may show the newest ones late, so they are looked for again.
    pub(super) async fn moves_since(
        &self,
        repository: &Repository,
        tail: &Tail,
        terms: &Terms,
    ) -> Moves {
        let mut tried = 0;
        loop {
            tried += 1;
            let moves = match self.read_moves(repository, tail, terms).await {
                Ok(moves) => moves,
                Err(trouble) if self.patience.waits(&trouble, tried).await => continue,
                Err(trouble) => {
                    return Moves::Unknown(format!("GitHub's activity cannot be read: {trouble}"));
                }
            };
            let Err(Unjoined::Late(commit)) = moves.join(tail, terms) else {
                return moves;
            };
            let late = Trouble::NotYetKnown {
                status: 200,
                message: format!("how `{BRANCH}` came to {commit}"),
            };
            if !self.patience.waits(&late, tried).await {
                return moves;
            }
        }
    }

    /// Reads pages, the newest first, until there are enough moves to decide.
    async fn read_moves(
        &self,
        repository: &Repository,
        tail: &Tail,
        terms: &Terms,
    ) -> Result<Moves, Trouble> {
        let (mut moves, mut next) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page = self.page_of_moves(repository, next.as_deref()).await?;
            moves.extend(page.moves);
            next = page.next;

            let shown = Moves::Shown {
                moves: moves.clone(),
                complete: next.is_none(),
            };
            if shown.join(tail, terms) != Err(Unjoined::MoreNeeded) {
                return Ok(shown);
            }
        }
        Ok(Moves::Shown {
            moves,
            complete: false,
        })
    }

    async fn page_of_moves(
        &self,
        repository: &Repository,
        after: Option<&str>,
    ) -> Result<Page, Trouble> {
        let branch = encoded(&format!("refs/heads/{BRANCH}"));
        let after = after.map_or(String::new(), |after| format!("&after={after}"));
        let path = format!("/repos/{repository}/activity?ref={branch}&per_page={PAGE}{after}");
        let (activities, next): (Vec<Activity>, _) = self.read_page(&path).await?;
        let moves = activities.iter().map(Activity::read);
        Ok(Page {
            moves: moves.collect::<Result<_, _>>()?,
            next,
        })
    }
}
