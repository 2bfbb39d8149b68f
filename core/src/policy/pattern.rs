//! Patterns of tags and branches: `*` stands for any characters, also none and also `/`; everything else for itself.

use alloc::{string::String, vec, vec::Vec};
use core::{fmt, str::FromStr};

use crate::name::InvalidName;

/// A pattern such as `v*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Whether a name is one of those that the pattern stands for.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
            return false;
        };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else {
            return rest.is_empty();
        };
        // The first place of each part leaves the most to the next ones.
        let left = parts.into_iter().try_fold(rest, |rest, part| {
            rest.split_once(part).map(|(_, behind)| behind)
        });
        left.is_some_and(|rest| rest.ends_with(last))
    }

    /// Whether it stands for one name alone.
    #[must_use]
    pub fn is_a_name(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether every name of the other pattern is one of this. A `*` of the other can only be taken in by a `*` of this.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }

    /// Whether some name is one of both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let (one, other): (Vec<char>, Vec<char>) =
            (self.0.chars().collect(), other.0.chars().collect());
        // `meets[j]`: whether what is left of `one` and of `other` from `j` on have a name in common.
        let mut meets = vec![false; other.len() + 1];
        meets[other.len()] = true;
        for j in (0..other.len()).rev() {
            meets[j] = other[j] == '*' && meets[j + 1];
        }
        for i in (0..one.len()).rev() {
            let mut next = vec![false; other.len() + 1];
            next[other.len()] = one[i] == '*' && meets[other.len()];
            for j in (0..other.len()).rev() {
                next[j] = match (one[i], other[j]) {
                    // A star ends here, or takes in what stands opposite: either way one of the two goes on by a character.
                    ('*', _) | (_, '*') => meets[j] || next[j + 1],
                    (left, right) => left == right && meets[j + 1],
                };
            }
            meets = next;
        }
        meets[0]
    }
}

impl FromStr for Pattern {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let valid = (1..=200).contains(&text.len())
            && !text.contains(|c: char| {
                crate::text::hides(c) || c.is_whitespace() || "?[]{}".contains(c)
            });
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName::new(
                "pattern",
                text,
                "1 to 200 visible characters, `*` for any, no blanks and none of `?[]{}`",
            ))
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (text, name, expected) in [
            ("v*", "v1.0.0", true),
            ("v*", "v", true),
            ("v*", "V1", false),
            ("*", "a/b", true),
            ("main", "main", true),
            ("main", "main2", false),
            ("v*-rc*", "v1-rc2", true),
            ("v*-rc*", "v1", false),
            ("*.0", "1.0.0", true),
            ("a*a", "a", false),
            ("a*b*c", "abbc", true),
            ("**", "x", true),
        ] {
            assert_eq!(pattern(text).matches(name), expected, "{text} {name}");
        }
    }

    #[test]
    fn patterns_cover_and_meet() {
        for (one, other, covers, meets) in [
            ("v*", "v1.*", true, true),
            ("v1.*", "v*", false, true),
            ("v*", "w*", false, false),
            ("*", "anything", true, true),
            ("a*", "*b", false, true),
            ("a*c", "b*c", false, false),
            ("v1", "v1", true, true),
            ("v*-rc*", "v*", false, true),
            ("ab", "a", false, false),
            ("v", "v*", false, true),
            ("v", "v**", false, true),
            ("v", "*v*", false, true),
            ("*v*", "*w*", false, true),
            ("v*1", "v1", true, true),
            ("v*1", "*2", false, false),
            ("*b", "*a", false, false),
        ] {
            assert_eq!(
                (
                    pattern(one).covers(&pattern(other)),
                    pattern(one).meets(&pattern(other))
                ),
                (covers, meets),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "v 1", "v?", "[a]", "a\u{200b}b"] {
            assert!(
                text.parse::<Pattern>()
                    .is_err_and(|error| error.value() == text),
                "{text}"
            );
        }
    }
}
