"""Runs the groups of checks, all of them or those that are named, and prints one line for each check."""

import importlib
import sys
import traceback

import verdict

GROUPS = ["kinds", "planted", "hostile", "campaign", "examples", "own", "isolated", "surface"]


def main(names):
    for name in names or GROUPS:
        verdict.group = name
        try:
            importlib.import_module(name).run()
        except Exception as error:
            verdict.failed("goes through to its end", error)
            traceback.print_exc()


main(sys.argv[1:])
