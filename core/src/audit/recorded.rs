//! An audit record as it is read again: for people alone, nothing is decided by it.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use super::{CampaignRecord, LedgerRecord, RunRecord, Status};
use crate::{
    authority::Authority,
    digest::Digest,
    document::Document,
    envelope::Signer,
    json::{Malformed, Object, Value},
    ledger::{EntryId, GithubResponse},
    name::OperationId,
    operation::{MOST_BYTES, Operation},
    receipt::Terms,
    timestamp::Timestamp,
};

/// What `audit-record.json` says, member by member as [`AuditRecord`](super::AuditRecord) writes it. It is not signed: whoever
/// shows it must say so.
#[derive(Clone, Debug, Serialize)]
#[expect(
    missing_docs,
    reason = "each member is that of the record that was written"
)]
pub struct Recorded {
    pub operation_id: OperationId,
    pub run_id: String,
    pub operation_kind: String,
    pub receipt_id: Option<String>,
    pub repository: String,
    pub status: Status,
    pub mode: String,
    pub started_at: Timestamp,
    pub completed_at: Timestamp,
    pub result: String,
    pub error_message: Option<String>,
    pub error_code: Option<String>,
    pub remedy: Option<String>,
    pub github_response: Option<GithubResponse>,
    pub retry_count: u64,
    pub checks: Vec<RecordedCheck>,
    pub authority: Authority,
    pub reviewers: Vec<String>,
    pub campaign: Option<CampaignRecord>,
    pub signers: Vec<Signer>,
    pub operation: Option<Operation>,
    pub operation_digest: Option<Digest>,
    pub receipt: Option<Terms>,
    pub ledger: LedgerRecord,
    pub github: RunRecord,
    pub requests: u64,
    pub version: String,
}

/// One binding rule with both sides, as it was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordedCheck {
    /// What the rule asks for, in few words.
    pub rule: String,
    /// The code of the refusal, or of the rule's first one.
    pub code: String,
    /// What it asked for.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// `holds`, `broken` or `not_evaluated`.
    pub verdict: String,
}

impl Document for Recorded {
    /// An operation, what GitHub holds of it, and every rule with both sides.
    const MOST_BYTES: usize = 4 * MOST_BYTES;

    fn from_members(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            operation_id: object.take("operation_id")?.name()?,
            run_id: object.take("run_id")?.text()?,
            operation_kind: object.take("operation_kind")?.text()?,
            receipt_id: text_or_null(object, "receipt_id")?,
            repository: object.take("repository")?.text()?,
            status: Status::from_json(object.take("status")?)?,
            mode: object.take("mode")?.text()?,
            started_at: object.take("started_at")?.name()?,
            completed_at: object.take("completed_at")?.name()?,
            result: object.take("result")?.text()?,
            error_message: text_or_null(object, "error_message")?,
            error_code: text_or_null(object, "error_code")?,
            remedy: text_or_null(object, "remedy")?,
            github_response: object
                .take("github_response")?
                .nullable()
                .map(GithubResponse::from_json)
                .transpose()?,
            retry_count: object.take("retry_count")?.number()?,
            checks: list(object, "checks", RecordedCheck::from_json)?,
            authority: Authority::from_json(object.take("authority")?)?,
            reviewers: list(object, "reviewers", Value::text)?,
            campaign: object
                .take("campaign")?
                .nullable()
                .map(CampaignRecord::from_json)
                .transpose()?,
            signers: list(object, "signers", Signer::from_json)?,
            operation: object
                .take("operation")?
                .nullable()
                .map(Operation::from_json)
                .transpose()?,
            operation_digest: object
                .take("operation_digest")?
                .nullable()
                .map(Value::name)
                .transpose()?,
            receipt: object
                .take("receipt")?
                .nullable()
                .map(Terms::from_json)
                .transpose()?,
            ledger: LedgerRecord::from_json(object.take("ledger")?)?,
            github: RunRecord::from_json(object.take("github")?)?,
            requests: object.take("requests")?.number()?,
            version: object.take("version")?.text()?,
        })
    }
}

fn text_or_null(object: &mut Object, member: &str) -> Result<Option<String>, Malformed> {
    object.take(member)?.nullable().map(Value::text).transpose()
}

fn list<T>(
    object: &mut Object,
    member: &str,
    read: fn(Value) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    object.take(member)?.list()?.into_iter().map(read).collect()
}

impl Status {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let unknown = value.refuse("it is no status that this version knows");
        let text = value.text()?;
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(unknown)
    }
}

impl RecordedCheck {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let check = Self {
            rule: object.take("rule")?.text()?,
            code: object.take("code")?.text()?,
            expected: object.take("expected")?.text()?,
            found: object.take("found")?.text()?,
            verdict: object.take("verdict")?.text()?,
        };
        object.end()?;
        Ok(check)
    }
}

impl CampaignRecord {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let number = |value: Value| {
            let too_large = value.refuse("the number is too large");
            usize::try_from(value.number()?).map_err(|_| too_large)
        };
        let mut object = value.object()?;
        let campaign = Self {
            name: object.take("name")?.text()?,
            id: object.take("id")?.text()?,
            position: number(object.take("position")?)?,
            operations: number(object.take("operations")?)?,
        };
        object.end()?;
        Ok(campaign)
    }
}

impl LedgerRecord {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let mut checkpoint = |member| {
            object
                .take(member)?
                .nullable()
                .map(EntryId::from_json)
                .transpose()
        };
        let (seen, claim, outcome) = (
            checkpoint("seen")?,
            checkpoint("claim")?,
            checkpoint("outcome")?,
        );
        let rules = object
            .take("rules")?
            .nullable()
            .map(Value::list)
            .transpose()?;
        object.end()?;
        Ok(Self {
            seen,
            claim,
            outcome,
            rules: rules
                .map(|rules| rules.into_iter().map(Value::text).collect())
                .transpose()?,
        })
    }
}

impl RunRecord {
    fn from_json(value: Value) -> Result<Self, Malformed> {
        let mut object = value.object()?;
        let mut text = |member| object.take(member)?.text();
        let run = Self {
            run_id: text("run_id")?,
            run_attempt: text("run_attempt")?,
            workflow: text("workflow")?,
            actor: text("actor")?,
            triggering_actor: text("triggering_actor")?,
            event: text("event")?,
            reference: text("ref")?,
            sha: text("sha")?,
        };
        object.end()?;
        Ok(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::AuditRecord,
        binding,
        document::to_json_line,
        refusal::Refusal,
        testing::{NOON, release, terms},
    };
    use alloc::vec;

    fn record() -> AuditRecord {
        let refusal = Refusal::ModeViolation {
            found: "PROD".into(),
        };
        let check = |verdict| binding::Check {
            rule: binding::Rule::Mode,
            expected: "prod".into(),
            found: "PROD".into(),
            verdict,
        };
        AuditRecord {
            operation_id: "op-5e1f0c9a77204bd3".parse().unwrap(),
            run_id: "17231231".into(),
            operation_kind: "publish_release".into(),
            receipt_id: Some("receipt-abc123".into()),
            repository: "owner/repo".into(),
            status: Status::RejectedByMode,
            mode: "PROD".into(),
            started_at: NOON,
            completed_at: NOON,
            result: "refused; nothing was written to GitHub".into(),
            error_message: Some(alloc::format!("{refusal}")),
            error_code: Some(refusal.code().into()),
            remedy: Some(refusal.remedy().into()),
            github_response: Some(GithubResponse::default()),
            retry_count: 1,
            checks: vec![
                check(binding::Verdict::Broken(refusal)),
                check(binding::Verdict::Holds),
                check(binding::Verdict::NotEvaluated),
            ],
            authority: Authority::default(),
            reviewers: vec!["octocat".into()],
            campaign: Some(CampaignRecord {
                name: "Spring".into(),
                id: "tag".into(),
                position: 1,
                operations: 3,
            }),
            signers: vec![Signer {
                name: "alice".into(),
                fingerprint: crate::keys::Fingerprint::recorded("SHA256:x".into()),
            }],
            operation: Some(release()),
            operation_digest: Some(release().digest()),
            receipt: Some(terms()),
            ledger: LedgerRecord {
                seen: terms().ledger.head.newest(),
                rules: Some(vec!["deletion".into()]),
                ..LedgerRecord::default()
            },
            github: RunRecord {
                run_id: "17231231".into(),
                ..RunRecord::default()
            },
            requests: 3,
            version: "0.1.0",
        }
    }

    #[test]
    fn what_the_publisher_writes_is_read_again() {
        for status in Status::ALL {
            let bytes = to_json_line(&AuditRecord { status, ..record() });
            assert_eq!(
                Recorded::from_document(&bytes).map(|read| read.to_document()),
                Ok(bytes)
            );
        }
    }

    #[test]
    fn a_record_may_have_4_mib_and_not_a_byte_more() {
        let empty = to_json_line(&AuditRecord {
            result: String::new(),
            ..record()
        })
        .len();
        let read = |bytes: usize| {
            let result = "x".repeat(bytes - empty);
            Recorded::from_document(&to_json_line(&AuditRecord { result, ..record() }))
                .map(|_| ())
                .map_err(|error| alloc::format!("{error}"))
        };
        assert_eq!(read(4 << 20), Ok(()));
        assert_eq!(
            read((4 << 20) + 1),
            Err("4194305 bytes are more than the 4194304 allowed (at the whole document)".into())
        );
    }

    #[test]
    fn a_record_that_was_edited_or_is_none_is_told_with_the_place() {
        let text = alloc::string::String::from_utf8(to_json_line(&record())).unwrap();
        for (from, to, told) in [
            (
                "\"version\":\"0.1.0\"",
                "\"version\":\"0.1.0\",\"more\":1",
                "the member `more` is unknown (at $)",
            ),
            (
                "\"requests\":3,",
                "",
                "the member `requests` is missing (at $)",
            ),
            (
                "\"rejected_by_mode\"",
                "\"done\"",
                "it is no status that this version knows (at $.status)",
            ),
            (
                "\"mode\":",
                "\"mode\": ",
                "the file was changed after Countersign wrote it (at byte 184)",
            ),
        ] {
            let error = Recorded::from_document(text.replacen(from, to, 1).as_bytes())
                .map(|_| ())
                .unwrap_err();
            assert_eq!(alloc::format!("{error}"), told);
        }
    }
}
