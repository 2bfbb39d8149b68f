"""The project's own workflows that use the action, by act: the self-test, and the release from the plan on.

Left to GitHub's runner: the ARM64 runner of the self-test, and of the release the build on Debian and the attestation.
"""

import json
import shutil
import subprocess

from examples import alone
from stage import ROOT, Stage, workflow
from verdict import check, holds, same

UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"


def run():
    with Stage() as stage:
        self_test(stage)
    with Stage() as stage:
        release(stage)


def checkout(stage):
    """A checkout that has the action at its top, as the project's has."""
    stage.checkout()
    shutil.copytree(stage.action, stage.workspace, dirs_exist_ok=True)
    shutil.copy(ROOT / "CHANGELOG.md", stage.workspace)


def self_test(stage):
    text = (ROOT / ".github/workflows/self-test.yml").read_text()
    checkout(stage)
    before = stage.writes()
    with check("self-test: the dry run is green, and what must be refused is, for the reason that it names"):
        done = stage.act(text, "--matrix", "runner:ubuntu-latest", "--matrix", "mode:prod", "--matrix", "mode:PROD", keep_checkout=True).green()
        results = [event["jobResult"] for event in done.events if "jobResult" in event]
        same(results, ["success"] * 4)
        same(sorted(path.name.removesuffix(".zip") for path in done.folder.glob("**/*.zip")), sorted(
            f"self-test-{name}" for name in ("ubuntu-latest", "receipt_missing", "receipt_malformed", "mode_violation")))
        same(stage.writes(), before)
    with check("self-test: it is red if a refusal has another reason"):
        stage.act(text.replace("code: receipt_missing", "code: receipt_expired"), "--job", "refuses", keep_checkout=True).red()
    with check("self-test: it is red if the dry run is refused"):
        stage.act(text.replace("mode: dry_run", "mode: dry-run"), "--job", "plans", "--matrix", "runner:ubuntu-latest", keep_checkout=True).red()


def release(stage):
    text = alone((ROOT / ".github/workflows/release.yml").read_text())
    checkout(stage)
    changelog = (stage.workspace / "CHANGELOG.md").read_text()
    part = "\n### Added\n- What is new in this version.\n\n"
    versions = f"## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n{part}## [0.0.9]\n"
    (stage.workspace / "CHANGELOG.md").write_text(changelog.replace("## [Unreleased]\n", versions, 1))
    # What the build job leaves behind, which needs Debian in a container.
    files = "mkdir built; for file in countersign-Linux-X64 countersign-Linux-ARM64 SHA256SUMS build-record.txt; do echo $file >built/$file; done"
    stage.act(workflow({"run": files}, {"uses": UPLOAD, "with": {"name": "built", "path": "built/"}}), keep_checkout=True).green()
    inputs = {"version": "0.1.0"}
    planned = stage.act(text, "--job", "plan", inputs=inputs, keep_checkout=True)
    with check("release: the plan has the changelog's part, and the four files of dist/"):
        operation = json.loads(planned.green().plan())["operations"][0]["operation"]
        same((operation["tag_name"], operation["body"]), ("v0.1.0", part))
        same([asset["name"] for asset in operation["assets"]], ["SHA256SUMS", "build-record.txt", "countersign-Linux-ARM64", "countersign-Linux-X64"])
    with check("release: the publish job publishes it with the receipt from the reviewer's comment"):
        stage.ask("run", id=17231231, actor="octocat")
        receipt = stage.authorize(planned.plan())
        stage.ask("review", run=17231231, reviewer="carol", environment="release", state="approved", comment=receipt)
        stage.act(text, "--job", "publish", "--var", f"TRUSTED_KEYS={stage.key}", inputs=inputs, keep_checkout=True).green()
        [published] = stage.ask("releases")
        same((published["tag_name"], published["body"], len(published["assets"])), ("v0.1.0", part, 4))
    with check("release: a version without a part of the changelog is not planned"):
        stage.act(text, "--job", "plan", inputs={"version": "9.9.9"}, keep_checkout=True).red()
    build(stage, text)


def build(stage, text):
    """The steps before and after the container, as the workflow has them."""
    steps = {name: script(text, name) for name in ("The version is that of the sources and of the changelog", "The same bytes as in dist/")}
    sources = stage.folder / "sources"
    for folder in ("dist", "built"):
        (sources / folder).mkdir(parents=True)
        for file in ("countersign-Linux-X64", "countersign-Linux-ARM64", "SHA256SUMS", "build-record.txt"):
            (sources / folder / file).write_text(file)
    shutil.copy(ROOT / "Cargo.toml", sources)
    shutil.copy(stage.workspace / "CHANGELOG.md", sources)

    def status(name, version="0.1.0"):
        shell = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", steps[name]]
        return subprocess.run(shell, cwd=sources, env={"VERSION": version, "PATH": "/usr/bin:/bin"}, capture_output=True, check=False).returncode

    version, bytes_ = steps
    with check("release: the build goes on only for the version of Cargo.toml, and if the bytes are those of dist/"):
        same((status(version), status(version, "0.1.1"), status(bytes_)), (0, 1, 0))
        (sources / "built/countersign-Linux-ARM64").write_text("other")
        same(status(bytes_), 1)


def script(text, name):
    """The script of a named step, without the blanks before it."""
    block = text.split(f"- name: {name}\n", 1)[1].split("run: |\n", 1)[1]
    lines = []
    for line in block.splitlines():
        if not line.startswith("          "):
            break
        lines.append(line[10:])
    holds("\n".join(lines), "done" if "for " in lines[0] else "grep")
    return "\n".join(lines)
