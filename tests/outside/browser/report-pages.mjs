// Pages made out of a page: data are not a part of what its policy fixes.
import { readFileSync, writeFileSync } from 'node:fs';

const BEGIN = '<script type="application/json" id="data">';
const END = '</script>';

function changed(file, suffix, change) {
  const [before, rest] = readFileSync(file, 'utf8').split(BEGIN);
  const end = rest.indexOf(END);
  const out = file.replace('.html', `${suffix}.html`);
  writeFileSync(out, `${before}${BEGIN}${change(rest.slice(0, end))}${rest.slice(end)}`);
  return out;
}

/** The page with half of its data. */
export const damaged = (file) => changed(file, '-damaged', (data) => data.slice(0, data.length / 2));

/** The page with so many ledger entries, claims and outcomes by turns, made from its first two. */
export function withEntries(file, count) {
  return changed(file, '-large', (data) => {
    const items = JSON.parse(data);
    const templates = items.filter((item) => item.entry).map((item) => item.entry).slice(0, 2);
    const entries = Array.from({ length: count }, (_, at) => ({ entry: entry(templates[at % 2], at) }));
    return JSON.stringify([...entries, items.at(-1)]).replaceAll('<', '\\u003c');
  });
}

const hex = (number) => number.toString(16).padStart(64, '0');

function entry(template, at) {
  const pair = at >> 1;
  const own = { receipt_id: `receipt-${pair}`, operation_id: `op-${pair}`, run: String(20_000_000 + pair), acting_run: String(20_000_000 + pair), operation_digest: `sha256:${hex(pair)}` };
  const place = { sequence: at + 1, digest: `sha256:${hex(1e6 + at)}`, at: new Date(Date.UTC(2026, 0, 1) + at * 60_000).toISOString().replace('.000', '') };
  const operation = template.operation && { ...template.operation, tag_name: `v${pair}.0.0` };
  const terms = template.terms && { ...template.terms, receipt_id: own.receipt_id, run_id: own.run };
  return { ...template, ...own, ...place, ...(operation && { operation, terms }) };
}
