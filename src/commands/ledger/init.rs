//! `countersign ledger init`: makes the ledger's branch, tries an append, and protects it if asked.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use countersign_core::{
    ledger::{Append, Appended, BRANCH, Rejection},
    name::{CommitId, Repository},
};

use crate::{
    Environment,
    cli::LedgerPlace,
    commands::{Row, print, rows::tell_document, tell},
    exit::Exit,
    github::{Begun, BranchRules, GitHub, Protected, Trouble, ruleset, wanted_rules},
};

use super::{github, hindrance, source::Source, told, verify};

/// How often an append is tried if its answer is lost or another append overtakes it.
const TRIES: usize = 3;

/// Makes the branch, or examines the one that exists; tries an append; protects it if asked to.
///
/// If something blocks it, the message says what exists now and what to do. Running it again
/// continues from there.
pub(crate) async fn init(
    repository: Repository,
    protect: bool,
    environment: &Environment,
) -> Result<Exit> {
    let setup = Setup {
        repository,
        github: github(environment)?,
        environment,
    };

    setup.branch().await?;
    let source = setup.examined().await?;
    let newest = setup.try_append(source).await?;
    let signs = setup.signs(&newest).await?;
    if protect {
        setup.protect(signs).await?;
    } else {
        setup.advise_protection(signs).await?;
    }

    Ok(Exit::Success)
}

struct Setup<'a> {
    repository: Repository,
    github: GitHub,
    environment: &'a Environment,
}

impl Setup<'_> {
    async fn branch(&self) -> Result<()> {
        let repository = &self.repository;
        let branch = self.github.begin_ledger(repository).await;
        match branch.map_err(|trouble| told(&trouble))? {
            Begun::With(commit) => self.report(&format!(
                "the branch `{BRANCH}` begins with commit {commit}"
            )),
            Begun::Before => self.report(&format!("the branch `{BRANCH}` exists already")),
            Begun::EmptyRepository => bail!(
                "{repository} has no commit yet, and GitHub stores nothing in an empty repository. \
                 Push a first commit to its default branch, then run this again"
            ),
            Begun::Refused(trouble) => {
                let rules = self.rules().await?;
                let in_job = self.environment.get("GITHUB_ACTIONS") == Some("true");
                bail!(hindrance::of_creation(&trouble, &rules, in_job))
            }
        }
    }

    /// Reads the branch back and verifies all of it: a branch of this name need not be a ledger.
    async fn examined(&self) -> Result<Source> {
        let explain = || {
            format!(
                "the branch `{BRANCH}` of {} cannot be verified as a ledger, so it was not \
                 protected. If it is something else, rename or delete it and run this again; if \
                 it is a damaged ledger, restore it from a clone",
                self.repository
            )
        };
        let source = self.found().await.with_context(explain)?;
        verify::recomputed(&source, &Arc::new(None), |_| {})
            .await
            .with_context(explain)?;
        Ok(source)
    }

    /// GitHub may not show a new branch yet.
    async fn found(&self) -> Result<Source> {
        let place = LedgerPlace {
            path: None,
            repository: Some(self.repository.clone()),
        };
        let mut tried = 0;
        loop {
            tried += 1;
            if let Some(source) = Source::find(&place, self.environment).await? {
                return Ok(source);
            }
            let passes = Trouble::NotYetKnown {
                status: 404,
                message: format!("the branch `{BRANCH}`"),
            };
            if !self.github.patience().waits(&passes, tried).await {
                bail!("GitHub does not show the branch yet; run this again in a minute");
            }
        }
    }

    /// Tries an append, unless an entry already proves that appends get through. Returns the
    /// branch's newest commit.
    async fn try_append(&self, mut source: Source) -> Result<CommitId> {
        for _ in 0..TRIES {
            let tip = source.tip().context("a branch without a commit")?.clone();
            if source.entries > 0 {
                self.report(&format!(
                    "no append was tried: the ledger holds {} entries already",
                    source.entries
                ))?;
                return Ok(tip);
            }

            let append = Append::trial(tip);
            let ledger = format!("refs/heads/{BRANCH}");
            let appended = self.github.append(&self.repository, &append, &ledger).await;
            match appended {
                Appended::Done { commit, .. } => {
                    self.report(&format!("an append was tried: commit {commit}"))?;
                    return Ok(commit);
                }
                Appended::Rejected(rejection) => bail!(self.refused_append(&rejection).await?),
                Appended::Stale | Appended::Unknown(_) => {
                    self.github.patience().stands_aside(1000).await;
                    source = self.examined().await?;
                }
            }
        }
        bail!(
            "the branch `{BRANCH}` exists, but it is not known whether appends get through: \
             {TRIES} were tried, and each was overtaken or its answer was lost. Run this again"
        )
    }

    async fn refused_append(&self, rejection: &Rejection) -> Result<String> {
        let rules = self.rules().await?;
        Ok(hindrance::of_append(rejection, &rules))
    }

    /// Whether the server signs what it commits for us.
    async fn signs(&self, newest: &CommitId) -> Result<bool> {
        if self.github.always_signs() {
            return Ok(true);
        }
        let verified = self.github.is_verified(&self.repository, newest).await;
        let verified = verified.map_err(|trouble| told(&trouble))?;
        if !verified {
            tell(hindrance::SIGNS_NOTHING);
        }
        Ok(verified)
    }

    async fn protect(&self, signs: bool) -> Result<()> {
        if let BranchRules::NotInPlan(message) = self.rules().await? {
            bail!(hindrance::no_rulesets(&message));
        }

        let wanted = wanted_rules(signs);
        let protected = self.github.protect_ledger(&self.repository, &wanted).await;
        let protected = protected
            .map_err(|trouble| told(&trouble))
            .context("the branch exists, but the ruleset could not be set")?;
        match protected {
            Protected::Made { id, rules, without } => {
                self.report_ruleset(id, &rules, without.as_deref())?;
                // The ruleset is new: whether appends get through under it is not known yet.
                let source = self.examined().await?;
                self.try_append(source).await.with_context(|| {
                    format!(
                        "ruleset {id} was set, but no append gets through under it; delete it \
                         under Settings, Rules"
                    )
                })?;
                Ok(())
            }
            // GitHub refuses a second ruleset of one name: that is no error, only the second run.
            Protected::Refused(_) if self.rules().await?.protect() => self.report(
                "its rules already forbid deleting or rewriting it, so no ruleset was made",
            ),
            Protected::Refused(trouble) => bail!(hindrance::of_ruleset(&trouble)),
        }
    }

    fn report_ruleset(&self, id: u64, rules: &[String], without: Option<&str>) -> Result<()> {
        let lacks = |rule: &&str| !rules.iter().any(|made| made == rule);
        let all = wanted_rules(true);
        let missing: Vec<&str> = all.into_iter().filter(lacks).collect();

        if missing
            .iter()
            .any(|rule| ["deletion", "non_fast_forward"].contains(rule))
        {
            bail!(
                "GitHub set ruleset {id}, but without these rules: {}. Add them under Settings, \
                 Rules",
                quoted(&missing)
            );
        }

        self.report(&format!("ruleset {id} forbids deleting or rewriting it"))?;
        if !missing.is_empty() {
            let reason = without.unwrap_or("the server signs no commits");
            self.report(&format!("it lacks {}: {reason}", quoted(&missing)))?;
        }
        Ok(())
    }

    async fn advise_protection(&self, signs: bool) -> Result<()> {
        match self.rules().await? {
            rules if rules.protect() => self.report("its rules forbid deleting or rewriting it")?,
            BranchRules::NotInPlan(message) => tell(Row::words(hindrance::no_rulesets(&message))),
            _ => {
                tell(
                    "Protect the branch: run this again with --protect and an administrator's \
                     token, or import this ruleset under Settings, Rules:",
                );
                tell_document(&ruleset(&wanted_rules(signs)).to_string());
            }
        }
        Ok(())
    }

    async fn rules(&self) -> Result<BranchRules> {
        let rules = self.github.branch_rules(&self.repository).await;
        rules.map_err(|trouble| told(&trouble))
    }

    fn report(&self, text: &str) -> Result<()> {
        // In a job the runner reads these lines, and some hold what GitHub says.
        print(Row::words(format!("{}: {text}", self.repository)))
    }
}

fn quoted(rules: &[&str]) -> String {
    let quoted: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
    quoted.join(", ")
}
