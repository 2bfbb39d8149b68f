//! Patterns for what the parsers of names take. Each function bears the name of the parser's; what only a count of bytes can refuse, they take.
//!
//! They are written for engines of ECMA-262, of Rust and of Python alike: no classes that one of them lacks, no looking around.

use alloc::{format, string::String};

use schemars::{Schema, json_schema};
use serde_json::json;

/// Unicode's `White_Space`.
const BLANK: &str = r"\t-\r \x85\xA0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000";
/// [`crate::text::hides`] without what emoji are made of. No engine spells what lies beyond U+FFFF as another does, so it stands there itself.
const HIDDEN: &str = "\\x00-\\x1F\\x7F-\\x9F\\xAD\\u034F\\u061C\\u115F\\u1160\\u17B4\\u17B5\\u180B-\\u180F\\u200B\\u200C\\u200E\\u200F\
    \\u2028-\\u202E\\u2060-\\u206F\\u2800\\u3164\\uFE00-\\uFE0D\\uFEFF\\uFFA0\\uFFF0-\\uFFFB\
    \u{13430}-\u{1343f}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}";
/// The letters and signs between which a non-joiner is spelling.
const JOINING: &str = r"\u0620-\u06FF\u0710-\u07FF\u0860-\u08FF\u0900-\u0DFF\u1000-\u109F\u1780-\u17B3\u17B6-\u17D3\u1820-\u18AA\uFB50-\uFDFF";
const OF_EMOJI: &str = r"\u200D\uFE0E\uFE0F";

/// `YYYY-MM-DDTHH:MM:SSZ` from 1970 on; that February has no 30th day it does not know.
pub(super) const MOMENT: &str = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$";

/// 1 to 86,400 seconds, 1 to 1,440 minutes, 1 to 24 hours.
pub(super) const LIFETIME: &str = "^0*([1-9][0-9]{0,3}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)s$\
    |^0*([1-9][0-9]{0,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)m$|^0*([1-9]|1[0-9]|2[0-4])h$";

/// Patterns of tags and branches, in policies.
pub(super) fn of_names() -> Schema {
    let mut schema = json_schema!({
        "type": "string",
        "description": "A pattern for names: `*` stands for any characters, everything else for itself.",
    });
    matches(
        &mut schema,
        &format!("^[^{BLANK}{HIDDEN}{OF_EMOJI}?{}]{{1,200}}$", r"\[\]{}"),
    );
    schema
}

pub(crate) fn is_repository(schema: &mut Schema) {
    matches(schema, "^[A-Za-z0-9_-]{1,39}/[A-Za-z0-9._-]{1,100}$");
    but_not(schema, r"/\.\.?$");
}

pub(crate) fn is_token(schema: &mut Schema) {
    matches(schema, "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$");
}

pub(crate) fn is_run_id(schema: &mut Schema) {
    matches(schema, "^[1-9][0-9]{0,19}$");
}

pub(crate) fn is_commit(schema: &mut Schema) {
    matches(schema, "^([0-9a-f]{40}|[0-9a-f]{64})$");
}

pub(crate) fn is_ref_name(schema: &mut Schema) {
    matches(
        schema,
        &format!("^[^{BLANK}{HIDDEN}{OF_EMOJI}~:?*{}]{{1,200}}$", r"\^\[\\"),
    );
    but_not(
        schema,
        r"^[-/]|^refs/|[/.]$|^@$|\.\.|//|@\{|(^|/)\.|\.[lL][oO][cC][kK](/|$)",
    );
}

pub(crate) fn is_asset(schema: &mut Schema) {
    matches(schema, "^[A-Za-z0-9]([A-Za-z0-9._+@-]{0,198}[A-Za-z0-9])?$");
    but_not(schema, r"\.\.");
}

pub(crate) fn is_content_type(schema: &mut Schema) {
    matches(schema, "^[a-z0-9.+-]+/[a-z0-9.+-]+$");
    schema.insert("maxLength".into(), json!(100));
}

pub(crate) fn is_host(schema: &mut Schema) {
    matches(
        schema,
        "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?$",
    );
    schema.insert("maxLength".into(), serde_json::json!(255));
}

pub(crate) fn is_login(schema: &mut Schema) {
    matches(schema, "^[A-Za-z0-9_-]{1,39}$");
}

pub(crate) fn is_actor(schema: &mut Schema) {
    matches(schema, r"^[A-Za-z0-9_-]{1,39}(\[bot\])?$");
}

pub(crate) fn is_step(schema: &mut Schema) {
    matches(schema, "^[a-z0-9][a-z0-9_-]{0,39}$");
}

pub(crate) fn is_label(schema: &mut Schema) {
    is_line(schema, 50, ",");
}

/// As [`crate::text::shows_itself`] says it.
pub(crate) fn is_title(schema: &mut Schema) {
    let joined = format!(r"[{JOINING}](\u200C[{JOINING}])+");
    let flag = "\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{1,6}\u{e007f}";
    let (inside, edge) = (format!("[^{HIDDEN}]"), format!("[^{BLANK}{HIDDEN}]"));
    let more = format!("{joined}|{flag}");
    matches(
        schema,
        &format!("^({edge}|{more})(({inside}|{more})*({edge}|{more}))?$"),
    );
    schema.insert("maxLength".into(), json!(256));
}

pub(crate) fn is_key_name(schema: &mut Schema) {
    let edge = format!("[^{BLANK}{HIDDEN}]");
    matches(schema, &format!("^{edge}( ?{edge})*$"));
    schema.insert("maxLength".into(), json!(60));
}

pub(crate) fn is_prose(schema: &mut Schema) {
    matches(schema, r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]*$");
}

/// One line without blanks at its ends, and without these characters.
fn is_line(schema: &mut Schema, most: usize, without: &str) {
    let inside = format!("[^{HIDDEN}{without}]");
    let edge = format!("[^{BLANK}{HIDDEN}{without}]");
    matches(schema, &format!("^{edge}({inside}*{edge})?$"));
    schema.insert("maxLength".into(), json!(most));
}

fn matches(schema: &mut Schema, pattern: &str) {
    schema.insert("pattern".into(), json!(String::from(pattern)));
}

fn but_not(schema: &mut Schema, pattern: &str) {
    schema.insert("not".into(), json!({ "pattern": pattern }));
}
