// Renders a job summary as GitHub does: cmark-gfm, then sanitising, then what GitHub makes of the text that is left.
//
// Where this still differs from GitHub: the schema is rehype-sanitize's copy of GitHub's list. Mentions, issues, commits, emoji and
// formulas are found by patterns of our own which match more than GitHub does, and every name and number counts as one that exists.
// Colours, spacing and icons come from github-markdown-css and Octicons; the page around the summary is left out.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { require } from './browser.mjs';

const load = (name) => import(require.resolve(name));
const { unified } = await load('unified');
const { default: rehypeRaw } = await load('rehype-raw');
const { default: rehypeSanitize, defaultSchema } = await load('rehype-sanitize');
const { default: rehypeStringify } = await load('rehype-stringify');
const { default: remarkParse } = await load('remark-parse');
const { default: remarkGfm } = await load('remark-gfm');
const { default: remarkRehype } = await load('remark-rehype');
const { getAlertIcon } = await load('remark-github-blockquote-alert');

const STYLE = readFileSync(require.resolve('github-markdown-css/github-markdown.css'), 'utf8');
// GitHub keeps the language of a fence on its `pre`.
const schema = { ...defaultSchema, attributes: { ...defaultSchema.attributes, pre: ['lang'] } };

/** Both parsers of GitHub's dialect: its own, which decides how a page looks, and another one that must agree on what is markup. */
export class GitHub {
  constructor() {
    const program = fileURLToPath(new URL('summary-parse.py', import.meta.url));
    this.child = spawn(`${process.env.OUTSIDE}/browser/venv/bin/python`, ['-B', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  stop() {
    this.child.stdin.end();
  }

  /** The HTML of a summary. */
  async render(markdown) {
    this.child.stdin.write(`${JSON.stringify(markdown)}\n`);
    const html = JSON.parse((await this.lines.next()).value);
    return finish({ type: 'root', children: [{ type: 'raw', value: html }] });
  }

  /** The same by the other parser. */
  async renderByRemark(markdown) {
    const parser = unified().use(remarkParse).use(remarkGfm).use(remarkRehype, { allowDangerousHtml: true });
    return finish(await parser.run(parser.parse(markdown)));
  }
}

async function finish(tree) {
  const made = unified().use(rehypeRaw).use(rehypeSanitize, schema).use(() => alerts).use(() => references).use(rehypeStringify);
  return made.stringify(await made.run(tree));
}

/** A page as wide as its window that holds the summary alone. */
export const page = (html) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Summary</title>
<style>${STYLE}
body { margin: 0; background: #fff; } .markdown-body { box-sizing: border-box; padding: 16px; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; } }
</style></head><body><main class="markdown-body">${html}</main></body></html>`;

const element = (tagName, properties, children) => ({ type: 'element', tagName, properties, children });

/** `> [!NOTE]` and its like, where GitHub takes them: in a quotation that stands in nothing else. */
function alerts(root) {
  for (const quote of root.children.filter((node) => node.tagName === 'blockquote')) {
    const first = quote.children.find((node) => node.tagName === 'p');
    const [, kind, rest] = /^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?:\n|$)(.*)$/s.exec(first?.children[0]?.value ?? '') ?? [];
    if (!kind) continue;
    first.children[0].value = rest;
    const word = kind.toLowerCase();
    const { hProperties } = getAlertIcon(word).data;
    const path = element('path', getAlertIcon(word).children[0].data.hProperties, []);
    const name = { type: 'text', value: `${kind[0]}${kind.slice(1).toLowerCase()}` };
    quote.tagName = 'div';
    quote.properties = { className: ['markdown-alert', `markdown-alert-${word}`] };
    quote.children.unshift(element('p', { className: ['markdown-alert-title'] }, [element('svg', hProperties, [path]), name]));
  }
}

/** What GitHub does to text after parsing, when no entity protects anything any more; code and links are left alone. */
const REFERENCES = [
  ['user-mention', /(?<![\w`])@[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][\w-]*)?/gi],
  ['issue-link', /(?<!\w)(?:[\w.-]+(?:\/[\w.-]+)?)?#\d+\b|\bGH-\d+\b/gi],
  ['commit-link', /\b[0-9a-f]{7,40}\b/gi],
  ['emoji', /:[a-z0-9_+-]+:/gi],
  ['math', /\$[^$]+\$/g],
  ['address', /\b(?:https?|ftp):\/\/\S+|\bwww\.\S+|[\w.+-]+@[\w-]+\.\w+/gi],
];

function references(node) {
  if (['a', 'code', 'pre', 'tt', 'svg'].includes(node.tagName)) return;
  node.children = node.children?.flatMap((child) => {
    if (child.type !== 'text') return references(child), [child];
    const found = REFERENCES.flatMap(([name, pattern]) => [...child.value.matchAll(pattern)].map((match) => [name, match])).sort((a, b) => a[1].index - b[1].index)[0];
    if (!found) return [child];
    const [name, { index, 0: text }] = found;
    const rest = { type: 'root', children: [{ type: 'text', value: child.value.slice(index + text.length) }] };
    references(rest);
    const reference = element('a', { className: [name], href: '#' }, [{ type: 'text', value: text }]);
    return [{ type: 'text', value: child.value.slice(0, index) }, reference, ...rest.children];
  });
}
