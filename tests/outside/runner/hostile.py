"""Texts that try to be commands, expressions, scripts or markup are published as they are, and nothing obeys them."""

import os
import tempfile
from pathlib import Path

from stage import Stage, attempt, workflow
from verdict import check, holds, same

# Made by nobody but a shell that takes a text for a script.
MARK = Path(tempfile.gettempdir()) / f"countersign-was-here-{os.getpid()}"
LINES = [
    "::set-output name=status::success",
    "  ::add-mask::octo",
    "##[add-mask]hello",
    "before ##[set-output name=error-code]evil",
    "::stop-commands::pause-logging",
    "status=success",
    "status<<EOF",
    "EOF",
    f"$(touch {MARK}) `touch {MARK}` ; touch {MARK} #",
    "${{ github.token }} ${{ secrets.GITHUB_TOKEN }} $GITHUB_TOKEN %GITHUB_TOKEN% {0}",
    "'single' \"double\" \\backslash\\ \\n \\u0000 %0A %25 %0D",
    "</pre></details><script>alert(1)</script> | a | <!-- ``` --> [x](javascript:alert(1)) ![](http://127.0.0.1/x)",
    "Zürich 東京 😀 e\u0301 \u202edesrever\u202c \u200bzero\u2028line\u2029paragraph \ufeffbom",
    "\ttab at the start, blanks at the end   ",
    "carriage return\r",
    "",
    "the last line",
]
TEXT = "\n".join(LINES)
KNOWN = {
    "status", "error-code", "operation-id", "operation-digest", "plan-digest", "receipt-id", "html-url", "release-id", "tag-sha", "pull-number", "assets",
    "audit-record", "plan", "results", "ledger-sequence", "ledger-digest",
}


def run():
    with Stage() as stage:
        release(stage)
    with Stage() as stage:
        tag(stage)
    with Stage() as stage:
        pull(stage)
    with Stage() as stage:
        refused(stage)
    with check("no shell took any of it for a script"):
        obeyed = MARK.exists()
        MARK.unlink(missing_ok=True)
        assert not obeyed, "a shell ran what stood in a text"


def ship(stage, inputs, **fixed):
    """Dry run, receipt, publication. The texts come as an event's inputs, by expressions, as they do on GitHub."""
    given = {name: f"${{{{ inputs.{name} }}}}" for name in inputs}
    planned = stage.act(workflow(attempt(mode="dry_run", audit_artifact_name="plan", **given, **fixed), inputs=inputs), inputs=inputs).green()
    receipt = stage.authorize(planned.plan())
    commits = {name: stage.ask("ref", name=f"refs/heads/{branch}") for name, branch in COMMITS[fixed["operation"]].items()}
    publish = attempt(mode="prod", receipt=receipt, trusted_keys=stage.key, audit_artifact_name="record", **given, **fixed, **commits)
    return planned, stage.act(workflow(publish, inputs=inputs), inputs=inputs).green()


COMMITS = {"publish_release": {"target_sha": "main"}, "tag_repo": {"target_sha": "main"}, "open_pr": {"head_sha": "next"}}


def nothing_obeyed(stage, *runs, annotations=("notice", "warning")):
    for run in runs:
        for event in run.commands():
            command, value = event["command"], event.get("arg", "")
            assert command in {"add-mask", "set-output", "summary", *annotations}, f"a command was obeyed: {event['msg']!r}"
            assert command != "add-mask" or value == stage.token, f"something was masked: {value!r}"
            assert command != "set-output" or event["name"] in KNOWN, f"an output was added: {event['name']!r}"
        for markup in ("<script", "](javascript:", "![](", "\u202e", "<!--"):
            assert markup not in run.summary(), f"{markup!r} is in the summary"


def release(stage):
    with check("a release's text and title are published as they are"):
        title = '`$(id)` ::error::x ##[error]y "q" \'q\' <b> ${{ 1 }} 東京'
        runs = ship(stage, {"body": TEXT, "release_name": title}, operation="publish_release", tag_name="v1.0.0")
        found = stage.get(f"/repos/{stage.repository}/releases/tags/v1.0.0")
        same(found["body"], TEXT)
        same(found["name"], title)
    with check("nothing in a release's text is obeyed, and the summary shows it as text"):
        nothing_obeyed(stage, *runs)
        same([run.outputs()["status"] for run in runs], ["dry_run", "success"])
        holds(runs[1].summary(), "&#60;script&#62;")


def tag(stage):
    with check("a tag's message is published as it is, and nothing in it is obeyed"):
        runs = ship(stage, {"message": TEXT}, operation="tag_repo", tag_name="docs-1")
        # git keeps a message's bytes, and GitHub those that it is sent.
        same(stage.git("cat-file", "tag", "docs-1").split("\n\n", 1)[1].rstrip("\n"), TEXT.rstrip("\n"))
        nothing_obeyed(stage, *runs)


def pull(stage):
    stage.commit("next.txt", "next\n", branch="next")
    with check("a pull request's text is published as it is, and nothing in it is obeyed"):
        title = "`$(id)` ::error::x ##[error]y <b> ${{ 1 }} 東京"
        runs = ship(stage, {"body": TEXT, "title": title}, operation="open_pr", head_branch="next", base_branch="main")
        found = stage.get(f"/repos/{stage.repository}/pulls/1")
        same((found["title"], found["body"]), (title, TEXT))
        nothing_obeyed(stage, *runs)


def refused(stage):
    for name in ("operation", "tag_name", "receipt", "trusted_keys", "repository", "labels", "max_wait", "plan", "run_id"):
        with check(f"a hostile `{name.replace('_', '-')}` is refused, and told without being obeyed"):
            inputs = {"mode": "prod", "operation": "tag_repo", "tag_name": "docs-1", "receipt": "{}", "trusted_keys": stage.key, name: TEXT}
            given = {name: f"${{{{ inputs.{name} }}}}" for name in inputs}
            run = stage.act(workflow(attempt(audit_artifact_name="record", **given), inputs=inputs), inputs=inputs).red()
            same(run.outputs()["status"], "rejected_by_auth")
            nothing_obeyed(stage, run, annotations=["error"])
