"""Writes a document again as JSON, with its first required member gone and one more that nobody knows: changed.py FILE CHANGED."""

import json
import sys
import tomllib
from pathlib import Path

text = Path(sys.argv[1]).read_text(encoding="utf-8")
document = tomllib.loads(text) if sys.argv[1].endswith(".toml") else json.loads(text)
del document["name" if "name" in document else next(name for name in document if name != "operation_kind")]
document["unknown_to_the_schema"] = True
Path(sys.argv[2]).write_text(json.dumps(document), encoding="utf-8")
