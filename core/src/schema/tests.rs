//! The schemas in `docs/schema` are those of the types, and say what the readers say.

use alloc::{format, string::String, vec::Vec};
use core::str::FromStr;
use std::{collections::BTreeSet, fs, path::Path};

use boon::{Compiler, SchemaIndex, Schemas};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use super::{Base64, CONSTRAINTS, EFFECTS, KeyLine, documents};
use crate::{
    digest::Digest,
    keys::PublicKey,
    name::{
        Actor, AssetName, BranchName, CommitId, ContentType, Label, Login, OperationId, Prose,
        ReceiptId, Repository, RunId, StepId, TagName, Title,
    },
    plan::{Stands, constraints, effects},
    policy::Pattern,
    testing::{checkpoint, commit, key, pull, release, tag},
    timestamp::{Lifetime, Timestamp},
};

/// Asserts that the schema of a name takes a text, or refuses it, as the parser does.
#[track_caller]
pub(crate) fn agrees<T: JsonSchema>(text: &str, taken: bool) {
    assert_eq!(Judge::of::<T>().takes(text), taken, "{text:?}");
}

/// A schema that judges.
struct Judge {
    schemas: Schemas,
    schema: SchemaIndex,
}

impl Judge {
    fn of<T: JsonSchema>() -> Self {
        Self::new(
            SchemaGenerator::default()
                .into_root_schema_for::<T>()
                .as_value(),
        )
    }

    /// Fails for what is no schema.
    fn new(schema: &Value) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("schema:/", schema.clone()).unwrap();
        let schema = compiler
            .compile("schema:/", &mut schemas)
            .unwrap_or_else(|error| panic!("{error:#}"));
        Self { schemas, schema }
    }

    fn takes(&self, text: &str) -> bool {
        self.schemas.validate(&json!(text), self.schema).is_ok()
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema"))
}

/// With `BLESS_SCHEMAS=1` they are written anew.
#[test]
fn the_schemas_are_those_of_the_types() {
    for document in documents::all() {
        let path = folder().join(format!("{}.schema.json", document.name));
        let file = documents::file(&document.schema);
        if std::env::var_os("BLESS_SCHEMAS").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, &file).unwrap();
        }
        assert!(
            fs::read_to_string(&path).is_ok_and(|kept| kept == file),
            "{} differs: run with BLESS_SCHEMAS=1",
            path.display()
        );
    }
}

#[test]
fn every_schema_is_strict_and_told_in_words() {
    for document in documents::all() {
        let schema = document.schema.as_value();
        Judge::new(schema);
        each_object(schema, &mut |object| {
            let Some(members) = object
                .get("properties")
                .filter(|_| object.get("type") == Some(&json!("object")))
            else {
                return;
            };
            assert_eq!(
                object.get("additionalProperties"),
                Some(&json!(false)),
                "{}: {object}",
                document.name
            );
            for (name, member) in members.as_object().unwrap() {
                let told = ["description", "const", "$ref", "anyOf"]
                    .iter()
                    .any(|word| member.get(word).is_some());
                assert!(told, "{}: nothing is said of `{name}`", document.name);
            }
        });
    }
}

fn each_object(schema: &Value, see: &mut impl FnMut(&Value)) {
    see(schema);
    match schema {
        Value::Object(members) => members.values().for_each(|member| each_object(member, see)),
        Value::Array(items) => items.iter().for_each(|item| each_object(item, see)),
        _ => {}
    }
}

/// Characters with every property that a parser asks for, and texts in which they stand at each place.
fn texts() -> impl Iterator<Item = String> {
    let characters = (0..0x2100)
        .chain(0x2ff0..0x3010)
        .chain(0x3160..0x3168)
        .chain(0xfdf0..0xfe20)
        .chain(0xfef0..0x10010)
        .chain([0x1f389])
        .chain(0xdfff0..0xe0010)
        .chain(0xe0ff0..0xe1010);
    characters.filter_map(char::from_u32).flat_map(|c| {
        [
            format!("{c}"),
            format!("{c}aa"),
            format!("aa{c}"),
            format!("a{c}a"),
            format!("a{c}{c}a"),
            format!("a/{c}a"),
            format!("aa{c}b/a"),
        ]
    })
}

fn read_alike<T: JsonSchema + FromStr>(name: &str) {
    let judge = Judge::of::<T>();
    for text in texts() {
        assert_eq!(
            judge.takes(&text),
            text.parse::<T>().is_ok(),
            "{name}: {text:?}"
        );
    }
}

#[test]
fn a_schema_takes_the_characters_that_the_parser_takes_where_it_takes_them() {
    read_alike::<Repository>("Repository");
    read_alike::<ReceiptId>("ReceiptId");
    read_alike::<OperationId>("OperationId");
    read_alike::<RunId>("RunId");
    read_alike::<CommitId>("CommitId");
    read_alike::<TagName>("TagName");
    read_alike::<BranchName>("BranchName");
    read_alike::<AssetName>("AssetName");
    read_alike::<ContentType>("ContentType");
    read_alike::<Login>("Login");
    read_alike::<Actor>("Actor");
    read_alike::<StepId>("StepId");
    read_alike::<Label>("Label");
    read_alike::<Title>("Title");
    read_alike::<Prose>("Prose");
    read_alike::<Pattern>("Pattern");
    read_alike::<Digest>("Digest");
}

#[test]
fn a_schema_takes_the_lengths_that_the_parser_takes() {
    fn alike<T: JsonSchema + FromStr>(make: impl Fn(usize) -> String) {
        let judge = Judge::of::<T>();
        for length in 0..=310 {
            let text = make(length);
            assert_eq!(judge.takes(&text), text.parse::<T>().is_ok(), "{text:?}");
        }
    }
    let a = |length| "a".repeat(length);
    alike::<ReceiptId>(a);
    alike::<TagName>(a);
    alike::<AssetName>(a);
    alike::<Login>(a);
    alike::<Actor>(a);
    alike::<Actor>(|length| a(length) + "[bot]");
    alike::<StepId>(a);
    alike::<Label>(|length| "\u{fc}".repeat(length));
    alike::<Title>(|length| "\u{1f389}".repeat(length));
    alike::<Pattern>(a);
    alike::<CommitId>(a);
    alike::<RunId>(|length| "1".repeat(length));
    alike::<ContentType>(|length| format!("a/{}", a(length)));
    alike::<Repository>(|length| format!("{}/a", a(length)));
    alike::<Repository>(|length| format!("a/{}", a(length)));
    alike::<Digest>(|length| format!("sha256:{}", a(length)));
}

#[test]
fn a_schema_takes_the_lifetimes_that_the_parser_takes() {
    let judge = Judge::of::<Lifetime>();
    for text in (0..=90_000)
        .map(|number| format!("{number}s"))
        .chain((0..=1500).flat_map(|number| [format!("{number}m"), format!("00{number}h")]))
    {
        assert_eq!(
            judge.takes(&text),
            text.parse::<Lifetime>().is_ok(),
            "{text}"
        );
    }
    for text in ["", "s", "1", "1d", "-1s", "1.5h", " 1h", "1h ", "1H"] {
        agrees::<Lifetime>(text, false);
    }
}

#[test]
fn a_schema_takes_moments_in_one_notation() {
    for text in [
        "1970-01-01T00:00:00Z",
        "2026-11-21T23:59:59Z",
        "2028-02-29T12:00:00Z",
        "9999-12-31T23:59:59Z",
    ] {
        assert_eq!(
            text.parse::<Timestamp>()
                .map(|moment| format!("{moment}"))
                .as_deref(),
            Ok(text)
        );
        agrees::<Timestamp>(text, true);
    }
    for text in [
        "",
        "1969-12-31T23:59:59Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01t00:00:00z",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T00:00:00.0Z",
        " 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z\n",
        "10000-01-01T00:00:00Z",
    ] {
        assert_eq!(
            text.parse::<Timestamp>()
                .map_err(|error| String::from(error.value())),
            Err(text.into())
        );
        agrees::<Timestamp>(text, false);
    }
}

/// These the readers refuse, and no pattern can.
#[test]
fn what_no_pattern_can_say_is_known() {
    agrees::<Timestamp>("2026-02-30T00:00:00Z", true);
    assert!(
        "2026-02-30T00:00:00Z"
            .parse::<Timestamp>()
            .is_err_and(|error| error.value().starts_with("2026-02-30"))
    );
    let long = "\u{fc}".repeat(101);
    agrees::<TagName>(&long, true);
    assert!(
        long.parse::<TagName>()
            .is_err_and(|error| error.value() == long)
    );
}

#[test]
fn base64_has_one_spelling_in_schemas_too() {
    for text in ["", "AAAA", "AA==", "AAA=", "+/A="] {
        agrees::<Base64>(text, true);
    }
    for text in [
        "A", "AA", "AAA", "AB==", "AAB=", "A===", "-_A=", "AA==\n", "AAAA ", "AA==AAAA",
    ] {
        agrees::<Base64>(text, false);
    }
}

#[test]
fn a_key_is_a_line_of_openssh_in_schemas_too() {
    let line = PublicKey::new(key(1).verifying_key()).unwrap().to_openssh();
    for text in [line.clone(), format!("{line} alice@example.org")] {
        assert!(
            text.parse::<PublicKey>()
                .is_ok_and(|key| key.to_openssh() == line)
        );
        agrees::<KeyLine>(&text, true);
    }
    for text in [
        line.replace("ssh-ed25519", "ssh-rsa"),
        line[..60].into(),
        line.replace("AAAAC3", "AAAAC4"),
    ] {
        assert!(
            text.parse::<PublicKey>()
                .is_err_and(|problem| !problem.is_empty()),
            "{text}"
        );
        agrees::<KeyLine>(&text, false);
    }
}

#[test]
fn the_words_of_plans_are_those_that_the_schema_knows() {
    let (mut told, mut would) = (BTreeSet::new(), BTreeSet::new());
    for operation in [release(), tag(), pull()] {
        let stands = Stands {
            base: Some(commit('2')),
            ..Stands::default()
        };
        told.extend(
            constraints(&operation, &checkpoint())
                .into_iter()
                .map(|constraint| constraint.constraint),
        );
        would.extend(
            effects(&operation, &stands)
                .into_iter()
                .map(|effect| effect.effect),
        );
    }
    assert_eq!(told, BTreeSet::from(CONSTRAINTS));
    assert_eq!(would, BTreeSet::from(EFFECTS));
    let lengths: Vec<usize> = [CONSTRAINTS.len(), EFFECTS.len()].into();
    assert_eq!(lengths, [told.len(), would.len()], "a word stands twice");
}
