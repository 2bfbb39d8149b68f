//! Attacks by an earlier step of the job, and by whoever stands between us and GitHub.

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_core::{
    document::Document as _,
    trust::{TrustFile, TrustVersion},
};
use countersign_sim::{Effect, Endpoint, Fault};

use crate::{
    Scene,
    forge::{envelope, parts},
    harness::{BINARY, Report, Stage, fresh_key, now, terms, trusted_line},
    judge::{attempted, tells_nothing_else, workflow},
    proxy::Proxy,
};

pub const SCENES: &[Scene] = &[
    (
        "a library is put before the shipped binary",
        a_preloaded_library,
    ),
    (
        "programs of the same names come first in PATH",
        programs_in_path,
    ),
    ("a proxy stands in the variables", a_proxy),
    (
        "a proxy is named to which a password would go in clear",
        a_proxy_of_another_kind,
    ),
    (
        "a proxy with a certificate of its own comes between us and GitHub",
        a_man_in_the_middle,
    ),
    ("GitHub tells no time", no_time),
    ("GitHub redirects to another host", a_redirect),
    ("GitHub names another host for uploads", an_upload_host),
    ("the outputs are a link", || {
        a_surface("the outputs are a link", "GITHUB_OUTPUT");
    }),
    ("the summary is a link", || {
        a_surface("the summary is a link", "GITHUB_STEP_SUMMARY");
    }),
    (
        "GitHub redirects a write to another host",
        a_redirected_write,
    ),
    ("the outputs are a pipe", || {
        no_file("the outputs are a pipe", "GITHUB_OUTPUT", pipe);
    }),
    ("the summary is a folder", || {
        no_file("the summary is a folder", "GITHUB_STEP_SUMMARY", |path| {
            fs::create_dir(path).unwrap();
        });
    }),
    (
        "an approver's terminal is to show rows that are made of data",
        rows_of_data,
    ),
    (
        "the outputs hold a delimiter that was guessed",
        a_guessed_delimiter,
    ),
    ("the outputs hold a value that is left open", an_open_value),
    (
        "the trust file comes from the branch of a pull request",
        a_trust_file_of_a_stranger,
    ),
    ("thirty-three signatures", || {
        many_signatures("thirty-three signatures", 33);
    }),
    // Over 64 KiB the input is refused before anything in it is read.
    ("a thousand signatures", || {
        many_signatures("a thousand signatures", 1000);
    }),
    ("a receipt of 65,535 characters", || {
        long_receipt("a receipt of 65,535 characters", 65_535, "-");
    }),
    ("a receipt of more than 64 KiB", || {
        long_receipt("a receipt of more than 64 KiB", 65_600, "receipt_malformed");
    }),
    ("a receipt that was cut off", a_cut_receipt),
    ("a signature with S + L", a_malleable_signature),
    ("a signature whose base64 has stray bits", stray_bits),
    ("GitHub's message is markup and commands", a_hostile_message),
];

/// The shipped program is static: no loader reads `LD_PRELOAD`, `LD_AUDIT` or `GCONV_PATH` before it. In an ELF file only a program header of type
/// 3 (`PT_INTERP`) names a loader.
fn a_preloaded_library() {
    for name in ["countersign-Linux-X64", "countersign-Linux-ARM64"] {
        let program = fs::read(format!("{}/dist/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let number = |at: usize, bytes: usize| {
            program[at..at + bytes]
                .iter()
                .rev()
                .fold(0, |number, byte| number << 8 | usize::from(*byte))
        };
        assert_eq!(
            &program[..6],
            b"\x7fELF\x02\x01",
            "{name} is no 64-bit ELF file"
        );
        let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
        let types: Vec<usize> = (0..count)
            .map(|index| number(table + index * size, 4))
            .collect();
        assert!(
            types.contains(&1) && !types.contains(&3),
            "{name} names a loader: {types:?}"
        );
    }
    // A loader would tell that it cannot find them.
    let mut command = Command::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/dist/countersign-Linux-X64"
    ));
    for variable in ["LD_PRELOAD", "LD_AUDIT", "GCONV_PATH", "LD_LIBRARY_PATH"] {
        command.env(variable, "/nowhere/evil.so");
    }
    let output = command.arg("--version").output().unwrap();
    assert_eq!(
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap().as_str()
        ),
        (Some(0), "")
    );
}

fn programs_in_path() {
    let stage = Stage::new();
    let (folder, canary) = (
        stage.folder.path().join("bin"),
        stage.folder.path().join("canary"),
    );
    fs::create_dir(&folder).unwrap();
    let script = format!("#!/bin/sh\necho $0 >> {}\n", canary.display());
    for name in [
        "git",
        "gh",
        "sh",
        "bash",
        "curl",
        "openssl",
        "ssh",
        "ssh-keygen",
    ] {
        fs::write(folder.join(name), &script).unwrap();
        assert!(
            Command::new("chmod")
                .arg("+x")
                .arg(folder.join(name))
                .status()
                .unwrap()
                .success()
        );
    }
    fs::write(folder.join("env"), &script).unwrap();
    let attempt = stage
        .tag()
        .approved()
        .variable("PATH", folder.display().to_string());
    let attempt = attempt
        .variable("BASH_ENV", folder.join("env").display().to_string())
        .variable("ENV", folder.join("env").display().to_string());
    attempt.run().succeeded();
    assert!(
        !canary.exists(),
        "{}",
        fs::read_to_string(canary).unwrap_or_default()
    );
}

/// Somebody who waits for the token.
struct Trap {
    listener: TcpListener,
    address: String,
}

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self { listener, address }
    }

    fn is_untouched(&self) {
        assert!(
            self.listener
                .accept()
                .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
            "somebody came to the trap"
        );
    }
}

fn a_proxy() {
    let (stage, trap) = (Stage::new(), Trap::set());
    let mut attempt = stage.tag().approved();
    for variable in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        attempt = attempt.variable(variable, format!("http://{}", trap.address));
    }
    // Loopback goes through no proxy, and without TLS nothing else is asked.
    attempt.run().succeeded();
    trap.is_untouched();
}

/// Its user and password would cross the network in clear.
fn a_proxy_of_another_kind() {
    let (stage, trap) = (Stage::new(), Trap::set());
    let attempt = stage.tag().approved();
    for kind in ["https", "socks4", "quic"] {
        let attempt = attempt
            .clone()
            .variable(
                "https_proxy",
                format!("{kind}://us:secret@{}", trap.address),
            )
            .variable("GITHUB_API_URL", "https://ghes.example/api/v3")
            .variable("GITHUB_GRAPHQL_URL", "https://ghes.example/api/graphql");
        let name = "a proxy is named to which a password would go in clear";
        let report = attempted(&stage, name, attempt, "ledger_unavailable");
        assert!(
            report
                .message()
                .contains(&format!("a proxy of the kind `{kind}://`"))
                && !report.log.contains("secret"),
            "{}",
            report.log
        );
    }
    trap.is_untouched();
}

/// Roots of trust from a variable count for servers of one's own, and not for github.com: there the proxy never sees a request.
fn a_man_in_the_middle() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let proxy = Proxy::start(stage.folder.path());
    let through = |api: &str, graphql: &str| {
        let attempt = attempt
            .clone()
            .variable("HTTPS_PROXY", format!("http://{}", proxy.address))
            .variable("SSL_CERT_FILE", &proxy.certificate);
        attempt
            .variable("GITHUB_API_URL", api)
            .variable("GITHUB_GRAPHQL_URL", graphql)
    };
    let name = "a proxy with a certificate of its own comes between us and GitHub";
    let report = attempted(
        &stage,
        name,
        through("https://api.github.com", "https://api.github.com/graphql"),
        "ledger_unavailable",
    );
    assert!(
        report.message().contains("certificate"),
        "{}",
        report.message()
    );
    assert_eq!(proxy.seen(), ["CONNECT api.github.com:443"]);
    // The same trap shuts where the variable is documented to count.
    attempted(
        &stage,
        name,
        through(
            "https://ghe.example/api/v3",
            "https://ghe.example/api/graphql",
        ),
        "ledger_unavailable",
    );
    assert!(
        proxy.seen().contains(&"POST /api/graphql".to_owned()),
        "{:?}",
        proxy.seen()
    );
}

fn no_time() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    stage.sim.plan(
        Fault::on(Endpoint::Preflight)
            .times(9)
            .then(Effect::OmitDate),
    );
    attempted(&stage, "GitHub tells no time", attempt, "clock_skew");
}

fn a_redirect() {
    let (stage, trap) = (Stage::new(), Trap::set());
    let attempt = stage.tag().approved();
    stage.sim.plan(
        Fault::on(Endpoint::Preflight)
            .times(9)
            .then(Effect::Redirect(format!("http://{}/", trap.address))),
    );
    attempted(
        &stage,
        "GitHub redirects to another host",
        attempt,
        "ledger_unavailable",
    );
    trap.is_untouched();
}

/// The receipt is spent by then: what must not happen is that the token leaves.
fn an_upload_host() {
    let stage = Stage::new();
    let attempt = stage
        .file("a.zip", "aaa")
        .release()
        .input("files", "a.zip")
        .approved();
    stage
        .sim
        .plan(Fault::on(Endpoint::CreateRelease).then(Effect::ForeignUploadUrl));
    let report = attempt.run();
    assert_eq!(
        (report.exit, report.status(), report.code()),
        (1, "failed", "foreign_host"),
        "{}",
        report.message()
    );
    assert_eq!(
        stage
            .sim
            .releases()
            .iter()
            .filter(|release| !release.draft)
            .count(),
        0
    );
    tells_nothing_else(&stage, &report);
}

/// Nothing is written through a link that an earlier step put there.
fn a_surface(case: &str, variable: &str) {
    let stage = Stage::new();
    let prey = stage.folder.path().join("prey");
    fs::write(&prey, "untouched").unwrap();
    let report = without_a_surface(&stage, case, variable, |place| {
        symlink(&prey, place).unwrap();
    });
    assert_eq!(fs::read_to_string(&prey).unwrap(), "untouched");
    assert!(
        report.log.contains("could not be written"),
        "{}",
        report.log
    );
}

/// The refusal of an attempt of which one surface is something else than the runner made; its record, which must not be lost, is written all
/// the same.
fn without_a_surface(stage: &Stage, case: &str, variable: &str, put: impl FnOnce(&Path)) -> Report {
    let attempt = stage
        .tag()
        .input("receipt", "")
        .variable("GITHUB_WORKFLOW_REF", workflow(case));
    let (mut command, surfaces) = attempt.process();
    let place = stage.folder.path().join("place");
    put(&place);
    let report = surfaces.report(&command.env(variable, &place).output().unwrap());
    assert_eq!((report.exit, report.code()), (3, "receipt_missing"));
    assert_eq!(
        (report.record["github"]["workflow"].as_str(), stage.writes()),
        (Some(workflow(case).as_str()), Vec::new())
    );
    tells_nothing_else(stage, &report);
    report
}

/// A write that is sent elsewhere was not done: nobody repeats it there, with the token or without.
fn a_redirected_write() {
    for endpoint in [
        Endpoint::CreateRelease,
        Endpoint::UploadAsset,
        Endpoint::PublishRelease,
    ] {
        let (stage, trap) = (Stage::new(), Trap::set());
        let attempt = stage
            .file("a.zip", "aaa")
            .release()
            .input("files", "a.zip")
            .approved();
        stage.sim.plan(
            Fault::on(endpoint)
                .times(9)
                .then(Effect::Redirect(format!("http://{}/", trap.address))),
        );
        let report = attempt.run();
        assert_eq!(
            (report.exit, report.code()),
            (1, "github_rejected"),
            "{endpoint:?}: {}",
            report.message()
        );
        assert_eq!(
            stage
                .sim
                .releases()
                .iter()
                .filter(|release| !release.draft)
                .count(),
            0
        );
        trap.is_untouched();
        tells_nothing_else(&stage, &report);
    }
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A surface that is no file holds nobody up.
fn no_file(case: &str, variable: &str, put: fn(&Path)) {
    let report = without_a_surface(&Stage::new(), case, variable, put);
    assert!(
        report.log.contains("could not be written"),
        "{}",
        report.log
    );
}

/// The text of a release goes on, at the width of the terminal, as if the program itself began to speak.
fn rows_of_data() {
    let stage = Stage::new();
    let body = format!(
        "Fine.{}What changes, by what the dry run saw:{}  nothing at all",
        " ".repeat(59),
        " ".repeat(42)
    );
    let plan = stage.release().input("body", &body).dry_run().plan();
    fs::copy(plan, stage.folder.path().join("plan.json")).unwrap();
    assert!(
        stage
            .command(&["keys", "generate", "--no-passphrase", "--out", "key"])
            .output()
            .unwrap()
            .status
            .success()
    );
    let shell = format!("stty cols 80 rows 24; {BINARY} authorize plan.json --key key");
    let mut terminal = Command::new("script");
    let terminal = terminal
        .args(["-qec", &shell, "/dev/null"])
        .current_dir(stage.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = terminal.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"no\n").unwrap();
    let shown = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    // Only the rows of our own begin at the left, or two columns from it; what goes on in a further line has its mark.
    let goes_on = |line: &&str| line.starts_with("              > ");
    let rows: Vec<&str> = shown
        .lines()
        .filter(|line| line.contains("What changes") || line.contains("nothing at all"))
        .collect();
    assert_eq!(
        rows.iter()
            .filter(|row| !row.starts_with("  body        | ") && !goes_on(row))
            .count(),
        1,
        "{shown}"
    );
    assert!(
        shown.lines().filter(goes_on).count() >= 2 && !shown.contains("\"payload\""),
        "{shown}"
    );
}

fn a_guessed_delimiter() {
    let stage = Stage::new();
    let body = "ghadelimiter\nstatus<<ghadelimiter\nsuccess\nghadelimiter\n";
    let report = attempted(
        &stage,
        "the outputs hold a delimiter that was guessed",
        stage.release().input("body", body),
        "receipt_missing",
    );
    assert_eq!(report.outputs["status"], "rejected_by_auth");
}

/// Nothing of ours becomes the value of what somebody began: the runner sees that it never ends, and fails the step.
fn an_open_value() {
    let stage = Stage::new();
    without_a_surface(
        &stage,
        "the outputs hold a value that is left open",
        "GITHUB_OUTPUT",
        |place| {
            fs::write(place, "status<<never\nsuccess\n").unwrap();
        },
    );
    let told = fs::read_to_string(stage.folder.path().join("place")).unwrap();
    assert!(
        told.lines().all(|line| line != "never") && told.contains("\nerror-code<<"),
        "{told}"
    );
}

fn a_trust_file_of_a_stranger() {
    let stage = Stage::new();
    let (_, root) = stage.trust_file(&[stage.trust_version(1, "")], None);
    let mallory = fresh_key();
    let version = format!(
        "version = 1\nthreshold = 1\n[[key]]\nname = \"alice@example.org\"\nkey = \"{}\"\n",
        trusted_line(&mallory, "").trim()
    );
    let mut file = TrustFile::begin(&TrustVersion::from_toml(&version, None, now(), None).unwrap());
    file.sign(&mallory).unwrap();
    stage.file("trust.json", file.to_document());
    let receipt = countersign_core::envelope::Envelope::sign(
        &terms(&stage.tag().dry_run().plan()),
        &[&mallory],
    )
    .to_line();
    let attempt = stage
        .tag()
        .input("trusted-keys", "")
        .input("trust-file", "trust.json")
        .input("trust-root", &root)
        .input("receipt", &receipt);
    attempted(
        &stage,
        "the trust file comes from the branch of a pull request",
        attempt,
        "trust_invalid",
    );
}

fn many_signatures(case: &str, count: usize) {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let (payload, signature) = parts(&attempt.receipt());
    attempted(
        &stage,
        case,
        attempt.input("receipt", &envelope(&payload, &vec![signature; count])),
        "receipt_malformed",
    );
}

/// Beside the good signature stands one that is none, as long as fits: in one input GitHub takes 65,535 characters.
fn long_receipt(case: &str, length: usize, code: &str) {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let (payload, signature) = parts(&attempt.receipt());
    let filled = |filler: usize| envelope(&payload, &[signature.clone(), "A".repeat(filler)]);
    let receipt = filled((length - filled(0).len()) / 4 * 4);
    assert!(
        (length - 3..=length).contains(&receipt.len()),
        "{}",
        receipt.len()
    );
    attempted(&stage, case, attempt.input("receipt", &receipt), code);
}

fn a_cut_receipt() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let receipt = attempt.receipt();
    for length in [1, 10, receipt.len() / 2, receipt.len() - 1] {
        let report = attempted(
            &stage,
            "a receipt that was cut off",
            attempt.clone().input("receipt", &receipt[..length]),
            "receipt_malformed",
        );
        assert!(
            report.record["remedy"]
                .as_str()
                .unwrap()
                .contains("cut off"),
            "{length}: {}",
            report.record["remedy"]
        );
    }
}

/// The order of the curve's base point, little-endian: S + L verifies too where nobody checks that S is reduced.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn a_malleable_signature() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let (payload, signature) = parts(&attempt.receipt());
    let mut bytes = STANDARD.decode(&signature).unwrap();
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = ((sum & 0xff) as u8, sum >> 8);
    }
    assert_eq!(carry, 0);
    let other = envelope(&payload, &[STANDARD.encode(bytes)]);
    attempted(
        &stage,
        "a signature with S + L",
        attempt.input("receipt", &other),
        "signature_untrusted",
    );
}

fn stray_bits() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let (payload, signature) = parts(&attempt.receipt());
    // 64 bytes end in `==`: four bits of the last letter say nothing.
    let last = signature.trim_end_matches('=').len() - 1;
    let letter = signature.as_bytes()[last];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let place = alphabet.iter().position(|known| *known == letter).unwrap();
    let stray = format!(
        "{}{}==",
        &signature[..last],
        char::from(alphabet[place + 1])
    );
    attempted(
        &stage,
        "a signature whose base64 has stray bits",
        attempt.input("receipt", &envelope(&payload, &[stray])),
        "receipt_malformed",
    );
}

fn a_hostile_message() {
    let stage = Stage::new();
    let attempt = stage.tag().approved();
    let message =
        "<script>alert(1)</script> [x](javascript:alert(1))\n::error::boo\n##[add-mask]y | z";
    let error = Effect::GraphQlError {
        kind: "FORBIDDEN".into(),
        message: message.into(),
    };
    stage
        .sim
        .plan(Fault::on(Endpoint::Preflight).times(9).then(error));
    attempted(
        &stage,
        "GitHub's message is markup and commands",
        attempt,
        "permission_missing",
    );
}
