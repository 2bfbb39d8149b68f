//! A GraphQL query, and what its answer may lack.

use serde_json::Value;

use super::error::{GraphqlError, Kind};

/// A query, and the errors that its answer may have. Any other error is a trouble.
#[derive(Clone, Copy)]
pub(in crate::github) struct Query<'a> {
    pub(in crate::github) document: &'a str,
    /// Places that may be empty.
    pub(in crate::github) absences: &'a [Absence],
    /// Members on which no decision depends: an error that hides them from the token is ignored. An
    /// answer that was cut there is not used, because nulls elsewhere may come from the cut.
    pub(in crate::github) dispensable: &'a [Place],
    /// The permission that a member needs; GraphQL names none itself. The first match wins.
    pub(in crate::github) needs: &'a [(Place, &'static str)],
    pub(in crate::github) when_too_costly: WhenTooCostly,
}

/// What to do if GitHub cuts an answer short because it costs too much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::github) enum WhenTooCostly {
    /// The same query again, a little later.
    AskAgain,
    /// A smaller one, which the caller sends.
    AskForLess,
}

const CONTENTS: &[(Place, &str)] = &[(Place::at("repository"), "contents: read")];

impl<'a> Query<'a> {
    /// A query that needs its whole answer.
    pub(in crate::github) const fn new(document: &'a str) -> Self {
        Self {
            document,
            absences: &[],
            dispensable: &[],
            needs: CONTENTS,
            when_too_costly: WhenTooCostly::AskAgain,
        }
    }

    /// Whether the answer is as good with this error as without.
    pub(super) fn can_do_without(&self, error: &GraphqlError, data: Option<&Value>) -> bool {
        let absent = || {
            error.kind() == Kind::NotFound
                && self
                    .absences
                    .iter()
                    .any(|absence| absence.is(error.path(), data))
        };
        let hidden = || {
            matches!(error.kind(), Kind::Forbidden | Kind::NotFound)
                && self
                    .dispensable
                    .iter()
                    .any(|place| place.holds(error.path()))
        };
        hidden() || absent()
    }

    /// Whether this error reports an expected absence, whatever the data shows.
    pub(super) fn expects_absence(&self, error: &GraphqlError) -> bool {
        let mut places = self.absences.iter().map(|Absence(place)| place);
        error.kind() == Kind::NotFound && places.any(|place| place.is(error.path()))
    }

    /// The permission that this error is about, if it is about one.
    pub(super) fn permission(&self, error: &GraphqlError) -> Option<&'static str> {
        if error.kind() != Kind::Forbidden {
            return None;
        }
        let holds = |(place, _): &&(Place, _)| place.holds(error.path());
        self.needs
            .iter()
            .find(holds)
            .map(|(_, permission)| *permission)
    }
}

/// A place in an answer: names of members with dots between, and `*` for each item of a list.
#[derive(Clone, Copy)]
pub(in crate::github) struct Place(&'static str);

impl Place {
    pub(in crate::github) const fn at(path: &'static str) -> Self {
        Self(path)
    }

    /// Whether a path leads to this place or to something inside it.
    fn holds(self, path: &[Value]) -> bool {
        let steps = self.0.split('.').count();
        path.len() >= steps && self.is(&path[..steps])
    }

    /// Whether a path leads to exactly this place.
    fn is(self, path: &[Value]) -> bool {
        let mut steps = self.0.split('.');
        let same = path.iter().all(|found| match steps.next() {
            Some("*") => found.is_u64(),
            Some(step) => found == step,
            None => false,
        });
        same && steps.next().is_none()
    }
}

/// A place that may be empty. GitHub reports that as null, and with an error `NOT_FOUND` whose path
/// is exactly this place.
#[derive(Clone, Copy)]
pub(in crate::github) struct Absence(Place);

impl Absence {
    pub(in crate::github) const fn at(path: &'static str) -> Self {
        Self(Place::at(path))
    }

    /// Whether this very path leads here, and to a null: an error about something that is there,
    /// or about a place that the answer lacks, reports no absence.
    fn is(self, path: &[Value], data: Option<&Value>) -> bool {
        self.0.is(path) && found_at(path, data) == Some(&Value::Null)
    }
}

fn found_at<'a>(path: &[Value], data: Option<&'a Value>) -> Option<&'a Value> {
    path.iter().try_fold(data?, |place, step| match step {
        Value::String(member) => place.get(member),
        Value::Number(index) => place.get(usize::try_from(index.as_u64()?).ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const QUERY: Query<'_> = Query {
        absences: &[
            Absence::at("repository.ledger.target.state"),
            Absence::at("repository.ledger.target.touched.nodes.*.state"),
        ],
        ..Query::new("")
    };

    /// Two commits touched the state; the newer one removed it, so that it is absent at the head.
    fn answer() -> Value {
        json!({ "repository": { "ledger": { "target": {
            "head": { "object": { "text": "{}" } },
            "state": null,
            "touched": { "nodes": [{ "state": null }, { "state": { "object": {} } }] },
        } } } })
    }

    /// The error as it was recorded, at another path.
    fn error(path: &Value) -> GraphqlError {
        serde_json::from_value(json!({
            "type": "NOT_FOUND",
            "path": path,
            "locations": [{ "line": 24, "column": 11 }],
            "message": "Could not resolve file for path 'receipts/ab/abcd.json'.",
        }))
        .unwrap()
    }

    fn is_absence(error: &GraphqlError, data: &Value) -> bool {
        QUERY.can_do_without(error, Some(data))
    }

    #[test]
    fn what_github_does_not_find_at_an_expected_place_is_absent() {
        for path in [
            json!(["repository", "ledger", "target", "state"]),
            json!([
                "repository",
                "ledger",
                "target",
                "touched",
                "nodes",
                0,
                "state"
            ]),
        ] {
            assert!(is_absence(&error(&path), &answer()), "{path}");
        }
    }

    #[test]
    fn an_error_at_any_other_place_is_not_an_absence() {
        for path in [
            json!(["repository", "ledger", "target", "head"]),
            json!(["repository", "ledger", "target"]),
            json!(["repository", "ledger", "target", "state", "object"]),
            json!(["repository", "ledger", "target", "touched", "nodes", 0]),
            json!([
                "repository",
                "ledger",
                "target",
                "touched",
                "nodes",
                "0",
                "state"
            ]),
            json!([
                "repository",
                "ledger",
                "target",
                "touched",
                "nodes",
                -1,
                "state"
            ]),
            json!(["state"]),
            json!([]),
        ] {
            assert!(!is_absence(&error(&path), &answer()), "{path}");
        }
        let without_path: GraphqlError =
            serde_json::from_value(json!({ "type": "NOT_FOUND", "message": "m" })).unwrap();
        assert!(!is_absence(&without_path, &answer()));
    }

    #[test]
    fn what_is_there_or_was_not_answered_is_not_absent() {
        let touched = json!([
            "repository",
            "ledger",
            "target",
            "touched",
            "nodes",
            1,
            "state"
        ]);

        assert!(!is_absence(&error(&touched), &answer()));
        let beyond = json!([
            "repository",
            "ledger",
            "target",
            "touched",
            "nodes",
            2,
            "state"
        ]);
        assert!(!is_absence(&error(&beyond), &answer()));
        let state = error(&json!(["repository", "ledger", "target", "state"]));
        for data in [
            json!(null),
            json!({ "repository": null }),
            json!({ "repository": { "ledger": { "target": null } } }),
            json!({ "repository": { "ledger": { "target": { "head": null } } } }),
            json!({ "repository": { "ledger": { "target": { "state": {} } } } }),
        ] {
            assert!(!is_absence(&state, &data), "{data}");
        }
        assert!(!QUERY.can_do_without(&state, None));
    }

    #[test]
    fn only_the_type_not_found_reports_an_absence() {
        for kind in ["FORBIDDEN", "SOMETHING_NEW", "RATE_LIMIT", ""] {
            let error = serde_json::from_value(json!({
                "type": kind,
                "path": ["repository", "ledger", "target", "state"],
                "message": "Could not resolve file for path 'receipts/ab/abcd.json'.",
            }));
            assert!(!is_absence(&error.unwrap(), &answer()), "{kind}");
        }
    }

    #[test]
    fn an_answer_that_was_cut_at_a_dispensable_member_is_not_read() {
        let query = Query {
            dispensable: &[Place::at("repository.ledger.rules")],
            ..QUERY
        };
        for (kind, overlooked) in [
            ("FORBIDDEN", true),
            ("NOT_FOUND", true),
            ("RESOURCE_LIMITS_EXCEEDED", false),
            ("RATE_LIMIT", false),
            ("SOMETHING_NEW", false),
        ] {
            let error: GraphqlError = serde_json::from_value(json!({
                "type": kind,
                "path": ["repository", "ledger", "rules"],
                "message": "m",
            }))
            .unwrap();
            assert_eq!(query.can_do_without(&error, None), overlooked, "{kind}");
        }
    }

    #[test]
    fn a_dispensable_member_may_fail_as_a_whole_or_inside() {
        let query = Query {
            dispensable: &[Place::at("repository.ledger.rules")],
            ..QUERY
        };
        let may_fail = |path: &Value| query.can_do_without(&error(path), None);

        assert!(may_fail(&json!(["repository", "ledger", "rules"])));
        assert!(may_fail(&json!([
            "repository",
            "ledger",
            "rules",
            "nodes",
            0
        ])));
        assert!(!may_fail(&json!(["repository", "ledger"])));
        assert!(!may_fail(&json!(["repository", "tag", "rules"])));
        assert!(!may_fail(&json!([])));
    }
}
