//! The command line, as approvers and administrators use it.
#![allow(
    clippy::unwrap_used,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output, Stdio},
};

use harness::{BINARY, Stage};

fn run(stage: &Stage, arguments: &[&str]) -> (i32, String, String) {
    ended(&stage.command(arguments).output().unwrap())
}

fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// A stage on which an approver made a key and a dry run a plan.
fn approver() -> Stage {
    let stage = Stage::new();
    let (exit, public, _) = run(
        &stage,
        &[
            "keys",
            "generate",
            "--no-passphrase",
            "--out",
            "approver",
            "--name",
            "alice@example.org",
        ],
    );
    assert_eq!(exit, 0);
    assert_eq!(
        fs::read_to_string(stage.folder.path().join("approver.pub")).unwrap(),
        public
    );
    fs::copy(
        stage.release().dry_run().plan(),
        stage.folder.path().join("plan.json"),
    )
    .unwrap();
    stage
}

#[test]
fn keys_plan_authorize_verify_publish() {
    let stage = approver();
    let (exit, receipt, shown) = run(
        &stage,
        &["authorize", "plan.json", "--key", "approver", "--yes"],
    );
    assert_eq!((exit, receipt.lines().count()), (0, 1));
    for part in [
        "publish_release in octo/hello",
        "tag_name      \"v1.0.0\"",
        "body        | First.",
        "operation     sha256:",
        "for run       17231231",
        "signed by     SHA256:",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    fs::write(stage.folder.path().join("receipt"), &receipt).unwrap();
    let (exit, table, told) = run(
        &stage,
        &[
            "verify",
            "receipt",
            "--plan",
            "plan.json",
            "--trusted-keys",
            "approver.pub",
        ],
    );
    assert_eq!(exit, 0, "{told}");
    assert!(
        table.contains("holds   operation")
            && table.contains("open    ledger holds the checkpoint"),
        "{table}"
    );
    assert!(!table.contains("BROKEN"));
    let keys = fs::read_to_string(stage.folder.path().join("approver.pub")).unwrap();
    stage
        .release()
        .input("trusted-keys", &keys)
        .input("receipt", &receipt)
        .run()
        .succeeded();
}

#[test]
fn verify_refuses_with_the_code_and_exit_status_of_the_first_broken_rule() {
    let stage = approver();
    let (_, receipt, _) = run(
        &stage,
        &["authorize", "plan.json", "--key", "approver", "--yes"],
    );
    fs::write(stage.folder.path().join("receipt"), &receipt).unwrap();
    fs::write(stage.folder.path().join("others"), stage.trusted()).unwrap();
    let (exit, table, told) = run(
        &stage,
        &[
            "verify",
            "receipt",
            "--plan",
            "plan.json",
            "--trusted-keys",
            "others",
        ],
    );
    assert_eq!(exit, 3);
    assert!(
        table.contains("BROKEN  enough trusted signatures")
            && told.starts_with("signature_untrusted: none of the 1 signature(s)"),
        "{table}{told}"
    );
}

#[test]
fn a_secret_key_is_readable_by_its_owner_alone_and_never_replaced() {
    let stage = approver();
    let key = stage.folder.path().join("approver");
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let before = fs::read(&key).unwrap();
    let (exit, _, told) = run(
        &stage,
        &["keys", "generate", "--no-passphrase", "--out", "approver"],
    );
    assert_eq!(exit, 1);
    assert!(
        told.contains("an existing file is never replaced"),
        "{told}"
    );
    assert_eq!(fs::read(&key).unwrap(), before);
}

/// Runs a command at a terminal of its own, on which these lines are typed.
fn at_a_terminal(stage: &Stage, command: &str, typed: &str) -> (i32, String, String) {
    let command = format!("{BINARY} {command}");
    let mut child = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(stage.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(typed.as_bytes()).unwrap();
    drop(input);
    ended(&child.wait_with_output().unwrap())
}

#[test]
fn a_new_key_has_a_passphrase_unless_none_was_asked_for() {
    let stage = approver();
    let folder = stage.folder.path();
    let generate = "keys generate --out mine --name me";
    let (exit, shown, _) = at_a_terminal(&stage, generate, "correct horse\ncorrect horse\n");
    assert_eq!(exit, 0, "{shown}");

    let sign = "authorize plan.json --key mine --yes";
    let (exit, shown, _) = at_a_terminal(&stage, sign, "wrong horse\n");
    assert!(
        exit == 1 && shown.contains("the passphrase does not open the key"),
        "{shown}"
    );
    let (exit, shown, _) = at_a_terminal(&stage, sign, "correct horse\n");
    assert!(exit == 0 && shown.contains("{\"payload\":"), "{shown}");

    fs::remove_file(folder.join("mine")).unwrap();
    fs::remove_file(folder.join("mine.pub")).unwrap();
    for (typed, problem) in [
        ("one\ntwo\n", "the two passphrases differ"),
        ("\n", "the passphrase is empty"),
    ] {
        let (exit, shown, _) = at_a_terminal(&stage, generate, typed);
        assert!(exit == 1 && shown.contains(problem), "{shown}");
    }
    let (exit, _, told) = run(&stage, &["keys", "generate", "--out", "mine"]);
    assert!(
        exit == 1
            && told.contains("no one to ask for a passphrase")
            && told.contains("--no-passphrase"),
        "{told}"
    );
    assert!(!folder.join("mine").exists() && !folder.join("mine.pub").exists());
}

#[test]
fn authorize_asks_on_a_terminal_and_signs_only_after_yes() {
    let stage = approver();
    let folder = stage.folder.path();
    // `script` gives the program a terminal.
    let answer = |word: &str| {
        let command = format!("{BINARY} authorize plan.json --key approver");
        let mut child = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(word.as_bytes())
            .unwrap();
        ended(&child.wait_with_output().unwrap())
    };
    let (exit, shown, _) = answer("yes\n");
    assert!(
        exit == 0 && shown.contains("Sign it? Type yes:") && shown.contains("{\"payload\":"),
        "{shown}"
    );
    let (exit, shown, _) = answer("y\n");
    assert!(
        exit == 3 && shown.contains("Nothing was signed.") && !shown.contains("{\"payload\":"),
        "{shown}"
    );
}

#[test]
fn authorize_does_not_sign_what_it_cannot_show_or_nobody_confirmed() {
    let stage = approver();
    let (exit, out, told) = run(&stage, &["authorize", "plan.json", "--key", "approver"]);
    assert!(
        exit == 1 && out.is_empty() && told.contains("standard input is no terminal"),
        "{told}"
    );
    let plan = fs::read_to_string(stage.folder.path().join("plan.json")).unwrap();
    fs::write(
        stage.folder.path().join("edited.json"),
        plan.replace("First.", "Second."),
    )
    .unwrap();
    let (exit, out, told) = run(
        &stage,
        &["authorize", "edited.json", "--key", "approver", "--yes"],
    );
    assert!(
        exit == 1
            && out.is_empty()
            && told.contains("use plan.json exactly as the dry run wrote it"),
        "{told}"
    );
    let (exit, _, told) = run(
        &stage,
        &[
            "authorize",
            "plan.json",
            "--key",
            "approver",
            "--yes",
            "--expires-in",
            "25h",
        ],
    );
    assert!(exit == 2 && told.contains("expected 1s to 24h"), "{told}");
    let (exit, _, told) = run(
        &stage,
        &["authorize", "plan.json", "--key", "approver.pub", "--yes"],
    );
    assert!(
        exit == 1
            && told.contains(
                "its secret half is looked for in an ssh-agent, but SSH_AUTH_SOCK is not set"
            ),
        "{told}"
    );
    let (exit, _, told) = run(
        &stage,
        &["authorize", "plan.json", "--key", "plan.json", "--yes"],
    );
    assert!(
        exit == 1 && told.contains("the file holds no OpenSSH private key, no PKCS#8 PEM key"),
        "{told}"
    );
}

#[test]
fn help_explains_and_a_wrong_command_line_has_its_exit_code() {
    let stage = Stage::without_ledger();
    let (exit, help, _) = run(&stage, &["--help"]);
    assert_eq!(exit, 0);
    for part in [
        "A dry run",
        "authorize",
        "verify",
        "ledger",
        "keys",
        "Exit codes:",
        "3  refused: nothing was written to GitHub",
    ] {
        assert!(help.contains(part), "{part} in {help}");
    }
    assert_eq!(run(&stage, &["publish"]).0, 2);
    assert_eq!(run(&stage, &[]).0, 2);
    assert_eq!(
        run(&stage, &["--version"]).1,
        concat!("countersign ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn two_approvers_sign_on_two_machines_and_both_are_needed() {
    let stage = approver();
    let folder = stage.folder.path();
    assert_eq!(
        run(
            &stage,
            &[
                "keys",
                "generate",
                "--no-passphrase",
                "--out",
                "second",
                "--name",
                "bob@example.org"
            ]
        )
        .0,
        0
    );
    let keys = ["approver.pub", "second.pub"]
        .map(|name| fs::read_to_string(folder.join(name)).unwrap())
        .concat();
    fs::write(folder.join("keys"), &keys).unwrap();
    let (_, one, _) = run(
        &stage,
        &["authorize", "plan.json", "--key", "approver", "--yes"],
    );
    fs::write(folder.join("one"), &one).unwrap();
    let sign = |receipt: &str, key: &str, keys: &str| {
        run(
            &stage,
            &[
                "sign",
                receipt,
                "--plan",
                "plan.json",
                "--trusted-keys",
                keys,
                "--key",
                key,
                "--yes",
            ],
        )
    };
    let (exit, both, shown) = sign("one", "second", "keys");
    assert_eq!((exit, both.lines().count()), (0, 1), "{shown}");
    for part in [
        "publish_release in octo/hello",
        "signed by     SHA256:",
        "and now by    SHA256:",
        "for run       17231231",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    fs::write(folder.join("both"), &both).unwrap();
    let attempt = stage
        .release()
        .input("trusted-keys", &keys)
        .input("threshold", "2");
    attempt
        .clone()
        .input("receipt", &one)
        .run()
        .refused("threshold_unmet");
    attempt.input("receipt", &both).run().succeeded();
    // Nobody signs twice, nor what no trusted key has signed, nor for another plan.
    let (exit, _, told) = sign("both", "second", "keys");
    assert!(
        exit == 1 && told.contains("this key has signed it already"),
        "{told}"
    );
    let (exit, _, told) = sign("one", "second", "second.pub");
    assert!(
        exit == 3 && told.starts_with("signature_untrusted"),
        "{told}"
    );
    fs::copy(
        stage.release().input("tag-name", "v2.0.0").dry_run().plan(),
        folder.join("plan.json"),
    )
    .unwrap();
    let (exit, _, told) = sign("one", "second", "keys");
    assert!(
        exit == 3 && told.starts_with("operation_mismatch"),
        "{told}"
    );
}

#[test]
fn a_passphrase_is_asked_for_on_the_terminal() {
    let stage = approver();
    let folder = stage.folder.path();
    fs::write(folder.join("sealed"), include_str!("keys/passphrase")).unwrap();
    let answer = |passphrase: &str| {
        let mut child = Command::new("script")
            .args([
                "-qec",
                &format!("{BINARY} authorize plan.json --key sealed --yes"),
                "/dev/null",
            ])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(passphrase.as_bytes())
            .unwrap();
        ended(&child.wait_with_output().unwrap())
    };
    let (exit, shown, _) = answer("correct horse\n");
    assert!(
        exit == 0 && shown.contains("Passphrase of sealed: ") && shown.contains("{\"payload\":"),
        "{shown}"
    );
    let (exit, shown, _) = answer("wrong horse\n");
    assert!(
        exit == 1 && shown.contains("the passphrase does not open the key; nothing was signed"),
        "{shown}"
    );
}

#[test]
fn a_repository_that_is_spelt_wrong_is_a_wrong_command_line_everywhere() {
    let stage = Stage::new();
    for command in [
        &["ledger", "init"][..],
        &["ledger", "show"],
        &["ledger", "verify"],
        &["audit"],
        &["rehearse"],
        &["report", "--out", "page.html"],
        &["plan", "campaign.toml"],
        &["authorize", "--key", "k", "--run", "1"],
    ] {
        let arguments = [command, &["--repository", "octo"]].concat();
        let (exit, _, told) = run(&stage, &arguments);
        assert_eq!(exit, 2, "{command:?}: {told}");
        assert!(told.contains("'octo'"), "{command:?}: {told}");
    }
    assert_eq!(stage.requests(), Vec::<String>::new());
}

#[test]
fn what_is_not_found_is_named_with_the_permission_that_would_show_it() {
    let stage = Stage::new();
    let ask = |token: &str, arguments: &[&str]| {
        let mut command = stage.command(arguments);
        ended(&command.env("GH_TOKEN", token).output().unwrap())
    };
    fs::write(stage.folder.path().join("key"), "").unwrap();
    let authorize = [
        "authorize",
        "--key",
        "key",
        "--repository",
        "octo/hello",
        "--run",
        "99",
    ];
    let reader = stage.sim.token(countersign_sim::Permissions {
        actions: countersign_sim::Access::Read,
        ..countersign_sim::Permissions::read()
    });
    let (exit, _, told) = ask(&reader, &authorize);
    assert_eq!(exit, 1);
    assert!(
        told.contains("GitHub found nothing at /repos/octo/hello/actions/runs/99")
            && told.contains("it needs `actions: read` there"),
        "{told}"
    );

    let show = ["ledger", "show", "--repository", "octo/nowhere"];
    let (exit, _, told) = ask(&reader, &show);
    assert_eq!(exit, 1);
    assert!(
        told.contains("GitHub shows no such repository") && told.contains("octo/nowhere"),
        "{told}"
    );

    let (exit, _, told) = ask("ghs_nobody", &show);
    assert_eq!(exit, 1);
    assert!(
        told.starts_with(
            "countersign: GitHub does not accept the token: Bad credentials. The token in GH_TOKEN"
        ),
        "{told}"
    );
}
