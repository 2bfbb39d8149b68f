"""What an earlier step of the job plants in the environment has no effect on the action's own step."""

import shutil
import subprocess

from stage import COUNTERSIGN, ROOT, Stage, attempt, workflow
from verdict import check, holds, same

# The step after the planting, which shows that what was planted does work where a shell is started.
CONTROL = {"id": "control", "run": "true"}


def run():
    with Stage() as stage:
        signs = stage.folder / "signs"
        signs.mkdir()
        bash_env(stage, signs)
        path(stage, signs)
        preload(stage, signs)
        variables(stage)


def plan_after(stage, *before, **more):
    action = attempt(mode="dry_run", operation="tag_repo", tag_name="docs-1", message="Kept", audit_artifact_name="plan")
    return stage.act(workflow(*before, action, **more))


def planting(file, *lines):
    return {"run": "\n".join(f"printf '%s\\n' '{line}' >>\"${file}\"" for line in lines)}


def seen(signs):
    return sorted(path.name for path in signs.iterdir())


def clear(signs):
    shutil.rmtree(signs)
    signs.mkdir()


def bash_env(stage, signs):
    (stage.folder / "evil.sh").write_text(f'touch {signs}/"bash-$GITHUB_ACTION"\necho "status=success" >>"$GITHUB_OUTPUT"\n')
    with check("BASH_ENV changes a step that starts a shell, and not the action's"):
        done = plan_after(stage, planting("GITHUB_ENV", f"BASH_ENV={stage.folder}/evil.sh"), CONTROL).green()
        assert any("control" in sign for sign in seen(signs)), f"the plant did not work at all: {seen(signs)}"
        same([sign for sign in seen(signs) if "countersign" in sign], [])
        same(done.outputs()["status"], "dry_run")


def path(stage, signs):
    folder = stage.folder / "evil-path"
    folder.mkdir()
    for name in ("true", "bash", "sh", "env", "git", "countersign-Linux-X64"):
        (folder / name).write_text(f"#!/bin/bash\n/usr/bin/touch {signs}/path-{name}\nexec /bin/{name} \"$@\"\n")
        (folder / name).chmod(0o755)
    with check("PATH changes what a shell's step starts, and not the action's"):
        clear(signs)
        done = plan_after(stage, planting("GITHUB_PATH", folder), {"id": "control", "run": "env true"}).green()
        assert "path-env" in seen(signs), f"the plant did not work at all: {seen(signs)}"
        clear(signs)
        plan_after(stage, planting("GITHUB_PATH", folder)).green()
        same(seen(signs), [])
        same(done.outputs()["status"], "dry_run")


def preload(stage, signs):
    """Only a static binary cannot be preloaded: if the one at hand is not, the committed one is tried."""
    source = stage.folder / "evil.c"
    source.write_text(
        "#include <fcntl.h>\n#include <stdlib.h>\n#include <string.h>\n#include <errno.h>\nextern char *program_invocation_short_name;\n"
        f'__attribute__((constructor)) static void planted(void) {{ char sign[400] = "{signs}/preload-";\n'
        "  strncat(sign, program_invocation_short_name, 99); open(sign, O_CREAT | O_WRONLY, 0600); }\n"
    )
    library = stage.folder / "evil.so"
    subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, source], check=True)
    committed = not is_static(COUNTERSIGN)
    if committed:
        shutil.copy(ROOT / "dist/countersign-Linux-X64", stage.action / "dist/countersign-Linux-X64")
    with check(f"LD_PRELOAD gets into every program but {'the binary of dist/' if committed else 'the binary'}"):
        clear(signs)
        done = plan_after(stage, planting("GITHUB_ENV", f"LD_PRELOAD={library}"), CONTROL)
        assert "preload-bash" in seen(signs), f"the plant did not work at all: {seen(signs)}"
        same([sign for sign in seen(signs) if "countersign" in sign], [])
        assert done.outputs()["operation-id"].startswith("op-"), f"the binary did not run: {done.told()}"
        same(committed or done.green().outputs()["status"], committed or "dry_run")
    shutil.copy(COUNTERSIGN, stage.action / "dist/countersign-Linux-X64")


def is_static(binary):
    """Whether the file names no interpreter, by which the loader would come first."""
    headers = subprocess.run(["readelf", "--program-headers", binary], check=True, capture_output=True, text=True).stdout
    return "INTERP" not in headers


def variables(stage):
    with check("COUNTERSIGN_INPUTS, INPUT_MODE and names of other inputs are what action.yml says, not what a step planted"):
        lines = ['COUNTERSIGN_INPUTS={"mode":"prod","tag-name":"evil"}', "INPUT_MODE=prod", "INPUT_TAG-NAME=evil", "INPUT_TAG_NAME=evil"]
        done = plan_after(stage, planting("GITHUB_ENV", *lines)).green()
        same(done.outputs()["status"], "dry_run")
        holds(done.plan().decode(), '"tag_name":"docs-1"')
    with check("the same, planted for the whole job"):
        done = plan_after(stage, env={"COUNTERSIGN_INPUTS": '{"mode":"prod"}', "INPUT_MODE": "prod"}).green()
        same(done.outputs()["status"], "dry_run")
