"""Every workflow of examples/workflows by act, as far as act goes.

act knows no environments: it does not stop before the publish job. So its jobs are run one by one, and the review comes in between. It
knows no permissions either, so each job gets a token with exactly those that it asks for, which the simulator enforces. Concurrency means
nothing to it; the linters look at it.
"""

import base64
import json
import re

import campaign
from front import Front
from stage import ROOT, TRUSTED_KEY, USES, Stage
from verdict import check, holds, same


def run():
    for example in (first_ledger, rehearsal, one_run, two_runs, with_campaign, enterprise_server, weekly_audit):
        with Stage() as stage:
            example(stage)
    with check("every example was run"):
        same(sorted(path.stem for path in ROOT.glob("examples/workflows/*.yml")), sorted(RAN))


RAN = set()


def example(stage, name, **changes):
    """The workflow as somebody would have changed it."""
    RAN.add(name)
    text = (ROOT / f"examples/workflows/{name}.yml").read_text().replace("OWNER/countersign@COMMIT", USES).replace(TRUSTED_KEY, stage.key)
    text = text.replace("OWNER/countersign/setup@COMMIT", USES.replace("@", "/setup@"))
    for old, new in changes.items():
        text = text.replace(old.replace("_", "-"), new)
    return text


def run_job(stage, text, job, **more):
    """Runs a job, and those that it needs, with a token that may do exactly what the job asks for."""
    before, asked = stage.token, permissions(text, job)
    stage.token = stage.ask("token", **{"contents": "none", "pull-requests": "none", "actions": "none", **asked})
    try:
        return stage.act(text, "--job", job, **more)
    finally:
        stage.token = before


def permissions(text, job):
    """The linters see to it that every job has them."""
    block = re.search(rf"^  {job}:\n(?:    .*\n)*?    permissions:\n((?:      .*\n)+)", text, flags=re.MULTILINE)
    return dict(re.findall(r"^      ([a-z-]+): (read|write)\b", block[1], flags=re.MULTILINE))


def alone(text):
    """Its jobs need none before them: those have run, and their artifacts are there."""
    return re.sub(r"^    needs: .*\n", "", text, flags=re.MULTILINE)


def approve(stage, comment, *others):
    """Reviews of the run, as reviewers write them: the receipt does not stand alone in the comment."""
    stage.ask("run", id=17231231, actor="octocat")
    for reviewer, state, text in (*others, ("carol-on-github", "approved", comment)):
        stage.ask("review", run=17231231, reviewer=reviewer, environment="release", state=state, comment=text)


INPUTS = {"tag-name": "v1.0.0", "body": "First.\n\n- with a list"}


def first_ledger(stage):
    text = example(stage, "init")
    stage.git("update-ref", "-d", "refs/heads/receipt-ledger")
    with check("init: the job makes the ledger with `setup`, and tries an append"):
        run = run_job(stage, text, "init").green()
        said = "\n".join(run.lines())
        holds(said, "the branch `receipt-ledger` begins with commit")
        holds(said, "an append was tried: commit")
        same(stage.git("rev-list", "--count", "receipt-ledger").strip(), "2")
    with check("init: run again it is green, and says that the branch exists"):
        holds("\n".join(run_job(stage, text, "init").green().lines()), "the branch `receipt-ledger` exists already")
    with check("init: without contents: write it is red"):
        run_job(stage, text.replace("contents: write", "contents: read"), "init").red()


def rehearsal(stage):
    text = example(stage, "rehearse")
    with check("rehearse: a job with contents: read tries what a dry run relies on, and writes nothing"):
        before = stage.writes()
        holds("\n".join(run_job(stage, text, "read").green().lines()), "absent-file")
        same(stage.writes(), before)


def one_run(stage):
    text = example(stage, "one-run")
    planned = run_job(stage, text, "plan", inputs=INPUTS)
    with check("one-run: the plan job builds, and plans what was built"):
        same(planned.green().jobs, {"build": "success", "plan": "success"})
        operation = json.loads(planned.plan())["operations"][0]["operation"]
        same((operation["tag_name"], operation["body"]), ("v1.0.0", INPUTS["body"]))
        same([asset["name"] for asset in operation["assets"]], ["sources.tar.gz"])
    with check("one-run: the publish job is red before anybody has approved"):
        stage.ask("run", id=17231231, actor="octocat")
        before = stage.writes()
        run_job(stage, alone(text), "publish", inputs=INPUTS).red()
        same(stage.writes(), before)
    with check("one-run: the publish job takes the receipt from the reviewer's comment and publishes"):
        receipt = stage.authorize(planned.plan())
        approve(stage, receipt, ("bob-on-github", "approved", "Looks good to me."), ("dave", "rejected", receipt[:80]))
        shipped = run_job(stage, alone(text), "publish", inputs=INPUTS).green()
        same(shipped.jobs, {"publish": "success"})
        [release] = stage.ask("releases")
        same((release["tag_name"], release["body"]), ("v1.0.0", INPUTS["body"]))
        same(sorted(asset["name"] for asset in release["assets"]), ["countersign-receipt.json", "sources.tar.gz"])
    with check("one-run: who approved is in the record"):
        # The job before it left one too: of the refusal.
        records = {record["status"]: record for record in shipped.records()}
        same(records["rejected_by_auth"]["reviewers"], [])
        holds(records["success"]["reviewers"], "carol-on-github")


def two_runs(stage):
    """The artifact of the other run comes by the public API, from the front: act's own server keeps to one run."""
    planned = run_job(stage, example(stage, "two-runs-plan"), "plan", run=1, inputs=INPUTS)
    with check("two-runs-plan: the run leaves its plan behind"):
        holds(planned.green().plan().decode(), '"run_id":"1"')
    stage.ask("run", id=1, actor="octocat")
    with Front(stage, "two-runs-publish.yml") as front:
        direct, (stage.api, stage.graphql) = (stage.api, stage.graphql), (front.api, f"{front.api}/graphql")
        with check("two-runs: `authorize --run --dispatch` fetches the plan, signs it and starts the other workflow"):
            by = ["--run", "1", "--repository", stage.repository, "--key", "alice", "--yes", "--dispatch", "two-runs-publish.yml"]
            receipt = stage.countersign("authorize", *by).strip()
            [(_, reference, inputs)] = front.dispatched
            same((reference, inputs), ("main", {"receipt": receipt, "run-id": "1"}))
        with check("two-runs-publish: started with exactly these inputs, the other run publishes"):
            run_job(stage, example(stage, "two-runs-publish"), "publish", run=2, inputs=inputs, api=front.api).green()
            same([release["tag_name"] for release in stage.ask("releases")], ["v1.0.0"])
        with check("two-runs-publish: a receipt for another run is refused"):
            planned = run_job(stage, example(stage, "two-runs-plan"), "plan", run=3, inputs={**INPUTS, "tag-name": "v2.0.0"}).green()
            receipt = stage.authorize(planned.plan())
            before = stage.writes()
            run_job(stage, example(stage, "two-runs-publish"), "publish", run=4, inputs={"run-id": "1", "receipt": receipt}, api=front.api).red()
            same(stage.writes(), before)
        stage.api, stage.graphql = direct


def with_campaign(stage):
    """examples/campaign with a repository and keys put in, as the workflow's first lines say."""
    keys = {"alice": stage.key, **{name: stage.generate(name, name) for name in ("bob", "carol")}}
    texts = {path.name: path.read_text() for path in ROOT.glob("examples/campaign/*")}
    policy = texts["policy.toml"].replace("OWNER/NAME", stage.repository).replace("123456", str(stage.repository_id))
    version = texts["version.toml"]
    for name, key in keys.items():
        version = version.replace(f"ssh-ed25519 AAAA… {name}@example.org", key)
    (stage.folder / "version.toml").write_text(version)
    (stage.folder / "policy.toml").write_text(policy)
    stage.commit("next.txt", "next\n", branch="next")
    stage.commit("campaign/campaign.toml", texts["campaign.toml"])
    stage.commit("NOTES.md", "All new.\n")
    root = campaign.sign_trust(stage, policy, "campaign/policy.toml", "campaign/trust.json")
    with check("campaign: the policy has no rule that nobody can satisfy"):
        holds(stage.countersign("policy", "check", "policy.toml", "--trusted-keys", "trust.json"), "with 2 rule(s)")

    text = example(stage, "campaign", TRUST_ROOT=root)
    inputs = {"version": "1.0.0"}
    planned = run_job(stage, text, "plan", inputs=inputs)
    with check("campaign: the plan job plans release and pull request of the version"):
        operations = json.loads(planned.green().plan())["operations"]
        same([(operation["id"], operation["operation"].get("tag_name")) for operation in operations], [("release", "v1.0.0"), ("next", None)])
    # The publish job is run without the one that it needs, whose output it takes.
    text = text.replace("${{ needs.plan.outputs.plan-digest }}", campaign.digest(planned.plan()))
    one, both = campaign.two_signatures(stage, planned.plan())
    with check("campaign: one approver's receipts in the comment are not enough"):
        approve(stage, one)
        before = stage.writes()
        run_job(stage, alone(text), "publish", inputs=inputs).red()
        same(stage.writes(), before)
    with check("campaign: the receipts of two, pasted into the comment, publish everything"):
        approve(stage, both)
        run_job(stage, alone(text), "publish", inputs=inputs).green()
        same([release["tag_name"] for release in stage.ask("releases")], ["v1.0.0"])
        same([pull["title"] for pull in stage.ask("pulls")], ["After 1.0.0"])


def enterprise_server(stage):
    """Here the publish job needs an output of the plan job, so that both run again: the plan is the same, byte for byte."""
    text = example(stage, "ghes")
    planned = run_job(stage, text, "plan", inputs=INPUTS)
    with check("ghes: the plan travels in the summary, and no artifact is uploaded"):
        shown = planned.green().summary("travel").split("```")[1]
        plan = base64.b64decode(shown)
        same(json.loads(plan)["operations"][0]["operation"]["tag_name"], "v1.0.0")
        assert not list(planned.folder.rglob("*.zip")), "an artifact was uploaded"
    with check("ghes: before the approval the job is red, and the record is in the log"):
        stage.ask("run", id=17231231, actor="octocat")
        refused = run_job(stage, text, "publish", inputs=INPUTS).red()
        lines = [line for line in refused.lines() if re.fullmatch(r"[A-Za-z0-9+/]{4,76}={0,2}", line)]
        same(json.loads(base64.b64decode("".join(lines)))["error_code"], refused.outputs("publish", job="publish")["error-code"])
        same(stage.ask("releases"), [])
    with check("ghes: after it the plan from the other job's output is published"):
        approve(stage, stage.authorize(plan))
        run_job(stage, text, "publish", inputs=INPUTS).green()
        same([release["tag_name"] for release in stage.ask("releases")], ["v1.0.0"])


def weekly_audit(stage):
    text = example(stage, "audit")
    stage.commit("release-keys.pub", stage.key + "\n")
    stage.ask("rules", branch="receipt-ledger", rules=["deletion", "non_fast_forward"])
    with check("audit: where all has its receipt the run is green and says so"):
        run = run_job(stage, text, "audit").green()
        # act gives the job a terminal, so the line may go on behind `> `.
        holds("\n".join(run.lines()), "found          nothing: everything has its receipt")
    with check("audit: a tag without a receipt turns the run red, as an annotation"):
        stage.ask("tag", name="v6.6.6", sha=stage.ask("ref", name="refs/heads/main"))
        run = run_job(stage, text, "audit").red()
        holds("\n".join(run.lines()), "tag_without_receipt  tag v6.6.6")
        # Each job of the example sets the program up first, which puts it into PATH.
        commands = [command["command"] for command in run.commands()]
        same([command for command in commands if command != "add-path"], ["error"])
