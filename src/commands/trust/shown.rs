//! A version of the trust file as rows: what it holds, and what it changes. A fingerprint, which nobody can choose, comes before a name.

use countersign_core::{
    timestamp::Timestamp,
    trust::{Change, KnownKey, TrustVersion},
};

use crate::commands::Row;

/// A version, key by key.
pub(super) fn version(version: &TrustVersion) -> Vec<Row> {
    let threshold = format!("{} of {} people", version.threshold, version.people());
    let mut rows = vec![
        Row::new("version       ", version.version),
        Row::new("issued        ", version.issued_at),
        Row::new("threshold     ", threshold),
        Row::new("policy        ", or(version.policy, "not fixed")),
    ];
    rows.extend(version.keys.iter().flat_map(key));
    rows
}

fn key(known: &KnownKey) -> Vec<Row> {
    let mut rows = vec![
        Row::new("key           ", known.key.fingerprint()),
        Row::new("  name        ", name(known)),
    ];
    for (what, time) in [
        ("  not before  ", known.not_before),
        ("  not after   ", known.not_after),
        ("  REVOKED at  ", known.revoked_at),
    ] {
        rows.extend(time.map(|time| Row::new(what, time)));
    }
    rows
}

/// What a version changes; the first one changes nothing.
pub(super) fn changes(version: &TrustVersion, before: Option<&TrustVersion>) -> Vec<Row> {
    let Some(before) = before else {
        return vec![
            Row::blank(),
            Row::words("This is the first version: no version before it vouches for its keys."),
        ];
    };
    let mut rows = vec![
        Row::blank(),
        Row::words(format!("What changes from version {}:", before.version)),
    ];
    let changes = version.changes_from(before);
    if changes.is_empty() {
        rows.push(Row::words("  nothing"));
    }
    rows.extend(changes.into_iter().map(change));
    rows
}

fn change(change: Change<'_>) -> Row {
    match change {
        Change::Removed(key) => Row::new("  REMOVED     ", named(key)),
        Change::Added(key) => Row::new("  ADDED       ", named(key)),
        Change::Revoked(key, at) => Row::new("  REVOKED     ", format!("{} at {at}", named(key))),
        Change::Renamed { from, to } => {
            Row::new("  RENAMED     ", format!("{} to {}", named(from), name(to)))
        }
        Change::Times { from, to } => Row::new(
            "  TIMES       ",
            format!("{}: {}, before {}", named(to), times(to), times(from)),
        ),
        Change::Threshold { from, to } => {
            Row::new("  THRESHOLD   ", format!("{to}, before {from}"))
        }
        Change::Policy { from, to } => Row::new(
            "  POLICY      ",
            format!("{}, before {}", or(to, "not fixed"), or(from, "not fixed")),
        ),
    }
}

fn named(known: &KnownKey) -> String {
    format!("{} {}", known.key.fingerprint(), name(known))
}

fn name(known: &KnownKey) -> String {
    let login = known
        .login
        .as_ref()
        .map_or(String::new(), |login| format!(" (github:{login})"));
    format!("{}{login}", known.name)
}

fn times(known: &KnownKey) -> String {
    let time = |time: Option<Timestamp>| or(time, "any time");
    format!(
        "from {} to {}",
        time(known.not_before),
        time(known.not_after)
    )
}

fn or(value: Option<impl ToString>, none: &str) -> String {
    value.map_or_else(|| none.into(), |value| value.to_string())
}
