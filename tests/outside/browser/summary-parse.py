"""Markdown to HTML by cmark-gfm, the C library that GitHub itself parses with; reads and prints one JSON text a line."""

import json
import sys

from cmarkgfm.cmark import Options, markdown_to_html_with_extensions

# What GitHub switches on. Sanitising comes after it, as at GitHub: raw HTML passes here.
OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES | Options.CMARK_OPT_GITHUB_PRE_LANG
EXTENSIONS = ["table", "autolink", "strikethrough", "tagfilter", "tasklist"]

for line in sys.stdin:
    print(json.dumps(markdown_to_html_with_extensions(json.loads(line), options=OPTIONS, extensions=EXTENSIONS)), flush=True)
