//! Makes receipts as an attacker would: signed by whom, over what and with which bytes the case says.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{keys::PublicKey, receipt::Terms, timestamp::Timestamp};
use ed25519_dalek::{Signer as _, SigningKey};

use crate::{
    case::Case,
    harness::{Attempt, Report, Stage, fresh_key, now, terms, trusted_line},
    judge::workflow,
};

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Data that wants to be more: markup, a link, a table, a code span's end, commands of the runner in both spellings, another reading direction.
const HOSTILE: &str = "x<img src=x onerror=alert(1)><script>alert(1)</script>[a](javascript:alert(1))|`a`\u{202e}\n::set-output name=status::success\r::error::a\r\n##[add-mask]a\n::stop-commands::a";

/// A stage with the case's keys.
pub struct Forge {
    pub stage: Stage,
    keys: BTreeMap<&'static str, SigningKey>,
}

/// What texts may name.
struct Made {
    payload: String,
    signatures: Vec<String>,
    line: String,
    issued_at: Timestamp,
}

impl Forge {
    pub fn new(case: &Case) -> Self {
        let stage = Stage::new();
        stage.file("a.zip", "aaa").file("b.zip", "bbb");
        let alice = stage.approver().clone();
        let keys = [
            ("alice", alice),
            ("bob", fresh_key()),
            ("mallory", fresh_key()),
        ];
        assert!(
            matches!(
                case.operation.as_deref(),
                None | Some("tag" | "release" | "pull")
            ),
            "there is no operation {:?}",
            case.operation
        );
        Self {
            stage,
            keys: keys.into(),
        }
    }

    fn plain(&self, case: &Case) -> Attempt<'_> {
        match case.operation.as_deref() {
            Some("release") => self.stage.release().input("files", "*.zip"),
            Some("pull") => self.stage.pull(),
            _ => self.stage.tag(),
        }
    }

    /// Forges, lets the world go on, and makes the attempt; gives also how many writes there were before it.
    pub fn attempt(&self, case: &Case) -> (Report, usize) {
        let made = self.make(case);
        let mut attempt = self
            .plain(case)
            .variable("GITHUB_WORKFLOW_REF", workflow(&case.name))
            .input("trusted-keys", &self.trusted(case));
        attempt = match (&case.receipt_hex, &case.receipt) {
            (Some(hex), _) => {
                self.stage.file("receipt.json", bytes(hex));
                attempt.input("receipt-file", "receipt.json")
            }
            (None, Some(text)) => attempt.input("receipt", &self.filled(text, &made)),
            (None, None) => attempt.input("receipt", &made.line),
        };
        for step in &case.world {
            self.happen(step, &attempt);
        }
        for (name, value) in &case.inputs {
            attempt = attempt.input(name, &self.filled(value, &made));
        }
        for (name, value) in &case.variables {
            attempt = if value.is_empty() {
                attempt.without_variable(name)
            } else {
                attempt.variable(name, self.filled(value, &made))
            };
        }
        if let Some(now) = case.now {
            let clock = |later| shifted(made.issued_at, later).unix();
            attempt = attempt.variable("HURRIED_NOW", clock(now).to_string());
            self.stage
                .sim
                .set_clock(i64::try_from(clock(case.github.unwrap_or(now))).unwrap());
        }
        let writes = self.stage.writes().len();
        (attempt.run(), writes)
    }

    fn trusted(&self, case: &Case) -> String {
        let names = case.trusted.clone().unwrap_or_else(|| vec!["alice".into()]);
        names
            .iter()
            .map(|name| self.line_of(name))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn key(&self, name: &str) -> &SigningKey {
        self.keys
            .get(name)
            .unwrap_or_else(|| panic!("there is no key `{name}`"))
    }

    fn line_of(&self, name: &str) -> String {
        trusted_line(self.key(name), name)
    }

    fn fingerprint(&self, name: &str) -> String {
        PublicKey::new(self.key(name).verifying_key())
            .unwrap()
            .fingerprint()
            .to_string()
    }

    /// What happens at GitHub between approval and attempt.
    fn happen(&self, step: &str, attempt: &Attempt<'_>) {
        let sim = &self.stage.sim;
        match step.split(' ').collect::<Vec<_>>().as_slice() {
            ["publish"] => attempt.run().succeeded(),
            ["mark", name] => sim.tag(name, &self.stage.main()),
            ["tag", name] => sim.tag(name, &sim.commit("other", &[("other.txt", b"other")])),
            ["move", branch] => drop(sim.commit(branch, &[("moved.txt", b"moved")])),
            ["delete", name] => assert!(sim.delete_ref(name), "{name} was not there"),
            ["write", branch, path, text @ ..] => {
                drop(sim.commit(branch, &[(path, text.join(" ").as_bytes())]));
            }
            _ => panic!("there is no step `{step}`"),
        }
    }

    fn make(&self, case: &Case) -> Made {
        let plan = self.plain(case).dry_run();
        assert_eq!(plan.exit, 0, "{}", plan.log);
        let mut terms = terms(&plan.plan());
        let now = now();
        terms.issued_at = shifted(now, case.issued.unwrap_or(0));
        terms.expires_at = shifted(now, case.expires.unwrap_or(3600));
        let told = |text: &str| told(text, &terms);
        let statement = replaced(
            String::from_utf8(terms.to_payload()).unwrap(),
            &case.statement,
            told,
        );
        let mut payload = case.payload_hex.as_deref().map(bytes).unwrap_or_default();
        payload.extend(statement.as_bytes());
        for (from, to) in &case.bytes {
            let at = payload
                .windows(from.len())
                .position(|window| window == from.as_bytes())
                .unwrap();
            payload.splice(at..at + from.len(), bytes(to));
        }
        let payload_type = case.payload_type.as_deref().unwrap_or(PAYLOAD_TYPE);
        let message = message(
            case.signs.as_deref().unwrap_or("pae"),
            payload_type,
            &payload,
        );
        let signers = case.signers.clone().unwrap_or_else(|| vec!["alice".into()]);
        let sign = |name: &String| STANDARD.encode(self.key(name).sign(&message).to_bytes());
        let signatures: Vec<String> = signers.iter().map(sign).collect();
        let listed: Vec<String> = signers
            .iter()
            .zip(&signatures)
            .map(|(name, signature)| {
                format!(
                    r#"{{"keyid":"{}","sig":"{signature}"}}"#,
                    self.fingerprint(name)
                )
            })
            .collect();
        let payload = if case.tampered.is_empty() {
            payload
        } else {
            replaced(statement, &case.tampered, told).into_bytes()
        };
        let payload = STANDARD.encode(payload);
        let line = format!(
            r#"{{"payload":"{payload}","payloadType":"{payload_type}","signatures":[{}]}}"#,
            listed.join(",")
        );
        let mut made = Made {
            payload,
            signatures,
            line: line.clone(),
            issued_at: terms.issued_at,
        };
        made.line = replaced(line, &case.envelope, |text| self.filled(text, &made));
        made
    }

    fn filled(&self, text: &str, made: &Made) -> String {
        let mut text = text
            .replace("{hostile}", HOSTILE)
            .replace("{main}", &self.stage.main())
            .replace("{payload}", &made.payload)
            .replace("{line}", &made.line);
        if let Some(first) = made.signatures.first() {
            text = text.replace("{sig}", first);
        }
        for name in self.keys.keys() {
            text = text
                .replace(&format!("{{key {name}}}"), &self.line_of(name))
                .replace(&format!("{{id {name}}}"), &self.fingerprint(name));
        }
        text
    }
}

/// What stands in the statement.
fn told(text: &str, terms: &Terms) -> String {
    let digest = terms.operation_digest.to_hex();
    text.replace("{receipt}", terms.receipt_id.as_str())
        .replace("{issued}", &terms.issued_at.to_string())
        .replace("{expires}", &terms.expires_at.to_string())
        .replace("{digest}", &digest)
        .replace("{DIGEST}", &digest.to_uppercase())
        .replace("{repository id}", &terms.target.repository_id.to_string())
        .replace("{ledger commit}", terms.ledger.commit.as_str())
        .replace("{ledger}", &serde_json::to_string(&terms.ledger).unwrap())
}

/// What the signature is over.
fn message(over: &str, payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let encoding = |payload: &[u8]| {
        let mut message = format!(
            "DSSEv1 {} {payload_type} {} ",
            payload_type.len(),
            payload.len()
        )
        .into_bytes();
        message.extend_from_slice(payload);
        message
    };
    match over {
        "pae" => encoding(payload),
        "base64" => encoding(STANDARD.encode(payload).as_bytes()),
        "payload" => payload.to_vec(),
        other => panic!("nothing is signed over `{other}`"),
    }
}

fn replaced(mut text: String, pairs: &[(String, String)], fill: impl Fn(&str) -> String) -> String {
    for (from, to) in pairs {
        let (from, to) = (fill(from), fill(to));
        assert!(text.contains(&from), "`{from}` is not in {text}");
        text = text.replacen(&from, &to, 1);
    }
    text
}

fn shifted(moment: Timestamp, seconds: i64) -> Timestamp {
    if seconds < 0 {
        moment.minus(seconds.unsigned_abs())
    } else {
        moment.plus(seconds.unsigned_abs())
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// The parts of a good receipt: payload and signature in base64.
pub fn parts(line: &str) -> (String, String) {
    let envelope: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (
        text(&envelope["payload"]),
        text(&envelope["signatures"][0]["sig"]),
    )
}

pub fn envelope(payload: &str, signatures: &[String]) -> String {
    let signatures: Vec<String> = signatures
        .iter()
        .map(|signature| format!(r#"{{"keyid":"","sig":"{signature}"}}"#))
        .collect();
    format!(
        r#"{{"payload":"{payload}","payloadType":"application/vnd.in-toto+json","signatures":[{}]}}"#,
        signatures.join(",")
    )
}
