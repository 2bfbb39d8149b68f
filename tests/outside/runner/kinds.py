"""Each kind of operation from the dry run by act over the approver's signature to the publication by act, and what is refused."""

import json

from stage import Stage, attempt, workflow
from verdict import check, holds, same

FILES = {"run": "mkdir dist; printf 'one\\n' >dist/app.tar.gz; printf 'two\\n' >dist/app.zip"}


def run():
    for kind in KINDS:
        with Stage() as stage:
            whole_way(stage, kind)


def whole_way(stage, kind):
    inputs, exists = KINDS[kind]
    if kind == "open_pr":
        stage.commit("next.txt", "next\n", branch="next")

    before = stage.writes()
    planned = stage.act(workflow(FILES, attempt(mode="dry_run", operation=kind, audit_artifact_name="plan", **inputs)))
    with check(f"{kind}: a dry run is green, tells the way to approve it, and writes nothing to GitHub"):
        planned.green()
        told = planned.outputs()
        same((told["status"], told["error-code"]), ("dry_run", ""))
        holds(planned.summary(), "DRY RUN", "countersign authorize \\", f"--run 17231231 --repository {stage.repository} ", "What would change")
        same(stage.writes(), before)
    with check(f"{kind}: the plan in the artifact is the one that the output names"):
        plan = planned.plan()
        same(json.loads(plan)["operations"][0]["digest"], told["operation-digest"])
        same(json.loads(plan)["run_id"], "17231231")
        same(planned.record("plan")["status"], "dry_run")

    publish = {"mode": "prod", "operation": kind, "trusted_keys": stage.key, "audit_artifact_name": "record", **fixed(stage, inputs)}
    with check(f"{kind}: without a receipt the job is red, says why, and nothing is written"):
        refused = stage.act(workflow(FILES, attempt(**publish))).refused("receipt_missing")
        same(refused.record()["error_code"], "receipt_missing")
        holds(refused.summary(), "receipt&#95;missing", "What to do")
        same(stage.writes(), before)

    receipt = stage.authorize(plan)
    shipped = stage.act(workflow(FILES, attempt(receipt=receipt, **publish)))
    with check(f"{kind}: with the receipt the job is green and GitHub has what was approved"):
        shipped.green()
        same(shipped.outputs()["status"], "success")
        exists(stage, shipped.outputs())
        holds(shipped.summary(), "shipped, as approved", "What GitHub holds")
    with check(f"{kind}: the audit record in the artifact tells the same as the outputs"):
        record, told = shipped.record(), shipped.outputs()
        same(record["status"], "success")
        same((record["operation_id"], record["receipt_id"]), (told["operation-id"], told["receipt-id"]))
        same(record["operation_digest"], json.loads(plan)["operations"][0]["digest"])
        same(record["github"]["workflow"], f"{stage.repository}/.github/workflows/workflow.yml@refs/heads/main")
    with check(f"{kind}: the ledger has claim and outcome, and holds"):
        (stage.folder / "trusted").write_text(stage.key + "\n")
        verified = stage.countersign("ledger", "verify", "--repository", stage.repository, "--trusted-keys", "trusted")
        shown = stage.countersign("ledger", "show", "--repository", stage.repository, "--receipt", told["receipt-id"])
        same(told["ledger-sequence"], "2")
        holds(verified, "2 entries")
        holds(shown, told["receipt-id"], kind)

    before = stage.writes()
    with check(f"{kind}: the same receipt a second time turns the job red, and nothing is written"):
        again = stage.act(workflow(FILES, attempt(receipt=receipt, **publish))).refused("receipt_consumed")
        same(again.outputs()["status"], "rejected_by_auth")
        same(again.record()["error_code"], "receipt_consumed")
        holds(again.summary(), "receipt&#95;consumed")
        same(stage.writes(), before)


def fixed(stage, inputs):
    """In production nothing is looked up: commits are named."""
    head = {"head_sha": stage.ask("ref", name="refs/heads/next"), "base_branch": "main"} if "head_branch" in inputs else {}
    return {**inputs, **head} if head else {**inputs, "target_sha": stage.ask("ref", name="refs/heads/main")}


def release_exists(stage, told):
    [release] = stage.ask("releases")
    same((release["tag_name"], release["draft"], release["body"]), ("v1.0.0", False, "First.\n"))
    same({(asset["name"], asset["size"], asset["state"]) for asset in release["assets"]}, {("app.tar.gz", 4, "uploaded"), ("app.zip", 4, "uploaded")})
    same(stage.ask("ref", name="refs/tags/v1.0.0"), stage.ask("ref", name="refs/heads/main"))
    same(told["release-id"], str(release["id"]))
    same(told["html-url"], stage.get(f"/repos/{stage.repository}/releases/tags/v1.0.0")["html_url"])
    same([asset["name"] for asset in json.loads(told["assets"])], ["app.tar.gz", "app.zip"])


def tag_exists(stage, told):
    same(stage.ask("ref", name="refs/tags/docs-1"), told["tag-sha"])
    holds(stage.git("cat-file", "tag", "docs-1"), f"object {stage.ask('ref', name='refs/heads/main')}\n", "tag docs-1\n", "\n\nFirst edition")


def pull_exists(stage, told):
    same(stage.ask("pulls"), [{"number": int(told["pull-number"]), "state": "open", "title": "What comes next"}])
    pull = stage.get(f"/repos/{stage.repository}/pulls/{told['pull-number']}")
    same((pull["head"]["ref"], pull["base"]["ref"], pull["body"]), ("next", "main", "It comes next.\n"))
    same([label["name"] for label in pull["labels"]], ["enhancement"])
    same(told["html-url"], pull["html_url"])


KINDS = {
    "publish_release": ({"tag_name": "v1.0.0", "body": "First.\n", "files": "dist/*"}, release_exists),
    "tag_repo": ({"tag_name": "docs-1", "message": "First edition"}, tag_exists),
    "open_pr": ({"title": "What comes next", "body": "It comes next.\n", "head_branch": "next", "labels": "enhancement"}, pull_exists),
}
