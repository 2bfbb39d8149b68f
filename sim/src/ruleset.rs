//! Rulesets, and which rules hold for a branch.

use serde_json::{Value, json};

use crate::simulator::Simulator;
use crate::world::World;

/// One ruleset, of the repository or of its organization.
#[derive(Clone, Debug)]
pub(crate) struct Ruleset {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// `Repository` or `Organization`.
    pub(crate) source_type: &'static str,
    /// `branch` or `tag`; of those for tags only `creation` is enforced.
    pub(crate) target: String,
    /// Only an `active` ruleset is enforced.
    pub(crate) enforcement: String,
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
    /// `{type, parameters?}` each.
    pub(crate) rules: Vec<Value>,
}

impl Ruleset {
    fn of_branches(name: String, include: &str, rules: &[&str]) -> Self {
        Self {
            id: 0,
            name,
            source_type: "Repository",
            target: "branch".to_owned(),
            enforcement: "active".to_owned(),
            include: vec![include.to_owned()],
            exclude: Vec::new(),
            rules: rules.iter().map(|rule| json!({ "type": rule })).collect(),
        }
    }

    /// Whether it is enforced on a ref, given by its full name; so is the default branch.
    fn covers(&self, name: &str, default: &str) -> bool {
        let fits = |pattern: &String| match pattern.as_str() {
            "~ALL" => true,
            "~DEFAULT_BRANCH" => name == default,
            pattern => matches(pattern.as_bytes(), name.as_bytes()),
        };
        self.include.iter().any(fits) && !self.exclude.iter().any(fits)
    }
}

/// fnmatch as rulesets use it: `*` and `?` stay within a path segment, `**` does not.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', b'*', rest @ ..], _) => {
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            (0..=name.len()).any(|skipped| matches(rest, &name[skipped..]))
        }
        ([b'*', rest @ ..], _) => {
            let segment = name.iter().take_while(|byte| **byte != b'/').count();
            (0..=segment).any(|skipped| matches(rest, &name[skipped..]))
        }
        ([b'?', rest @ ..], [byte, left @ ..]) if *byte != b'/' => matches(rest, left),
        ([wanted, rest @ ..], [byte, left @ ..]) if wanted == byte => matches(rest, left),
        _ => false,
    }
}

impl World {
    /// The rulesets that are enforced on a branch.
    pub(crate) fn rulesets_of(&self, branch: &str) -> impl Iterator<Item = &Ruleset> {
        self.rulesets_on("branch", format!("refs/heads/{branch}"))
    }

    /// The rulesets of a target that are enforced on a ref, given by its full name.
    fn rulesets_on(&self, target: &'static str, name: String) -> impl Iterator<Item = &Ruleset> {
        let default = format!("refs/heads/{}", self.git.default_branch());
        self.settings.rulesets.iter().filter(move |ruleset| {
            let enforced = ruleset.target == target && ruleset.enforcement == "active";
            enforced && ruleset.covers(&name, &default)
        })
    }

    /// Whether a ruleset, or the switch for all tags, restricts the creation of a tag.
    pub(crate) fn restricts_tag(&self, tag: &str) -> bool {
        let mut rulesets = self.rulesets_on("tag", format!("refs/tags/{tag}"));
        self.settings.tag_creation_restricted
            || rulesets.any(|ruleset| ruleset.rules.iter().any(|rule| rule["type"] == "creation"))
    }

    /// The rules that hold for a branch, one per ruleset and type.
    pub(crate) fn branch_rules(&self, branch: &str) -> Vec<Value> {
        let rules = self.rulesets_of(branch);
        rules.flat_map(|ruleset| ruleset.rules.clone()).collect()
    }

    /// Whether a rule of this type holds for a branch.
    pub(crate) fn has_branch_rule(&self, branch: &str, kind: &str) -> bool {
        let rules = self.branch_rules(branch);
        rules.iter().any(|rule| rule["type"] == kind)
    }

    /// Adds a ruleset under a new id.
    pub(crate) fn add_ruleset(&mut self, mut ruleset: Ruleset) -> Ruleset {
        self.settings.last_ruleset += 1;
        ruleset.id = self.settings.last_ruleset;
        self.settings.rulesets.push(ruleset.clone());
        ruleset
    }

    fn set_rules(&mut self, ruleset: Ruleset) {
        let name = ruleset.name.clone();
        let rulesets = &mut self.settings.rulesets;
        rulesets.retain(|known| known.name != name);
        if !ruleset.rules.is_empty() {
            self.add_ruleset(ruleset);
        }
    }
}

impl Simulator {
    /// The rule types that the repository has for a branch, in place of those that a call like
    /// this one set before. Enforced are `creation`, `update`, `deletion`, `non_fast_forward`,
    /// `pull_request`, `required_status_checks` and `required_signatures`; all are reported.
    pub fn branch_rules(&self, branch: &str, rules: &[&str]) {
        let include = format!("refs/heads/{branch}");
        let ruleset = Ruleset::of_branches(format!("rules of {branch}"), &include, rules);
        self.world(|world| world.set_rules(ruleset));
    }

    /// The rule types that the organization has for every branch of every repository.
    pub fn branch_rules_everywhere(&self, rules: &[&str]) {
        let ruleset = Ruleset {
            source_type: "Organization",
            ..Ruleset::of_branches("rules of the organization".to_owned(), "~ALL", rules)
        };
        self.world(|world| world.set_rules(ruleset));
    }

    /// Classic branch protection: changes must be made through a pull request.
    pub fn protect_classically(&self, branch: &str) {
        self.world(|world| {
            let protected = &mut world.settings.classically_protected;
            protected.insert(branch.to_owned());
        });
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_single_asterisk_stays_within_a_segment() {
        for (pattern, name, fits) in [
            ("refs/heads/main", "refs/heads/main", true),
            ("refs/heads/*", "refs/heads/main", true),
            ("refs/heads/*", "refs/heads/release/1", false),
            ("refs/heads/**", "refs/heads/release/1", true),
            ("refs/heads/**/*", "refs/heads/main", true),
            ("refs/heads/v?", "refs/heads/v1", true),
            ("refs/heads/v?", "refs/heads/v", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                fits,
                "{pattern} {name}"
            );
        }
    }
}
