"""What act is too lax to judge, directly: variables, outputs, the file of outputs, the summary's size, commands in the log, names of inputs."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

import hostile
import rules
from stage import COUNTERSIGN, ROOT, Stage
from verdict import check, holds, same

# docs.github.com, "Variables": default environment variables. What the runner sets for a step, whatever the workflow says.
RUNNER = {
    "CI", "GITHUB_ACTION", "GITHUB_ACTION_PATH", "GITHUB_ACTION_REPOSITORY", "GITHUB_ACTIONS", "GITHUB_ACTOR", "GITHUB_ACTOR_ID",
    "GITHUB_API_URL", "GITHUB_BASE_REF", "GITHUB_ENV", "GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_GRAPHQL_URL", "GITHUB_HEAD_REF",
    "GITHUB_JOB", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_REF", "GITHUB_REF_NAME", "GITHUB_REF_PROTECTED", "GITHUB_REF_TYPE",
    "GITHUB_REPOSITORY", "GITHUB_REPOSITORY_ID", "GITHUB_REPOSITORY_OWNER", "GITHUB_REPOSITORY_OWNER_ID", "GITHUB_RETENTION_DAYS",
    "GITHUB_RUN_ATTEMPT", "GITHUB_RUN_ID", "GITHUB_RUN_NUMBER", "GITHUB_SERVER_URL", "GITHUB_SHA", "GITHUB_STEP_SUMMARY",
    "GITHUB_TRIGGERING_ACTOR", "GITHUB_WORKFLOW", "GITHUB_WORKFLOW_REF", "GITHUB_WORKFLOW_SHA", "GITHUB_WORKSPACE", "RUNNER_ARCH",
    "RUNNER_DEBUG", "RUNNER_ENVIRONMENT", "RUNNER_NAME", "RUNNER_OS", "RUNNER_TEMP", "RUNNER_TOOL_CACHE",
}
# What people set on their own machines, for the commands that are theirs, and administrators of other servers on runners.
PEOPLE = {"GH_TOKEN", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "NODE_EXTRA_CA_CERTS", "XDG_STATE_HOME"}
MIB = 1 << 20


def run():
    with check("every variable that the program reads is set by GitHub's runner, by action.yml, or by people for commands of theirs"):
        variables()
    with Stage() as stage:
        direct = Direct(stage)
        with check("with nothing but what GitHub's runner sets, a dry run succeeds"):
            same(direct.attempt(mode="dry_run", **TAG).status, 0)
        ways = outputs(direct)
        with check("commands in the log are masks and annotations alone, by the runner's own rules"):
            log(ways, stage.token)
        with check("names of inputs are read without regard to case, as GitHub has them"):
            done = direct.attempt(**{"MODE": "dry_run", "Operation": "tag_repo", "TAG-NAME": "v9", "mEsSaGe": "m"})
            same((done.status, done.outputs["status"]), (0, "dry_run"))
            holds(Path(done.outputs["plan"]).read_text(), '"tag_name":"v9"', '"message":"m"')
    with Stage() as stage:
        summary(Direct(stage))


TAG = {"operation": "tag_repo", "tag_name": "docs-1"}


class Direct:
    """The program as action.yml calls it, without a runner around it."""

    def __init__(self, stage):
        self.stage = stage
        self.home = stage.folder / "direct"
        (self.home / "workspace").mkdir(parents=True)

    def attempt(self, **inputs):
        folder = Path(tempfile.mkdtemp(dir=self.home))
        text = (ROOT / "action.yml").read_text().split("\ninputs:\n")[1].split("\noutputs:\n")[0]
        # `toJSON(inputs)` names every input, the absent ones as empty.
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        named = {name.lower() for name in given}
        every = {name: "" for name in re.findall(r"^  ([a-z-]+):$", text, re.MULTILINE) if name not in named}
        every |= {"token": self.stage.token, "upload-audit": "true", **given}
        sha = self.stage.ask("ref", name="refs/heads/main")
        environment = {name: "" for name in RUNNER} | {
            "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "17231231", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_SHA": sha,
            "GITHUB_REPOSITORY": self.stage.repository, "GITHUB_REPOSITORY_ID": str(self.stage.repository_id), "GITHUB_ACTOR": "octocat",
            "GITHUB_TRIGGERING_ACTOR": "octocat", "GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_REF": "refs/heads/main",
            "GITHUB_WORKFLOW_REF": "octo/hello/.github/workflows/w.yml@refs/heads/main", "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_API_URL": self.stage.api, "GITHUB_GRAPHQL_URL": self.stage.graphql, "RUNNER_TEMP": str(folder),
            "GITHUB_WORKSPACE": str(self.home / "workspace"), "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"), "COUNTERSIGN_INPUTS": json.dumps(every, ensure_ascii=False),
        }
        for name in ("output", "summary"):
            (folder / name).touch()
        done = subprocess.run([COUNTERSIGN, "action", folder / "script"], env=environment, cwd=folder, capture_output=True, check=False)
        return Attempt(done, folder)


class Attempt:
    def __init__(self, done, folder):
        self.status, self.log = done.returncode, done.stdout.decode() + done.stderr.decode()
        self.file = (folder / "output").read_bytes().decode()
        self.summary = (folder / "summary").read_bytes()
        self.outputs = rules.outputs(self.file)


def variables():
    """Every text in the sources that looks like the name of a variable; tests, at the end of a file or in one of their own, are left out."""
    found = set()
    sources = {path: path.read_text() for path in ROOT.glob("src/**/*.rs")}
    tests = {path.with_suffix("") / f"{name}.rs" for path, source in sources.items() for name in re.findall(r"#\[cfg\(test\)\]\nmod (\w+);", source)}
    for source in (source for path, source in sources.items() if path not in tests):
        source = source.split("#[cfg(test)]\nmod tests")[0]
        found |= set(re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"', source))
    action = set(re.findall(r"^        ([A-Z_]+): \$\{\{", (ROOT / "action.yml").read_text(), re.MULTILINE))
    same(action, {"COUNTERSIGN_INPUTS"})
    unknown = found - RUNNER - action - PEOPLE - NO_VARIABLES
    assert not unknown, f"these are set by nobody: {sorted(unknown)}"
    assert {"GITHUB_RUN_ID", "RUNNER_TEMP", "COUNTERSIGN_INPUTS"} <= found, "the sources were not read"


# Texts of the same look: one that cargo fills in, and codes of GitHub's.
NO_VARIABLES = {
    "BRANCH_PROTECTION_RULE_VIOLATION", "CARGO_PKG_VERSION", "INSUFFICIENT_SCOPES", "NOT_FOUND", "RATE_LIMIT", "RATE_LIMITED",
    "RESOURCE_LIMITS_EXCEEDED", "STALE_DATA",
}


def outputs(direct):
    """One attempt for each way out that can be had here; every one must write the declared outputs and no other."""
    stage = direct.stage
    declared = (ROOT / "action.yml").read_text().split("\noutputs:\n")[1].split("\nruns:")[0]
    names = re.findall(r"^  ([a-z-]+):$", declared, re.MULTILINE)
    with check("each output of action.yml hands on the step's output of its own name"):
        same(re.findall(r"value: \$\{\{ steps\.countersign\.outputs\.([a-z-]+) \}\}", declared), names)
    planned = direct.attempt(mode="dry_run", message=hostile.TEXT, **TAG)
    receipt = stage.authorize(Path(planned.outputs["plan"]).read_bytes())
    sha = stage.ask("ref", name="refs/heads/main")
    publish = {"mode": "prod", "message": hostile.TEXT, "target_sha": sha, "trusted_keys": stage.key, **TAG}
    ways = {
        "dry run": (planned, 0, "dry_run"),
        "success": (direct.attempt(receipt=receipt, **publish), 0, "success"),
        "refusal": (direct.attempt(receipt=receipt, **publish), 3, "rejected_by_auth"),
        "wrong mode": (direct.attempt(**{**publish, "mode": hostile.TEXT}), 3, "rejected_by_mode"),
        "hostile name": (direct.attempt(mode="dry_run", operation="tag_repo", tag_name=hostile.TEXT), 3, "rejected_by_auth"),
        "unknown input": (direct.attempt(mode="dry_run", **{"tag\n::error::x": "1"}), 3, "rejected_by_auth"),
    }
    for way, (done, status, told) in ways.items():
        with check(f"{way}: the outputs are those of action.yml, in a file that the runner accepts"):
            same((done.status, done.outputs["status"]), (status, told))
            same(sorted(done.outputs), sorted(names))
    return [done for done, _, _ in ways.values()]


def log(ways, token):
    for done in ways:
        for name, properties, data in rules.commands(done.log):
            assert name in {"add-mask", "notice", "warning", "error"}, f"{name} {properties} {data}"
            assert name != "add-mask" or data == token, f"something else is masked: {data}"
            assert name == "add-mask" or properties.startswith("title=Countersign"), f"{name} {properties} {data}"
    assert any(rules.commands(done.log) for done in ways), "no command was found at all"
    same(rules.command("  ::error title=x::y"), ("error", "title=x", "y"))
    same(rules.command("text ##[add-mask]y"), ("add-mask", "", "y"))


def summary(direct):
    """1,000 assets with names of the greatest length, and the longest text, of which every character must be escaped."""
    stage, workspace = direct.stage, direct.home / "workspace"
    (workspace / "NOTES.md").write_text("<" * 125_000)
    for letter in "a_":
        for index in range(1000):
            (workspace / f"{index:04}{letter * 192}.zip").write_text(str(index))
    sha = stage.ask("ref", name="refs/heads/main")

    def of(pattern):
        return {"operation": "publish_release", "tag_name": "v1.0.0", "body_file": "NOTES.md", "files": pattern}

    # An underscore takes five characters in a summary.
    planned = {letter: direct.attempt(mode="dry_run", **of(f"*{letter}.zip")) for letter in "a_"}
    for letter, done in planned.items():
        with check(f"a dry run of 1,000 assets with long names of `{letter}` and 125,000 characters has a summary of at most 1 MiB"):
            same((done.status, done.outputs["status"], done.outputs["error-code"]), (0, "dry_run", ""))
            same(len(json.loads(Path(done.outputs["plan"]).read_bytes())["operations"][0]["operation"]["assets"]), 1000)
            holds(done.summary.decode(), "DRY RUN", "More is left out here")
            fits(done)
    with check("though cut, the summary tells how to approve it"):
        holds(planned["a"].summary.decode(), "countersign authorize \\", "--run ")
    publish = {"mode": "prod", "target_sha": sha, "trusted_keys": stage.key}
    with check("a refusal of the same has one too, and tells what to do"):
        refused = direct.attempt(**publish, **of("*_.zip"))
        same(refused.outputs["error-code"], "receipt_missing")
        holds(refused.summary.decode(), "receipt&#95;missing", "What to do")
        fits(refused)
    with check("more assets than the job's token has requests left are refused before the receipt is spent"):
        before = stage.writes()
        receipt = stage.authorize(Path(planned["_"].outputs["plan"]).read_bytes())
        same(direct.attempt(receipt=receipt, **publish, **of("*_.zip")).outputs["error-code"], "preflight_rate_limit")
        same(stage.writes(), before)
    with check("a publication of 400 of them has a summary of at most 1 MiB, and its outputs name every asset"):
        some = of("0[0-3][0-9][0-9]*_.zip")
        receipt = stage.authorize(Path(direct.attempt(mode="dry_run", **some).outputs["plan"]).read_bytes())
        shipped = direct.attempt(receipt=receipt, **publish, **some)
        same((shipped.status, shipped.outputs["status"], shipped.outputs["error-code"]), (0, "success", ""))
        same(len(json.loads(shipped.outputs["assets"])), 400)
        fits(shipped)
    with check("those outputs stay below what a job may have"):
        # GitHub counts in UTF-16.
        total = sum(len(value.encode("utf-16-le")) for value in shipped.outputs.values())
        assert total <= MIB, f"the outputs have {total} bytes; a job may have {MIB}"


def fits(done):
    assert 0 < len(done.summary) <= MIB, f"the summary has {len(done.summary)} bytes; the runner drops one of more than {MIB}"
