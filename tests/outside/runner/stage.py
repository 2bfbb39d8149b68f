"""A simulated GitHub, a copy of the action, people with keys, and act as the runner."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
COUNTERSIGN = Path(os.environ["COUNTERSIGN"])
TOOLS = Path(os.environ["TOOLS"])
# Where the action stands in for `OWNER/countersign@COMMIT`.
USES = "octo/countersign@0123456789012345678901234567890123456789"
TRUSTED_KEY = "ssh-ed25519 AAAA… alice@example.org"
RUN = 17231231


class Simulator:
    """The simulator's program: one command a line, one answer a line."""

    def __init__(self):
        self.process = subprocess.Popen([os.environ["SIMULATOR"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told = json.loads(self.process.stdout.readline())

    def ask(self, do, **more):
        self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


class Stage:
    """One repository with its approvers. Everything lies in one folder, which goes with it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="countersign-runner-"))
        self.simulator = Simulator()
        self.ask = self.simulator.ask
        told = self.simulator.told
        self.repository, self.repository_id, self.git_dir = told["repository"], told["repository_id"], told["git_dir"]
        self.token, self.api, self.graphql = told["token"], told["api_url"], told["graphql_url"]
        self.action = self.folder / "action"
        (self.action / "dist").mkdir(parents=True)
        shutil.copy(ROOT / "action.yml", self.action)
        shutil.copytree(ROOT / "setup", self.action / "setup")
        shutil.copy(COUNTERSIGN, self.action / "dist/countersign-Linux-X64")
        self.workspace = self.folder / "workspace"
        self.key = self.generate("alice", "alice@example.org")
        self.countersign("ledger", "init", "--repository", self.repository)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.simulator.close()
        shutil.rmtree(self.folder)

    def generate(self, file, name):
        return self.countersign("keys", "generate", "--no-passphrase", "--out", file, "--name", name).strip()

    def countersign(self, *arguments, status=0):
        """What a command for people prints; it must end with the status."""
        place = {"GITHUB_API_URL": self.api, "GITHUB_GRAPHQL_URL": self.graphql, "XDG_STATE_HOME": str(self.folder.resolve() / "state")}
        done = subprocess.run([COUNTERSIGN, *arguments], cwd=self.folder, env={"GH_TOKEN": self.token, **place}, capture_output=True, text=True)
        assert done.returncode == status, f"countersign {arguments} ended with {done.returncode}: {done.stderr}"
        self.said = done.stderr
        return done.stdout

    def authorize(self, plan, *more, status=0):
        (self.folder / "plan.json").write_bytes(plan)
        return self.countersign("authorize", "plan.json", "--key", "alice", "--yes", *more, status=status).strip()

    def writes(self):
        return [request for request in self.ask("requests") if request["write"]]

    def get(self, path):
        """What the API tells to whoever looks: not what the publisher told of itself."""
        request = urllib.request.Request(self.api + path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def git(self, *arguments):
        return subprocess.run(["git", "--git-dir", self.git_dir, *arguments], check=True, capture_output=True).stdout.decode()

    def commit(self, path, text, branch="main"):
        return self.ask("commit", branch=branch, path=path, text=text)

    def checkout(self):
        """The default branch as it is now, with the remote by whose name act knows the repository."""
        shutil.rmtree(self.workspace, ignore_errors=True)
        git = ["git", "-c", "advice.detachedHead=false"]
        subprocess.run([*git, "clone", "--quiet", "--branch", "main", self.git_dir, self.workspace], check=True)
        origin = f"https://github.com/{self.repository}.git"
        subprocess.run([*git, "-C", self.workspace, "remote", "set-url", "origin", origin], check=True)

    def act(self, workflow, *more, run=RUN, inputs=None, actor="octocat", api=None, keep_checkout=False, event="workflow_dispatch", nth=1):
        """Runs a workflow, a text or an object (JSON is YAML)."""
        if not keep_checkout:
            self.checkout()
        text = workflow if isinstance(workflow, str) else json.dumps(workflow)
        file = self.folder / "workflow.yml"
        file.write_text(text)
        told = self.folder / "event.json"
        told.write_text(json.dumps({"inputs": inputs or {}}))
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        command = [
            TOOLS / "venv/bin/act", event, "--workflows", file, "--eventpath", told, "--actor", actor, "--json", "--pull=false",
            "--action-offline-mode", "--no-cache-server", "--artifact-server-path", self.folder / "artifacts",
            "--artifact-server-addr", "127.0.0.1", "--artifact-server-port", str(free_port()), "--secret", f"GITHUB_TOKEN={self.token}",
            *[part for label in ("ubuntu-latest", "self-hosted", "linux") for part in ("--platform", f"{label}=-self-hosted")],
            *[part for action in self.stand_ins() for part in ("--local-repository", action)],
            # act sets none of these, or others than GitHub would.
            *[part for pair in self.variables(run, actor, api, nth).items() for part in ("--env", "=".join(pair))],
            *more,
        ]
        environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, cwd=self.workspace, env=environment, capture_output=True, text=True, timeout=120)
        return Run(done, self.folder / "artifacts" / str(run))

    def stand_ins(self):
        places = {USES.partition("@")[0]: self.action}
        places |= {f"actions/{name}": TOOLS / name for name in ("upload-artifact", "download-artifact")}
        files = [ROOT / "action.yml", *ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("examples/workflows/*.yml")]
        used = {f"{name}@{commit}" for file in files for name, commit in re.findall(r"uses: ([^@\s]+)@([0-9a-f]{40})", file.read_text())}
        return [f"{action}={places[name]}" for action in sorted({*used, USES}) if (name := action.partition("@")[0]) in places]

    def variables(self, run, actor, api, nth=1):
        return {
            "GITHUB_API_URL": api or self.api,
            "GITHUB_GRAPHQL_URL": f"{api or self.api}/graphql",
            "GITHUB_RUN_ID": str(run),
            "GITHUB_RUN_ATTEMPT": str(nth),
            "GITHUB_REPOSITORY_ID": str(self.repository_id),
            "GITHUB_TRIGGERING_ACTOR": actor,
            "GITHUB_WORKFLOW_REF": f"{self.repository}/.github/workflows/workflow.yml@refs/heads/main",
        }


class Run:
    """What one run by act told, and left behind."""

    def __init__(self, done, artifacts):
        self.status, self.folder, self.errors = done.returncode, artifacts, done.stderr
        self.events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        self.jobs = {event["jobID"]: event["jobResult"] for event in self.events if "jobResult" in event}

    def told(self):
        """What somebody who looks for a failure needs to see."""
        kinds = ("error", "set-output")
        lines = [event["msg"].strip() for event in self.events if event.get("command") in kinds or event.get("level") == "error"]
        return " | ".join(lines + [self.errors.strip()])[-1500:]

    def green(self):
        assert self.status == 0 and set(self.jobs.values()) == {"success"}, f"the run is not green: {self.jobs} {self.told()}"
        return self

    def red(self):
        assert self.status != 0 and "failure" in self.jobs.values(), f"the run is not red: {self.jobs} {self.told()}"
        return self

    def outputs(self, step="countersign", job=None):
        """The outputs of a step of the workflow, as its later steps get them."""
        of = [event for event in self.events if event.get("command") == "set-output" and event.get("stepID") == [step]]
        return {event["name"]: event["arg"] for event in of if job in (None, event["jobID"])}

    def refused(self, code, step="countersign"):
        found = self.outputs(step)
        assert found.get("error-code") == code, f"expected {code}: {found} {self.told()}"
        return self.red()

    def summary(self, step="countersign"):
        return "".join(event["content"] for event in self.events if event.get("command") == "summary" and event["stepID"][0] == step)

    def lines(self):
        """What the log shows as text; commands are not in it."""
        return [event["msg"].rstrip("\n") for event in self.events if event.get("raw_output")]

    def commands(self):
        return [event for event in self.events if event.get("command")]

    def artifact(self, name):
        """The files of an artifact on the disk of act's artifact server, each with its bytes."""
        with zipfile.ZipFile(archive(self.folder, name)) as unpacked:
            return {member: unpacked.read(member) for member in unpacked.namelist()}

    def plan(self, name="plan"):
        return self.artifact(name)["plan.json"]

    def record(self, name="record"):
        return json.loads(self.artifact(name)["audit-record.json"])

    def records(self):
        """The records of every artifact that was left to its own name."""
        for path in self.folder.rglob("*.zip"):
            with zipfile.ZipFile(path) as unpacked:
                if "countersign-op-" in str(path.relative_to(self.folder)):
                    yield json.loads(unpacked.read("audit-record.json"))


def archive(folder, name):
    found = list(folder.glob(f"{name}/*.zip")) + list(folder.glob(f"{name}.zip"))
    assert len(found) == 1, f"no artifact {name}: there is {[str(path.relative_to(folder)) for path in folder.rglob('*')]}"
    return found[0]


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def workflow(*steps, inputs=(), **more):
    """A workflow of one job, started by hand with these inputs."""
    on = {"workflow_dispatch": {"inputs": {name: {"type": "string"} for name in inputs}}}
    return {"name": "w", "on": on, "jobs": {"job": {"runs-on": "ubuntu-latest", "steps": list(steps), **more}}}


def attempt(id="countersign", **inputs):
    """The step that uses the action; `tag_name` stands for `tag-name`."""
    return {"id": id, "uses": USES, "with": {name.replace("_", "-"): value for name, value in inputs.items()}}
