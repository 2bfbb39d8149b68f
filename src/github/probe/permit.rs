//! Which requests a rehearsal may send: they stay within its repository, and what they make bears its name.

use http::Method;
use serde_json::Value;

use countersign_core::ledger::BRANCH;

use super::{
    Ask, Content, Place, is_query,
    scratch::{Made, PREFIX, Scratch},
};

/// Why a request is not one of a rehearsal's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Outside {
    #[error("`{0}` does not begin with `countersign-rehearsal-`")]
    Name(String),
    #[error("{0} is not something that this rehearsal made")]
    Foreign(String),
    #[error("{0} is not a request that a rehearsal sends")]
    Request(String),
}

/// Refuses what would leave the rehearsal's own ground.
pub(super) fn check(scratch: &Scratch, ask: &Ask) -> Result<(), Outside> {
    match (&ask.place, &ask.body) {
        (Place::Graphql, Content::Json(question)) => graphql(scratch, question),
        (Place::Uploads(uri), _) => upload(scratch, ask, uri),
        (Place::Repository(path), body) => {
            let none = Value::Null;
            let body = if let Content::Json(body) = body {
                body
            } else {
                &none
            };
            rest(scratch, ask, path, body)
        }
        _ => Err(Outside::Request(ask.name())),
    }
}

fn rest(scratch: &Scratch, ask: &Ask, path: &str, body: &Value) -> Result<(), Outside> {
    let segments = segments(path);
    let climbs = |segment: &&str| {
        let lower = segment.to_ascii_lowercase();
        matches!(lower.replace("%2e", ".").as_str(), "." | "..")
    };
    if path.starts_with('/') || segments.iter().any(climbs) {
        return Err(Outside::Request(ask.name()));
    }
    if ask.method == Method::GET {
        return Ok(());
    }
    let made = |made: Made| {
        let is_ours = scratch.has_made(&made);
        is_ours
            .then_some(())
            .ok_or_else(|| Outside::Foreign(format!("{made:?}")))
    };
    match (ask.method.as_str(), segments.as_slice()) {
        // Objects without a name, which no ref leads to; and notes, which are only worded.
        ("POST", ["git", "trees" | "blobs" | "commits"] | ["releases", "generate-notes"]) => Ok(()),
        ("POST", ["git", "refs"]) => named_ref(&body["ref"]),
        ("POST", ["git", "tags"]) => named(&body["tag"]),
        ("DELETE", ["git", "refs", "heads", BRANCH]) => made(Made::Ledger),
        ("PATCH" | "DELETE", ["git", "refs", "heads" | "tags", name, ..])
        | ("PUT" | "DELETE", ["branches", name, "protection"]) => ours(name),
        ("POST", ["releases"]) => named(&body["tag_name"]),
        ("PATCH" | "DELETE", ["releases", id]) => {
            made(Made::Release(number(id)))?;
            optional(&body["tag_name"])
        }
        ("POST", ["pulls"]) => named(&body["head"]).and(named(&body["base"])),
        ("PATCH", ["pulls", id]) | ("POST", ["pulls", id, "requested_reviewers"]) => {
            made(Made::Pull(number(id)))
        }
        ("POST", ["issues", id, "labels"]) => {
            made(Made::Pull(number(id)))?;
            each(&body["labels"], label)
        }
        ("DELETE", ["labels", name]) => made(Made::Label(decoded(name))),
        ("POST", ["rulesets"]) => {
            named(&body["name"])?;
            each(&body["conditions"]["ref_name"]["include"], named_ref)
        }
        ("DELETE", ["rulesets", id]) => made(Made::Ruleset(number(id))),
        ("POST", ["commits", _, "comments"]) => named(&body["body"]),
        ("DELETE", ["comments", id]) => made(Made::CommitComment(number(id))),
        // Inputs that are too large for any workflow: nothing is started.
        ("POST", ["actions", "workflows", _, "dispatches"])
            if body["inputs"].to_string().len() > 65_535 =>
        {
            Ok(())
        }
        _ => Err(Outside::Request(ask.name())),
    }
}

fn upload(scratch: &Scratch, ask: &Ask, uri: &str) -> Result<(), Outside> {
    let parsed: http::Uri = uri.parse().map_err(|_| Outside::Request(ask.name()))?;
    let (_, below) = parsed
        .path()
        .split_once(&format!("{}/", scratch.path("")))
        .ok_or_else(|| Outside::Request(ask.name()))?;
    let ["releases", id, "assets"] = segments(below)[..] else {
        return Err(Outside::Request(ask.name()));
    };
    if !scratch.has_made(&Made::Release(number(id))) {
        return Err(Outside::Foreign(format!("release {id}")));
    }
    let query = parsed.query().unwrap_or_default();
    let name = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("name="))
        .unwrap_or_default();
    ours(name)
}

/// A query reads; of mutations only those that are known here, on branches of the rehearsal's own.
fn graphql(scratch: &Scratch, question: &Value) -> Result<(), Outside> {
    let variables = &question["variables"];
    if is_query(question) {
        let (owner, name) = scratch.repository.parts();
        let is_here = variables["owner"] == owner && variables["name"] == name;
        return is_here
            .then_some(())
            .ok_or_else(|| Outside::Request("a query about another repository".into()));
    }
    let input = &variables["input"];
    if input["branch"]["repositoryNameWithOwner"] == scratch.repository.to_string() {
        return named(&input["branch"]["branchName"]);
    }
    if input["repositoryId"] == scratch.node_id {
        return each(&input["refUpdates"], |update| named_ref(&update["name"]));
    }
    Err(Outside::Request("a mutation".into()))
}

/// What a request makes that has a name already before it is sent.
pub(super) fn named_by(ask: &Ask) -> Vec<Made> {
    let (Place::Repository(path), Content::Json(body)) = (&ask.place, &ask.body) else {
        return Vec::new();
    };
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    match (ask.method.as_str(), segments(path).as_slice()) {
        ("POST", ["git", "refs"]) => text(&body["ref"]).map(Made::Ref).into_iter().collect(),
        ("POST", ["issues", _, "labels"]) => {
            let labels = body["labels"].as_array().into_iter().flatten();
            labels.filter_map(text).map(Made::Label).collect()
        }
        ("PUT", ["branches", name, "protection"]) => vec![Made::Protection(decoded(name))],
        // Publishing makes the tag, whether its answer arrives or not.
        ("POST", ["releases"]) => text(&body["tag_name"])
            .map(|tag| Made::Ref(format!("refs/tags/{tag}")))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// What a request made that got its number with the answer.
pub(super) fn numbered(ask: &Ask, answer: &Value) -> Option<Made> {
    let Place::Repository(path) = &ask.place else {
        return None;
    };
    match (ask.method.as_str(), segments(path).as_slice()) {
        ("POST", ["releases"]) => answer["id"].as_u64().map(Made::Release),
        ("POST", ["pulls"]) => answer["number"].as_u64().map(Made::Pull),
        ("POST", ["rulesets"]) => answer["id"].as_u64().map(Made::Ruleset),
        ("POST", ["commits", _, "comments"]) => answer["id"].as_u64().map(Made::CommitComment),
        _ => None,
    }
}

fn segments(path: &str) -> Vec<&str> {
    let path = path.split('?').next().unwrap_or_default();
    path.split('/').collect()
}

fn named(value: &Value) -> Result<(), Outside> {
    ours(value.as_str().unwrap_or_default())
}

fn optional(value: &Value) -> Result<(), Outside> {
    if value.is_null() {
        Ok(())
    } else {
        named(value)
    }
}

fn named_ref(value: &Value) -> Result<(), Outside> {
    let name = value.as_str().unwrap_or_default();
    let short = ["refs/heads/", "refs/tags/"]
        .iter()
        .find_map(|space| name.strip_prefix(space));
    ours(short.unwrap_or(name))
}

fn ours(name: &str) -> Result<(), Outside> {
    if name.starts_with(PREFIX) {
        Ok(())
    } else {
        Err(Outside::Name(name.to_owned()))
    }
}

/// A label of the rehearsal's, or one of emoji alone, which GitHub refuses.
fn label(value: &Value) -> Result<(), Outside> {
    let is_emoji = value
        .as_str()
        .is_some_and(|text| !text.is_empty() && text.chars().all(|sign| !sign.is_ascii()));
    if is_emoji { Ok(()) } else { named(value) }
}

fn each(values: &Value, judge: impl Fn(&Value) -> Result<(), Outside>) -> Result<(), Outside> {
    match values.as_array().map(Vec::as_slice) {
        None | Some([]) => Err(Outside::Name(String::new())),
        Some(values) => values.iter().try_for_each(judge),
    }
}

/// No such thing has the number 0.
fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

/// A segment as it was before it was percent-encoded.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let byte = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scratch() -> Scratch {
        Scratch::holding(&[
            Made::Release(7),
            Made::Pull(8),
            Made::Label("countersign-rehearsal-l".into()),
            Made::Ruleset(9),
        ])
    }

    #[track_caller]
    fn permitted(ask: &Ask) {
        assert_eq!(check(&scratch(), ask), Ok(()));
    }

    #[track_caller]
    fn refused(ask: &Ask) {
        assert_ne!(check(&scratch(), ask), Ok(()), "{}", ask.name());
    }

    #[test]
    fn what_is_made_bears_the_name_of_the_rehearsal() {
        let ours = "countersign-rehearsal-x";
        for name in [ours, "v1", "main", "x-countersign-rehearsal-", ""] {
            let judge: fn(&Ask) = if name == ours { permitted } else { refused };
            for space in ["refs/heads/", "refs/tags/"] {
                let name = format!("{space}{name}");
                judge(&Ask::post("git/refs", json!({ "ref": name, "sha": "0" })));
                judge(&Ask::delete(format!("git/{name}")));
                judge(&Ask::patch(format!("git/{name}"), json!({ "sha": "0" })));
            }
            judge(&Ask::post("git/tags", json!({ "tag": name })));
            judge(&Ask::post("releases", json!({ "tag_name": name })));
            judge(&Ask::patch("releases/7", json!({ "tag_name": name })));
            judge(&Ask::post("pulls", json!({ "head": name, "base": ours })));
            judge(&Ask::post("pulls", json!({ "head": ours, "base": name })));
            judge(&Ask::post("issues/8/labels", json!({ "labels": [name] })));
            judge(&Ask::put(format!("branches/{name}/protection"), json!({})));
            judge(&Ask::delete(format!("branches/{name}/protection")));
            judge(&Ask::post("commits/0/comments", json!({ "body": name })));
            let place = json!({ "ref_name": { "include": [format!("refs/heads/{name}")] } });
            judge(&Ask::post(
                "rulesets",
                json!({ "name": ours, "conditions": place }),
            ));
            judge(&Ask::upload(
                format!("https://uploads.github.com/repos/o/scratch/releases/7/assets?name={name}"),
                *b"x",
            ));
        }
        permitted(&Ask::post(
            "issues/8/labels",
            json!({ "labels": ["\u{2728}"] }),
        ));
        refused(&Ask::post("issues/8/labels", json!({ "labels": [] })));
        refused(&Ask::post("rulesets", json!({ "name": ours })));
    }

    #[test]
    fn only_what_it_made_is_changed_or_removed() {
        for (ours, foreign) in [
            ("releases/7", "releases/6"),
            ("rulesets/9", "rulesets/7"),
            ("labels/countersign-rehearsal-l", "labels/bug"),
        ] {
            permitted(&Ask::delete(ours));
            refused(&Ask::delete(foreign));
        }
        permitted(&Ask::patch("pulls/8", json!({ "state": "closed" })));
        refused(&Ask::patch("pulls/1", json!({ "state": "closed" })));
        refused(&Ask::delete("git/refs/heads/receipt-ledger"));
        let begun = Scratch::holding(&[Made::Ledger]);
        let ledger = Ask::delete("git/refs/heads/receipt-ledger");
        assert_eq!(check(&begun, &ledger), Ok(()));
    }

    #[test]
    fn nothing_leaves_the_repository() {
        permitted(&Ask::get("releases"));
        for path in ["/user", "../other/releases", "a/%2e%2e/%2E%2E/other", "."] {
            refused(&Ask::get(path));
        }
        for (method, path) in [
            ("DELETE", ""),
            ("PATCH", ""),
            ("POST", "forks"),
            ("POST", "hooks"),
            ("DELETE", "actions/runs/1"),
        ] {
            let body = json!({ "name": "countersign-rehearsal-x" });
            match method {
                "DELETE" => refused(&Ask::delete(path)),
                "PATCH" => refused(&Ask::patch(path, body)),
                _ => refused(&Ask::post(path, body)),
            }
        }
        for uri in [
            "https://uploads.github.com/repos/o/other/releases/7/assets?name=countersign-rehearsal-x",
            "https://uploads.github.com/repos/o/scratch/releases/6/assets?name=countersign-rehearsal-x",
        ] {
            refused(&Ask::upload(uri, *b"x"));
        }
    }

    #[test]
    fn queries_and_mutations_are_about_the_repository_alone() {
        let query = |owner: &str| {
            Ask::graphql(
                "query Q { x }",
                &json!({ "owner": owner, "name": "scratch" }),
            )
        };
        permitted(&query("o"));
        refused(&query("p"));
        let append = |repository: &str, branch: &str| {
            let branch = json!({ "repositoryNameWithOwner": repository, "branchName": branch });
            Ask::graphql(
                "mutation M { x }",
                &json!({ "input": { "branch": branch } }),
            )
        };
        permitted(&append("o/scratch", "countersign-rehearsal-x"));
        refused(&append("o/scratch", "main"));
        refused(&append("o/other", "countersign-rehearsal-x"));
        let update = |id: &str, name: &str| {
            let input = json!({ "repositoryId": id, "refUpdates": [{ "name": name }] });
            Ask::graphql("mutation M { x }", &json!({ "input": input }))
        };
        permitted(&update("R_kg1", "refs/tags/countersign-rehearsal-x"));
        refused(&update("R_kg1", "refs/heads/main"));
        refused(&update("R_2", "refs/tags/countersign-rehearsal-x"));
        refused(&Ask::graphql(
            "mutation M { x }",
            &json!({ "owner": "o", "name": "scratch" }),
        ));
    }
}
