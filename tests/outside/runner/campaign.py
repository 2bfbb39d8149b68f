"""A campaign of every kind under a policy and a trust file: planned by act, approved by two people, published by act."""

import hashlib
import json

from stage import RUN, Stage, attempt, workflow
from verdict import check, holds, same

FILES = {
    "campaign.toml": '''name = "Version 1.0.0"

[variables]
version = "0.0.0"

[[operation]]
id = "tag"
operation = "tag_repo"
tag-name = "docs-{version}"
message = "The documentation of {version}"

[[operation]]
id = "release"
operation = "publish_release"
needs = ["tag"]
tag-name = "v{version}"
body-file = "NOTES.md"
files = ["*.zip"]

[[operation]]
id = "pull"
operation = "open_pr"
needs = ["release"]
title = "After {version}"
head-branch = "next"
''',
    "NOTES.md": "All new.\n",
    "app.zip": "abc",
}
PEOPLE = ("alice", "bob", "carol")
PLAN = attempt(mode="dry_run", campaign="campaign.toml", variables="version=1.0.0", audit_artifact_name="plan")
CHECKOUT = {"uses": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"}


def run():
    with Stage() as stage:
        root = prepare(stage)
        whole_way(stage, root)


def prepare(stage):
    """The files on the default branch, the trust file signed by two; gives its root."""
    stage.commit("next.txt", "next\n", branch="next")
    keys = {"alice": stage.key, **{name: stage.generate(name, name) for name in PEOPLE[1:]}}
    for path, text in FILES.items():
        stage.commit(path, text)
    return trusted(stage, keys, policy(stage), "policy.toml", "trust.json")


def policy(stage):
    subject = {"publish_release": 'tag = "v*"', "tag_repo": 'tag = "docs-*"', "open_pr": 'branch = "main"'}
    rule = '''
[[rule]]
name = "{kind}"
operation = "{kind}"
repository = "{repository}"
repository_id = {id}
{pattern}
approvers = ["alice", "bob", "carol"]
threshold = 2
longest_lifetime = "1h"
exclude_requester = true
'''
    rules = [rule.format(kind=kind, pattern=pattern, repository=stage.repository, id=stage.repository_id) for kind, pattern in subject.items()]
    return "version = 1\n" + "".join(rules)


def trusted(stage, keys, policy, policy_path, trust_path):
    """Puts policy and trust file on the default branch, where the publisher finds them."""
    (stage.folder / "policy.toml").write_text(policy)
    entries = [f'\n[[key]]\nname = "{name}"\nlogin = "{name}-on-github"\nkey = "{key}"\n' for name, key in keys.items()]
    (stage.folder / "version.toml").write_text("version = 1\nthreshold = 2\n" + "".join(entries))
    return sign_trust(stage, policy, policy_path, trust_path)


def sign_trust(stage, policy, policy_path, trust_path):
    half = stage.countersign("trust", "propose", "version.toml", "--policy", "policy.toml", "--key", "alice", "--yes")
    (stage.folder / "half.json").write_text(half)
    whole = stage.countersign("trust", "sign", "half.json", "--key", "bob", "--yes")
    (stage.folder / "trust.json").write_text(whole)
    root = stage.said.rsplit("Its root is ", 1)[1].strip().rstrip(".")
    stage.commit(policy_path, policy)
    stage.commit(trust_path, whole)
    return root


def digest(plan):
    return f"sha256:{hashlib.sha256(plan if isinstance(plan, bytes) else plan.encode()).hexdigest()}"


def two_signatures(stage, plan):
    """Alice's receipts, and the same with Bob's signature too."""
    by = ["--trusted-keys", "trust.json"]
    one = stage.authorize(plan, "--policy", "policy.toml", *by)
    (stage.folder / "one.receipts").write_text(one + "\n")
    return one, stage.countersign("sign", "one.receipts", "--plan", "plan.json", *by, "--key", "bob", "--yes").strip()


def whole_way(stage, root):
    before = stage.writes()
    with check("a dry run plans three operations in the order of what they need, and writes nothing"):
        planned = stage.act(workflow(CHECKOUT, PLAN)).green()
        plan = planned.plan()
        operations = json.loads(plan)["operations"]
        same([operation["id"] for operation in operations], ["tag", "release", "pull"])
        same([operation["operation"].get("tag_name") for operation in operations], ["docs-1.0.0", "v1.0.0", None])
        holds(planned.summary(), "### Operations", "prints 3 receipts, one a line")
        same(stage.writes(), before)
    with check("the output names the plan by the digest of its bytes"):
        same(planned.outputs()["plan-digest"], digest(plan))

    publish = {"mode": "prod", "plan": "plan.json", "plan_digest": digest(plan), "trust_file": "trust.json", "trust_root": root, "policy_file": "policy.toml"}

    def ship(receipts, actor="octocat", run=RUN, nth=1, **more):
        (stage.workspace / "plan.json").write_bytes(plan)
        inputs = {**publish, "receipt": receipts, "audit_artifact_name": "record", **more}
        return stage.act(workflow(CHECKOUT, attempt(**inputs)), actor=actor, run=run, nth=nth, keep_checkout=True)

    one, both = two_signatures(stage, plan)
    with check("one approver is not enough: red, and nothing is written"):
        ship(one).refused("threshold_unmet")
        same(stage.writes(), before)
    with check("who started the run is not counted as an approver: red, and nothing is written"):
        ship(both, actor="bob-on-github").refused("policy_requester_approved")
        same(stage.writes(), before)
    with check("another root of trust is refused, and nothing is written"):
        ship(both, trust_root="sha256:" + "0" * 64).refused("trust_invalid")
        same(stage.writes(), before)

    shipped = ship(both)
    with check("two approvers are: every operation is published, in its order"):
        shipped.green()
        results = json.loads(shipped.outputs()["results"])
        same([(result["id"], result["status"]) for result in results], [("tag", "success"), ("release", "success"), ("pull", "success")])
        holds(stage.git("cat-file", "tag", "docs-1.0.0"), "The documentation of 1.0.0")
        same([(release["tag_name"], release["body"]) for release in stage.ask("releases")], [("v1.0.0", "All new.\n")])
        same([pull["title"] for pull in stage.ask("pulls")], ["After 1.0.0"])
    with check("the artifact holds a record for each operation, and the ledger two entries for each"):
        records = [name for name in shipped.artifact("record") if name.endswith("audit-record.json")]
        same(len(records), 3)
        same([json.loads(shipped.artifact("record")[name])["status"] for name in records], ["success"] * 3)
        verified = stage.countersign("ledger", "verify", "--repository", stage.repository, "--trusted-keys", "trust.json", "--trust-root", root)
        holds(verified, "6 entries")
    with check("the next attempt of this run finds everything done, and nothing is written"):
        before = stage.writes()
        again = ship(both, nth=2).green()
        same([result["status"] for result in json.loads(again.outputs()["results"])], ["success"] * 3)
        same(stage.writes(), before)
    with check("the same receipts in another run publish nothing again"):
        effects = stage.ask("effects")
        ship(both, run=4).refused("run_id_mismatch")
        same((stage.writes(), stage.ask("effects")), (before, effects))
