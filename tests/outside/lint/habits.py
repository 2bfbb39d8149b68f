"""What the project asks of a workflow beyond the linters: no permissions at the top, no kept credentials, no expression in a script."""

import sys

from ruamel.yaml import YAML

workflow = YAML(typ="safe").load(open(sys.argv[1], encoding="utf-8"))
problems = []
if workflow.get("permissions") != {}:
    problems.append("its permissions at the top are not {}")
for name, job in workflow["jobs"].items():
    if "permissions" not in job:
        problems.append(f"the job {name} does not say its permissions")
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@") and step.get("with", {}).get("persist-credentials") is not False:
            problems.append(f"a checkout in the job {name} keeps its credentials")
        if "${{" in step.get("run", ""):
            problems.append(f"a script in the job {name} holds an expression")
sys.exit("\n".join(problems) or 0)
