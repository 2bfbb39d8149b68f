//! Reads JSON strictly: bounded in size and depth, no repeated, unknown or missing members, no array where an object is due.
//!
//! Serde's derived readers take `[1,2]` for a struct, the last of two repeated members, and floating-point numbers; a signed
//! document that two readers understand differently is a forgery waiting to happen, so documents are read through this door alone.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::{fmt, str::FromStr};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::digest::Digest;

/// Deepest nesting of any document here; the receipt itself needs four levels.
pub const DEPTH: usize = 16;

/// Why a document is not what it should be, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at {place})")]
pub struct Malformed {
    place: String,
    problem: String,
    cut_off: bool,
}

impl Malformed {
    pub(crate) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            problem: problem.into(),
            cut_off: false,
        }
    }

    /// The same place with another problem.
    pub(crate) fn with_problem(self, problem: &impl fmt::Display) -> Self {
        Self {
            problem: format!("{problem}"),
            ..self
        }
    }

    pub(crate) fn cut_off_here(self) -> Self {
        Self {
            cut_off: true,
            ..self
        }
    }

    /// Whether the text simply ends too early, as a clipped copy does.
    #[must_use]
    pub const fn is_cut_off(&self) -> bool {
        self.cut_off
    }
}

/// A JSON value with the place where it stands. Numbers are whole and not negative: no document here needs others.
pub struct Value {
    place: String,
    kind: Kind,
}

enum Kind {
    Null,
    Flag(bool),
    Number(u64),
    Text(String),
    List(Vec<Kind>),
    Object(BTreeMap<String, Kind>),
}

/// An object from which every member must be taken before [`Object::end`].
pub struct Object {
    place: String,
    members: BTreeMap<String, Kind>,
}

/// Reads one value and nothing behind it from at most `most` bytes.
pub fn parse(bytes: &[u8], most: usize) -> Result<Value, Malformed> {
    if bytes.len() > most {
        return Err(Malformed::new(
            "the whole document",
            format!("{} bytes are more than the {most} allowed", bytes.len()),
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let kind = Seed { depth: DEPTH }
        .deserialize(&mut reader)
        .and_then(|kind| reader.end().map(|()| kind))
        .map_err(|error| Malformed {
            place: format!("line {} column {}", error.line(), error.column()),
            problem: strip_position(&error),
            cut_off: error.is_eof(),
        })?;
    Ok(Value {
        place: String::from("$"),
        kind,
    })
}

/// `serde_json` ends its messages with the position, which [`Malformed`] already tells.
fn strip_position(error: &serde_json::Error) -> String {
    let text = format!("{error}");
    text.rfind(" at line ")
        .map_or(text.clone(), |end| text[..end].into())
}

impl Value {
    fn wrong(&self, expected: &str) -> Malformed {
        Malformed::new(
            self.place.clone(),
            format!("expected {expected}, found {}", self.kind.name()),
        )
    }

    /// The object that this value must be.
    pub fn object(self) -> Result<Object, Malformed> {
        let wrong = self.wrong("an object");
        let Kind::Object(members) = self.kind else {
            return Err(wrong);
        };
        Ok(Object {
            place: self.place,
            members,
        })
    }

    /// The list that this value must be.
    pub fn list(self) -> Result<Vec<Value>, Malformed> {
        let wrong = self.wrong("a list");
        let Kind::List(items) = self.kind else {
            return Err(wrong);
        };
        let place = self.place;
        Ok(items
            .into_iter()
            .enumerate()
            .map(|(index, kind)| Value {
                place: format!("{place}[{index}]"),
                kind,
            })
            .collect())
    }

    /// The text that this value must be.
    pub fn text(self) -> Result<String, Malformed> {
        let wrong = self.wrong("text");
        let Kind::Text(text) = self.kind else {
            return Err(wrong);
        };
        Ok(text)
    }

    /// The text that this value must be, as the name that it must spell.
    pub fn name<T: FromStr<Err: fmt::Display>>(self) -> Result<T, Malformed> {
        let place = self.place.clone();
        self.text()?
            .parse()
            .map_err(|error| Malformed::new(place, format!("{error}")))
    }

    /// The digest that this value must be, in bare hexadecimal.
    pub fn bare_digest(self) -> Result<Digest, Malformed> {
        let place = self.place.clone();
        Digest::from_hex(&self.text()?).map_err(|error| Malformed::new(place, format!("{error}")))
    }

    /// The whole number that this value must be.
    pub fn number(self) -> Result<u64, Malformed> {
        let Kind::Number(number) = self.kind else {
            return Err(self.wrong("a whole number"));
        };
        Ok(number)
    }

    /// `true` or `false`.
    pub fn flag(self) -> Result<bool, Malformed> {
        let Kind::Flag(flag) = self.kind else {
            return Err(self.wrong("true or false"));
        };
        Ok(flag)
    }

    /// `None` for null, otherwise the value.
    #[must_use]
    pub fn nullable(self) -> Option<Value> {
        (!matches!(self.kind, Kind::Null)).then_some(self)
    }

    /// An error about this value.
    #[must_use]
    pub fn refuse(&self, problem: impl Into<String>) -> Malformed {
        Malformed::new(self.place.clone(), problem)
    }
}

impl Object {
    /// Takes out a member, which must be there.
    pub fn take(&mut self, member: &str) -> Result<Value, Malformed> {
        self.take_optional(member).ok_or_else(|| {
            Malformed::new(
                self.place.clone(),
                format!("the member `{member}` is missing"),
            )
        })
    }

    /// Takes out a member if it is there.
    pub fn take_optional(&mut self, member: &str) -> Option<Value> {
        let kind = self.members.remove(member)?;
        Some(Value {
            place: format!("{}.{member}", self.place),
            kind,
        })
    }

    /// Takes out a member that must be exactly this text.
    pub fn expect(&mut self, member: &str, text: &str) -> Result<(), Malformed> {
        let value = self.take(member)?;
        let place = value.place.clone();
        let found = value.text()?;
        if found == text {
            return Ok(());
        }
        Err(Malformed::new(
            place,
            format!(
                "expected `{text}`, found `{}`",
                crate::text::excerpt(&found, 80)
            ),
        ))
    }

    /// Every member with its value, for objects whose names are data.
    #[must_use]
    pub fn into_members(self) -> Vec<(String, Value)> {
        let place = self.place;
        self.members
            .into_iter()
            .map(|(name, kind)| {
                (
                    name.clone(),
                    Value {
                        place: format!("{place}.{}", crate::text::excerpt(&name, 40)),
                        kind,
                    },
                )
            })
            .collect()
    }

    /// Refuses members that nobody took.
    pub fn end(self) -> Result<(), Malformed> {
        match self.members.keys().next() {
            None => Ok(()),
            Some(member) => Err(Malformed::new(
                self.place,
                format!(
                    "the member `{}` is unknown",
                    crate::text::excerpt(member, 40)
                ),
            )),
        }
    }
}

impl Kind {
    const fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

struct Seed {
    depth: usize,
}

impl Seed {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| E::custom(format_args!("nested deeper than {DEPTH} levels")))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Kind;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that documents here may hold (numbers are whole and not negative)")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Kind, E> {
        Ok(Kind::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Kind, E> {
        Ok(Kind::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Text(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Kind, E> {
        Ok(Kind::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            list.push(item);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self.deeper()?)?;
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "the member `{}` stands twice",
                    crate::text::excerpt(&name, 40)
                )));
            }
            members.insert(name, value);
        }
        Ok(Kind::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn problem(json: &str) -> String {
        parse(json.as_bytes(), 1000)
            .err()
            .map_or("read".into(), |error| error.to_string())
    }

    #[test]
    fn repeated_members_are_refused_however_they_are_spelled() {
        assert_eq!(
            problem(r#"{"a":1,"a":2}"#),
            "the member `a` stands twice (at line 1 column 13)"
        );
        assert_eq!(
            problem(r#"{"a":1,"\u0061":2}"#),
            "the member `a` stands twice (at line 1 column 18)"
        );
        assert_eq!(
            problem(r#"{"b":{"a":1,"a":1}}"#),
            "the member `a` stands twice (at line 1 column 18)"
        );
    }

    #[test]
    fn members_whose_names_are_data_keep_their_places() {
        let members = parse(br#"{"b":1,"a":"x"}"#, 100)
            .and_then(Value::object)
            .unwrap()
            .into_members();
        let told: Vec<_> = members
            .into_iter()
            .map(|(name, value)| format!("{name}: {}", value.refuse("no")))
            .collect();
        assert_eq!(told, ["a: no (at $.a)", "b: no (at $.b)"]);
    }

    #[test]
    fn numbers_are_whole_and_not_negative() {
        for json in ["-1", "1.0", "1e3", "-0", "18446744073709551616"] {
            assert!(
                problem(json).contains("numbers are whole"),
                "{json}: {}",
                problem(json)
            );
        }
        assert_eq!(
            parse(b"18446744073709551615", 100).and_then(Value::number),
            Ok(u64::MAX)
        );
    }

    #[test]
    fn sixteen_levels_are_read_and_seventeen_refused() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(problem(&nested(16)), "read");
        assert_eq!(
            problem(&nested(17)),
            "nested deeper than 16 levels (at line 1 column 18)"
        );
    }

    #[test]
    fn what_is_not_one_json_document_is_refused() {
        assert_eq!(problem("{} {}"), "trailing characters (at line 1 column 4)");
        assert_eq!(problem("\u{feff}{}"), "expected value (at line 1 column 1)");
        assert_eq!(
            problem(r#""\ud800""#),
            "unexpected end of hex escape (at line 1 column 8)"
        );
        assert!(
            parse(b"\"\xff\"", 10)
                .is_err_and(|error| error.to_string().starts_with("invalid unicode code point"))
        );
        assert!(parse(b"{\"a\":", 10).is_err_and(|error| error.is_cut_off()));
        assert_eq!(
            parse(b"[]          ", 11)
                .err()
                .map(|e| e.to_string())
                .as_deref(),
            Some("12 bytes are more than the 11 allowed (at the whole document)")
        );
    }

    #[test]
    fn an_error_names_the_place_both_sides_and_the_member() {
        let read = |json: &str| {
            let mut object = parse(json.as_bytes(), 1000)?.object()?;
            let inner = object.take("inner")?.list()?;
            for item in inner {
                item.number()?;
            }
            object.end()
        };
        assert_eq!(
            read(r#"{"inner":[1,"x"]}"#).unwrap_err().to_string(),
            "expected a whole number, found text (at $.inner[1])"
        );
        assert_eq!(
            read(r"{}").unwrap_err().to_string(),
            "the member `inner` is missing (at $)"
        );
        assert_eq!(
            read(r#"{"inner":[],"Inner":1}"#).unwrap_err().to_string(),
            "the member `Inner` is unknown (at $)"
        );
        assert_eq!(
            read(r"[]").unwrap_err().to_string(),
            "expected an object, found a list (at $)"
        );
    }
}
