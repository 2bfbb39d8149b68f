"""How a check is told: `ok NAME`, or `FAIL NAME: why`."""

import contextlib
import sys
import traceback

group = ""


@contextlib.contextmanager
def check(name):
    """What is inside holds, or the check has failed; the next one goes on."""
    try:
        yield
    except Exception as error:
        failed(name, error)
        traceback.print_exc(file=sys.stderr)
    else:
        print(f"ok {group}: {name}", flush=True)


def failed(name, error):
    line = traceback.extract_tb(error.__traceback__)[-1].line
    why = " ".join(f"{type(error).__name__}: {error} (at `{line}`)".split())
    print(f"FAIL {group}: {name}: {why[:1500]}", flush=True)


def same(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def holds(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in {text!r}"
