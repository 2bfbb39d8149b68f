//! The policy: which operations may be approved by whom. Exactly one rule must match; the default is no.

mod decide;
mod lint;
mod pattern;

use alloc::{format, string::String, vec::Vec};

pub use self::{
    decide::{Approval, Decision, Denial, Reason, Request, decide, decide_one},
    lint::{Finding, Owner, lint},
    pattern::Pattern,
};
use crate::{
    authority::Pin,
    digest::Digest,
    name::{KeyName, RepositoryId, Title},
    operation::{Kind, Operation, Target},
    reach::{MOST_BRANCHES, ReachableFrom},
    tables::{self, Misplaced, Table, Value},
    timestamp::Lifetime,
};

/// Most rules of one policy.
pub const MOST_RULES: usize = 256;
/// Largest version: a ledger that remembered the largest number there is could never take in another.
pub const MOST_VERSION: u64 = 1_000_000;

/// A policy, read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Policy {
    /// From 1; it only grows.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_VERSION)))]
    pub version: u64,
    /// The rules in the order of the file.
    #[cfg_attr(test, schemars(rename = "rule", default, length(max = MOST_RULES)))]
    pub rules: Vec<Rule>,
    #[cfg_attr(test, schemars(skip))]
    digest: Digest,
}

/// One rule: what it is about, and who must approve that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(transform = crate::schema::relations::tag_or_branch))]
pub struct Rule {
    /// Its name, once in a policy.
    #[cfg_attr(test, schemars(with = "Title"))]
    pub name: String,
    /// The kind of operation.
    pub operation: Kind,
    /// The repository, by name and by number.
    #[cfg_attr(test, schemars(flatten))]
    pub target: Target,
    /// The tag of a release or tag; of a pull request the branch into which it is to be merged.
    #[cfg_attr(test, schemars(rename = "tag"))]
    pub pattern: Pattern,
    /// Names of the keys whose owners may approve.
    #[cfg_attr(
        test,
        schemars(with = "alloc::collections::BTreeSet<KeyName>", length(min = 1))
    )]
    pub approvers: Vec<String>,
    /// How many of them must.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub threshold: u64,
    /// How long a receipt may last.
    pub longest_lifetime: Lifetime,
    /// Whether whoever asked for the run may not be among them.
    pub exclude_requester: bool,
    /// The branches of which one must contain the commit of a release or tag.
    #[cfg_attr(
        test,
        schemars(
            with = "Option<Vec<Pattern>>",
            length(min = 1, max = crate::reach::MOST_BRANCHES)
        )
    )]
    pub reachable_from: ReachableFrom,
}

impl Policy {
    /// Reads `policy.toml`. A file that cannot be read whole is never replaced by a default.
    pub fn parse(text: &str) -> Result<Self, Misplaced> {
        let mut table = tables::parse(text)?;
        let version = table.take("version")?;
        let first = version.refuse(format!("expected a version from 1 to {MOST_VERSION}"));
        let version = version.number()?;
        let rules = table.tables("rule")?;
        let too_many = table.refuse(format!("more than {MOST_RULES} rules"));
        table.end()?;
        if version == 0 || version > MOST_VERSION {
            return Err(first);
        }
        if rules.len() > MOST_RULES {
            return Err(too_many);
        }
        let mut policy = Self {
            version,
            rules: Vec::new(),
            digest: Digest::of(text.as_bytes()),
        };
        for rule in rules {
            let twice = rule.refuse("another rule has this name already");
            let rule = Rule::read(rule)?;
            if policy.rules.iter().any(|known| known.name == rule.name) {
                return Err(twice);
            }
            policy.rules.push(rule);
        }
        Ok(policy)
    }

    /// The branches of which one must contain the operation's commit: those of the one rule that is
    /// about it.
    #[must_use]
    pub fn reachable_from(&self, operation: &Operation) -> ReachableFrom {
        let mut rules = self.rules.iter();
        let about = rules.find(|rule| rule.matches(operation).is_ok());
        about.map_or_else(ReachableFrom::default, |rule| rule.reachable_from.clone())
    }

    /// Its version and the digest of its bytes.
    #[must_use]
    pub const fn pin(&self) -> Pin {
        Pin {
            version: self.version,
            digest: self.digest,
        }
    }
}

impl Rule {
    fn read(mut table: Table<'_>) -> Result<Self, Misplaced> {
        let operation = table.take("operation")?.name()?;
        let pattern = table.take(Self::place(operation))?.name()?;
        let approvers = table.take("approvers")?;
        let nobody = approvers.refuse("expected at least one approver, each once");
        let threshold = table.take("threshold")?;
        let none = threshold.refuse("expected a whole number from 1");
        let reachable_from = match table.take_optional("reachable_from") {
            Some(value) => branches(value, operation)?,
            None => ReachableFrom::default(),
        };
        let rule = Self {
            name: table.take("name")?.name::<Title>()?.as_str().into(),
            operation,
            target: Target {
                repository: table.take("repository")?.name()?,
                repository_id: RepositoryId(table.take("repository_id")?.number()?),
            },
            pattern,
            approvers: approvers
                .list()?
                .into_iter()
                .map(|name| name.name::<KeyName>().map(|name| name.as_str().into()))
                .collect::<Result<_, _>>()?,
            threshold: threshold.number()?,
            longest_lifetime: table.take("longest_lifetime")?.name()?,
            exclude_requester: table.take("exclude_requester")?.flag()?,
            reachable_from,
        };
        table.end()?;
        let twice = rule.approvers.iter().enumerate().any(|(index, name)| {
            let mut before = rule.approvers[..index].iter();
            before.any(|other| KeyName::same(other, name))
        });
        if rule.approvers.is_empty() || twice {
            return Err(nobody);
        }
        if rule.threshold == 0 {
            return Err(none);
        }
        Ok(rule)
    }

    /// The member that holds the pattern.
    const fn place(operation: Kind) -> &'static str {
        match operation {
            Kind::PublishRelease | Kind::TagRepo => "tag",
            Kind::OpenPr => "branch",
        }
    }

    /// Whether a key's name is one of the approvers'.
    fn names(&self, name: &str) -> bool {
        self.approvers
            .iter()
            .any(|approver| KeyName::same(approver, name))
    }

    /// Whether the rule is about this operation; otherwise the first side on which they differ.
    fn matches(&self, operation: &Operation) -> Result<(), String> {
        let (name, target) = (subject(operation), operation.target());
        if self.operation != operation.kind() {
            return Err(format!("it is about {}", self.operation));
        }
        if self.target != *target {
            return Err(format!("it is about {}", self.target));
        }
        if !self.pattern.matches(name) {
            return Err(format!(
                "its {} `{}` does not match `{name}`",
                Self::place(self.operation),
                self.pattern
            ));
        }
        Ok(())
    }
}

/// The branches that a rule lists.
fn branches(value: Value<'_>, operation: Kind) -> Result<ReachableFrom, Misplaced> {
    let unfit = value.refuse(format!(
        "expected 1 to {MOST_BRANCHES} names or patterns of branches"
    ));
    if operation == Kind::OpenPr {
        return Err(value.refuse("a pull request's commits need no branch that contains them"));
    }
    let listed = value.list()?.into_iter().map(Value::name);
    ReachableFrom::new(listed.collect::<Result<_, _>>()?).ok_or(unfit)
}

/// The name on which patterns are tried.
fn subject(operation: &Operation) -> &str {
    match operation {
        Operation::PublishRelease(release) => release.tag_name.as_str(),
        Operation::TagRepo(tag) => tag.tag_name.as_str(),
        Operation::OpenPr(pull) => pull.base_branch.as_str(),
    }
}

#[cfg(test)]
mod tests;
