//! docs/permissions.md: each command works with exactly the permissions that the page names; with
//! one of them a step lower it fails and names the missing one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "functions that tests share fail as loudly as tests"
)]

mod harness;

use std::{fs, io::Write as _};

use countersign_sim::{Access, Permissions};
use harness::{Attempt, RUN, Stage};

use Right::{Actions, Administration, Contents, PullRequests};

/// A key under `permissions:` of a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Contents,
    PullRequests,
    Actions,
    Administration,
}

impl Right {
    const fn name(self) -> &'static str {
        match self {
            Contents => "contents",
            PullRequests => "pull-requests",
            Actions => "actions",
            Administration => "administration",
        }
    }

    /// A message may write the name as workflows do, or as GitHub's headers do.
    fn is_named_in(self, message: &str) -> bool {
        message.replace('_', "-").contains(self.name())
    }
}

type Rights = Vec<(Right, Access)>;

fn token(stage: &Stage, rights: &Rights) -> String {
    let of = |wanted| {
        let found = rights.iter().find(|(right, _)| *right == wanted);
        found.map_or(Access::None, |(_, access)| *access)
    };
    stage.sim.token(Permissions {
        contents: of(Contents),
        pull_requests: of(PullRequests),
        actions: of(Actions),
        administration: of(Administration),
        ..Permissions::none()
    })
}

/// Whether it did what was asked, and what it printed.
struct Ended {
    worked: bool,
    printed: String,
}

/// One row of the page: what is done, and how, with a token.
struct Row {
    what: &'static str,
    run: fn(&Stage, &str) -> Ended,
}

const ROWS: &[Row] = &[
    Row {
        what: "dry run: `publish_release`, `tag_repo`",
        run: |stage, token| both(&dry(stage.tag(), token), &dry(stage.release(), token)),
    },
    Row {
        what: "dry run with `generate-release-notes`",
        run: |stage, token| {
            let notes = stage.release().input("body", "");
            dry(notes.input("generate-release-notes", "true"), token)
        },
    },
    Row {
        what: "dry run: `open_pr`",
        run: |stage, token| dry(stage.pull(), token),
    },
    Row {
        what: "`prod`: `publish_release`, `tag_repo`",
        run: |stage, token| {
            let other = stage.release().input("tag-name", "v2.0.0");
            both(
                &prod(stage.tag().approved(), token),
                &prod(other.approved(), token),
            )
        },
    },
    Row {
        what: "`prod`: `open_pr`",
        run: |stage, token| prod(stage.pull().approved(), token),
    },
    Row {
        what: "`prod` with `receipt-from: approvals`",
        run: |stage, token| {
            let run = RUN.parse().unwrap();
            let receipt = stage.tag().approved().receipt();
            stage.sim.run(run, "octocat", "octocat");
            stage
                .sim
                .review(run, "bob", "release", "approved", &receipt);
            prod(stage.tag().input("receipt-from", "approvals"), token)
        },
    },
    Row {
        what: "`prod` with `run-id` and a policy that excludes the requester",
        run: |stage, token| {
            let rule = stage.policy_for_tags();
            let policy = stage.policy(&rule.replace("requester = false", "requester = true"));
            let attempt = stage.tag().input("run-id", "99").approved();
            stage.sim.run(99, "dana", "dana");
            let digest = store_plan(stage, 99, &attempt);
            let attempt = attempt.input("plan-digest", &digest);
            let keys = format!("{} github:alice-gh", stage.trusted());
            let attempt = attempt.input("policy-file", &policy);
            prod(attempt.input("trusted-keys", &keys), token)
        },
    },
    Row {
        what: "`authorize --run`",
        run: |stage, token| authorize(stage, token, &[]),
    },
    Row {
        what: "`authorize --dispatch`",
        run: |stage, token| {
            stage.sim.workflow("publish.yml", &["receipt", "run-id"]);
            authorize(stage, token, &["--dispatch", "publish.yml"])
        },
    },
    Row {
        what: "`withdraw`",
        run: |stage, token| {
            let generate = [
                "keys",
                "generate",
                "--no-passphrase",
                "--out",
                "alice",
                "--name",
                "alice",
            ];
            assert!(command(stage, token, &generate).worked);
            let plan = stage.tag().dry_run().plan();
            let plan = plan.to_str().unwrap();
            let by = ["--key", "alice", "--yes"];
            let signed = stage
                .command(&[&["authorize", plan], &by[..]].concat())
                .output()
                .unwrap();
            fs::write(stage.folder.path().join("receipt"), signed.stdout).unwrap();
            let words = ["withdraw", "receipt", "--reason", "the wrong build"];
            let keys = ["--trusted-keys", "alice.pub"];
            command(stage, token, &[&words[..], &keys, &by].concat())
        },
    },
    Row {
        what: "`ledger init`",
        run: |stage, token| {
            stage.sim.delete_ref("refs/heads/receipt-ledger");
            command(
                stage,
                token,
                &["ledger", "init", "--repository", "octo/hello"],
            )
        },
    },
    Row {
        what: "`ledger init --protect`",
        run: |stage, token| {
            let words = ["ledger", "init", "--repository", "octo/hello", "--protect"];
            command(stage, token, &words)
        },
    },
    Row {
        what: "`ledger show`, `ledger verify --repository`",
        run: |stage, token| {
            stage.tag().approved().run().succeeded();
            let of = |word| {
                command(
                    stage,
                    token,
                    &["ledger", word, "--repository", "octo/hello"],
                )
            };
            both(&of("show"), &of("verify"))
        },
    },
    Row {
        what: "`audit`",
        run: |stage, token| {
            stage.pull().approved().run().succeeded();
            let words = [
                "audit",
                "--repository",
                "octo/hello",
                "--trusted-keys",
                "keys",
            ];
            command(stage, token, &words)
        },
    },
    Row {
        what: "`verify-release`",
        run: |stage, token| {
            let release = stage.release().input("attach-receipt", "true");
            release.approved().run().succeeded();
            let words = [
                "verify-release",
                "octo/hello",
                "v1.0.0",
                "--trusted-keys",
                "keys",
            ];
            command(stage, token, &words)
        },
    },
];

fn dry(attempt: Attempt<'_>, token: &str) -> Ended {
    prod(attempt.input("mode", "dry_run"), token)
}

fn prod(attempt: Attempt<'_>, token: &str) -> Ended {
    let report = attempt.input("token", token).run();
    Ended {
        worked: report.exit == 0,
        printed: format!("{}\n{}", report.message(), report.log),
    }
}

fn both(one: &Ended, other: &Ended) -> Ended {
    assert_eq!(
        one.worked, other.worked,
        "{}\n{}",
        one.printed, other.printed
    );
    Ended {
        worked: one.worked,
        printed: format!("{}\n{}", one.printed, other.printed),
    }
}

fn command(stage: &Stage, token: &str, words: &[&str]) -> Ended {
    fs::write(stage.folder.path().join("keys"), stage.trusted()).unwrap();
    let output = stage
        .command(words)
        .env("GH_TOKEN", token)
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    Ended {
        // An audit that finds something has worked.
        worked: matches!(output.status.code(), Some(0 | 5)),
        printed: String::from_utf8_lossy(&printed).into_owned(),
    }
}

fn authorize(stage: &Stage, token: &str, more: &[&str]) -> Ended {
    let generate = [
        "keys",
        "generate",
        "--no-passphrase",
        "--out",
        "alice",
        "--name",
        "alice",
    ];
    assert!(command(stage, token, &generate).worked);
    let run = RUN.parse().unwrap();
    stage.sim.run(run, "dana", "dana");
    store_plan(stage, run, &stage.tag());

    let by = ["--repository", "octo/hello", "--key", "alice", "--yes"];
    let words = [&["authorize", "--run", RUN], &by[..], more].concat();
    command(stage, token, &words)
}

/// Stores the plan of an attempt as the artifact of its dry run; returns the plan's digest.
fn store_plan(stage: &Stage, run: u64, attempt: &Attempt<'_>) -> String {
    let planned = attempt.dry_run();
    let plan = fs::read(planned.plan()).unwrap();
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file("plan.json", options).unwrap();
    writer.write_all(&plan).unwrap();
    let archive = writer.finish().unwrap().into_inner();
    stage.sim.artifact(run, "plan", &archive);
    planned.outputs["plan-digest"].clone()
}

/// The first table of the page: what is done, and the least permissions.
fn page() -> Vec<(String, Rights)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/permissions.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, table) = text
        .split_once("## What a command or a job needs\n")
        .unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows = table.lines().skip(2);
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        (cells[1].to_owned(), rights(cells[2]))
    })
    .collect()
}

fn rights(cell: &str) -> Rights {
    let parts = cell.split(", ").map(|part| part.trim_matches('`'));
    parts
        .map(|part| {
            let (name, access) = part.split_once(": ").unwrap();
            let known = [Contents, PullRequests, Actions, Administration];
            let right = known.into_iter().find(|right| right.name() == name);
            let access = match access {
                "read" => Access::Read,
                "write" => Access::Write,
                other => panic!("{other}"),
            };
            (right.unwrap(), access)
        })
        .collect()
}

#[test]
fn every_row_of_the_page_is_tried_here() {
    let mut tried: Vec<&str> = ROWS.iter().map(|row| row.what).collect();
    // GitHub's own action.
    tried.push("`actions/download-artifact` from another run");
    let page = page();
    let mut written: Vec<&str> = page.iter().map(|(what, _)| what.as_str()).collect();
    tried.sort_unstable();
    written.sort_unstable();
    assert_eq!(tried, written);
}

#[test]
fn each_command_works_with_exactly_the_permissions_of_the_page() {
    for (row, rights) in rows() {
        let stage = Stage::new();
        let ended = (row.run)(&stage, &token(&stage, &rights));
        assert!(
            ended.worked,
            "{} with {rights:?}: {}",
            row.what, ended.printed
        );
    }
}

#[test]
fn with_one_permission_a_step_lower_it_names_the_missing_one() {
    for (row, rights) in rows() {
        for lowered in 0..rights.len() {
            let mut less = rights.clone();
            let (right, access) = &mut less[lowered];
            let right = *right;
            *access = match access {
                Access::Write => Access::Read,
                _ => Access::None,
            };
            let stage = Stage::new();
            let ended = (row.run)(&stage, &token(&stage, &less));
            assert!(
                !ended.worked,
                "{} with {less:?}: {}",
                row.what, ended.printed
            );

            // A token without any access does not even see the repository.
            let sees = less.iter().any(|(_, access)| *access != Access::None);
            assert!(
                !sees || right.is_named_in(&ended.printed),
                "{} with {less:?} does not name {right:?}: {}",
                row.what,
                ended.printed
            );
        }
    }
}

fn rows() -> Vec<(&'static Row, Rights)> {
    let page = page();
    let of = |row: &'static Row| {
        let found = page.iter().find(|(what, _)| what == row.what);
        let (_, rights) = found.unwrap_or_else(|| panic!("no row {}", row.what));
        (row, rights.clone())
    };
    ROWS.iter().map(of).collect()
}
