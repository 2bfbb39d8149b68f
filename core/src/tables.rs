//! Reads TOML strictly: bounded in size, every member taken by name, and every mistake told with its line and column.

use alloc::{format, string::String, vec::Vec};
use core::{fmt, str::FromStr};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Largest file that people write: policies, campaigns, trust files.
pub const MOST_BYTES: usize = 256 * 1024;

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct Misplaced {
    line: usize,
    column: usize,
    problem: String,
}

impl Misplaced {
    /// The same place with another problem.
    #[must_use]
    pub fn with_problem(self, problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            ..self
        }
    }

    fn new(source: &str, at: usize, problem: impl Into<String>) -> Self {
        let before = source.get(..at.min(source.len())).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        Self {
            line,
            column,
            problem: problem.into(),
        }
    }
}

/// A table from which every member must be taken before [`Table::end`].
pub struct Table<'a> {
    source: &'a str,
    at: usize,
    members: DeTable<'a>,
}

/// A value and where it stands.
pub struct Value<'a> {
    source: &'a str,
    at: usize,
    kind: DeValue<'a>,
}

/// Reads a whole file.
pub fn parse(source: &str) -> Result<Table<'_>, Misplaced> {
    if source.len() > MOST_BYTES {
        return Err(Misplaced::new(
            source,
            0,
            format!(
                "{} bytes are more than the {MOST_BYTES} allowed",
                source.len()
            ),
        ));
    }
    let root = DeTable::parse(source).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Misplaced::new(source, at, format!("this is no TOML: {}", error.message()))
    })?;
    Ok(Table {
        source,
        at: 0,
        members: root.into_inner(),
    })
}

impl<'a> Table<'a> {
    /// Takes out a member, which must be there.
    pub fn take(&mut self, member: &str) -> Result<Value<'a>, Misplaced> {
        match self.take_optional(member) {
            Some(value) => Ok(value),
            None => Err(self
                .misspelt(member)
                .unwrap_or_else(|| self.refuse(format!("the member `{member}` is missing")))),
        }
    }

    /// A member that stands where another one is missing, and differs by a letter or two.
    fn misspelt(&self, member: &str) -> Option<Misplaced> {
        let similar = self
            .members
            .iter()
            .find(|(name, _)| distance(name.get_ref(), member) <= 2)?
            .0;
        let problem = format!(
            "the member `{}` is unknown here; is `{member}` meant?",
            crate::text::excerpt(similar.get_ref(), 40)
        );
        Some(Misplaced::new(self.source, similar.span().start, problem))
    }

    /// Takes out a member if it is there.
    pub fn take_optional(&mut self, member: &str) -> Option<Value<'a>> {
        let (_, value) = self.members.remove_entry(member)?;
        Some(Value {
            source: self.source,
            at: value.span().start,
            kind: value.into_inner(),
        })
    }

    /// The tables of `[[member]]`; none if there is no such member.
    pub fn tables(&mut self, member: &str) -> Result<Vec<Table<'a>>, Misplaced> {
        let Some(value) = self.take_optional(member) else {
            return Ok(Vec::new());
        };
        if matches!(value.kind, DeValue::Table(_)) {
            return Err(value.refuse(format!(
                "write [[{member}]] with two brackets: there may be several"
            )));
        }
        value.list()?.into_iter().map(Value::table).collect()
    }

    /// Every member with its value, for tables whose names are data.
    #[must_use]
    pub fn into_members(self) -> Vec<(String, Value<'a>)> {
        let source = self.source;
        self.members
            .into_iter()
            .map(|(name, value)| {
                (
                    name.get_ref().as_ref().into(),
                    Value {
                        source,
                        at: value.span().start,
                        kind: value.into_inner(),
                    },
                )
            })
            .collect()
    }

    /// Refuses members that nobody took.
    pub fn end(self) -> Result<(), Misplaced> {
        match self
            .members
            .iter()
            .min_by_key(|(name, _)| name.span().start)
        {
            None => Ok(()),
            Some((name, _)) => {
                let problem = format!(
                    "the member `{}` is unknown here",
                    crate::text::excerpt(name.get_ref(), 40)
                );
                Err(Misplaced::new(self.source, name.span().start, problem))
            }
        }
    }

    /// An error about this table.
    pub fn refuse(&self, problem: impl Into<String>) -> Misplaced {
        Misplaced::new(self.source, self.at, problem)
    }
}

impl<'a> Value<'a> {
    fn wrong(&self, expected: &str) -> Misplaced {
        self.refuse(format!(
            "expected {expected}, found {}",
            name_of(&self.kind)
        ))
    }

    /// The text that this value must be.
    pub fn text(self) -> Result<String, Misplaced> {
        let wrong = self.wrong("text in quotes");
        let DeValue::String(text) = self.kind else {
            return Err(wrong);
        };
        Ok(text.as_ref().into())
    }

    /// The text that this value must be, as the name that it must spell.
    pub fn name<T: FromStr<Err: fmt::Display>>(self) -> Result<T, Misplaced> {
        let (source, at) = (self.source, self.at);
        self.text()?
            .parse()
            .map_err(|error| Misplaced::new(source, at, format!("{error}")))
    }

    /// The whole number that this value must be.
    pub fn number(self) -> Result<u64, Misplaced> {
        let wrong = self.wrong("a whole number");
        let DeValue::Integer(number) = &self.kind else {
            return Err(wrong);
        };
        u64::from_str_radix(number.as_str(), number.radix())
            .map_err(|_| self.refuse("expected a whole number that is not negative"))
    }

    /// `true` or `false`.
    pub fn flag(self) -> Result<bool, Misplaced> {
        self.kind
            .as_bool()
            .ok_or_else(|| self.wrong("true or false"))
    }

    /// The items of the list that this value must be.
    pub fn list(self) -> Result<Vec<Value<'a>>, Misplaced> {
        let wrong = self.wrong("a list");
        let source = self.source;
        let DeValue::Array(items) = self.kind else {
            return Err(wrong);
        };
        let value = |item: Spanned<DeValue<'a>>| Value {
            source,
            at: item.span().start,
            kind: item.into_inner(),
        };
        Ok(items.into_iter().map(value).collect())
    }

    /// The table that this value must be.
    pub fn table(self) -> Result<Table<'a>, Misplaced> {
        let wrong = self.wrong("a table");
        let DeValue::Table(members) = self.kind else {
            return Err(wrong);
        };
        Ok(Table {
            source: self.source,
            at: self.at,
            members,
        })
    }

    /// An error about this value.
    pub fn refuse(&self, problem: impl Into<String>) -> Misplaced {
        Misplaced::new(self.source, self.at, problem)
    }
}

/// How many letters must be put in, taken out or exchanged to make one word of another.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, character) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for column in 0..other.len() {
            let exchanged = diagonal + usize::from(other[column] != character);
            diagonal = row[column + 1];
            row[column + 1] = exchanged.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

const fn name_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    const FILE: &str = "version = 2\nname = \"a\"\n\n[[rule]]\nflag = true\nlist = [1, \"x\"]\n";

    #[test]
    fn a_file_is_read_member_by_member() {
        let mut file = parse(FILE).unwrap();
        assert_eq!(file.take("version").and_then(Value::number), Ok(2));
        assert_eq!(file.take("name").and_then(Value::text).as_deref(), Ok("a"));
        let mut rules = file.tables("rule").unwrap();
        assert_eq!(file.tables("absent").map(|tables| tables.len()), Ok(0));
        assert_eq!(file.end(), Ok(()));
        assert_eq!(rules[0].take("flag").and_then(Value::flag), Ok(true));
        assert_eq!(
            rules[0]
                .take("list")
                .and_then(Value::list)
                .map(|list| list.len()),
            Ok(2)
        );
    }

    #[test]
    fn a_file_may_have_256_kib_and_not_a_byte_more() {
        let read = |bytes: usize| {
            parse(&" ".repeat(bytes))
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(262_144), Ok(()));
        assert_eq!(
            read(262_145),
            Err("line 1, column 1: 262145 bytes are more than the 262144 allowed".into())
        );
    }

    #[test]
    fn members_whose_names_are_data_keep_their_places() {
        let members = parse("b = 1\na = 2").unwrap().into_members();
        let mut told: Vec<_> = members
            .into_iter()
            .map(|(name, value)| format!("{name}: {}", value.refuse("no")))
            .collect();
        told.sort();
        assert_eq!(told, ["a: line 2, column 5: no", "b: line 1, column 5: no"]);
    }

    #[test]
    fn another_problem_keeps_its_place() {
        let place = parse("\na = 1")
            .unwrap()
            .take("a")
            .map(|value| value.refuse("this"))
            .unwrap();
        assert_eq!(
            place.with_problem("that").to_string(),
            "line 2, column 5: that"
        );
    }

    #[test]
    fn words_differ_by_letters_put_in_taken_out_or_exchanged() {
        for (one, other, letters) in [
            ("", "", 0),
            ("tag", "tag", 0),
            ("", "tag", 3),
            ("tag", "", 3),
            ("tag", "tags", 1),
            ("stag", "tag", 1),
            ("tag", "stag", 1),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("versoin", "version", 2),
        ] {
            assert_eq!(distance(one, other), letters, "{one} {other}");
        }
    }

    #[test]
    fn every_mistake_has_its_line_and_column() {
        let problem = |read: fn(Table<'_>) -> Result<(), Misplaced>, text: &str| {
            parse(text)
                .and_then(read)
                .map_or_else(|error| error.to_string(), |()| "read".into())
        };
        let whole = |mut file: Table<'_>| {
            file.take("version")?.number()?;
            for mut rule in file.tables("rule")? {
                rule.take("flag")?.flag()?;
                rule.take("list")?
                    .list()?
                    .into_iter()
                    .try_for_each(|item| item.number().map(|_| ()))?;
                rule.end()?;
            }
            file.end()
        };
        assert_eq!(
            problem(whole, FILE),
            "line 6, column 12: expected a whole number, found text"
        );
        assert_eq!(
            problem(whole, "version = 1\nversion = 2\n"),
            "line 2, column 1: this is no TOML: duplicate key"
        );
        assert_eq!(
            problem(whole, "version = \"1\""),
            "line 1, column 11: expected a whole number, found text"
        );
        assert_eq!(
            problem(whole, "version = -1"),
            "line 1, column 11: expected a whole number that is not negative"
        );
        assert_eq!(
            problem(whole, "version = 1\nvresion = 2"),
            "line 2, column 1: the member `vresion` is unknown here"
        );
        assert_eq!(
            problem(whole, "version = 1\n[[rule]]\nflag = 1"),
            "line 3, column 8: expected true or false, found a whole number"
        );
        assert_eq!(
            problem(whole, "version = 1\n\n[[rule]]\n"),
            "line 3, column 1: the member `flag` is missing"
        );
        assert_eq!(
            problem(whole, "\nversoin = 1\n"),
            "line 2, column 1: the member `versoin` is unknown here; is `version` meant?"
        );
        assert_eq!(
            problem(whole, "version = 1\n[rule]\n"),
            "line 2, column 1: write [[rule]] with two brackets: there may be several"
        );
        assert!(problem(whole, "version = ").starts_with("line 1, column "));
    }
}
