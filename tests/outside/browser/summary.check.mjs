// Every kind of job summary, rendered as GitHub does: what a person sees of mode, reason, remedy, checks, operation, signers and timeline.
// `SHOTS=FOLDER` keeps pictures; `ONLY=NAME,NAME` looks at these alone.
import { readFileSync } from 'node:fs';
import { check, launch } from './browser.mjs';
import { CASES } from './summary-cases.mjs';
import { GitHub } from './summary-github.mjs';
import { open, photograph, read, skeleton } from './summary-page.mjs';
import { REFUSALS } from './summary-refusals.mjs';
import { APPROVER, RUN, expect, on } from './summary-stage.mjs';

const HOME = 'https://github.com/octo/hello';
const MOST_BYTES = 1024 * 1024;
/** Refusals of which each shows another part of the page. */
const SHOWN = ['mode_violation', 'receipt_missing', 'operation_mismatch', 'receipt_consumed', 'policy_no_rule', 'ledger_rolled_back', 'preflight_release_exists', 'input_unknown', 'nothing_ships'];

const holds = (condition, told) => {
  if (!condition) throw new Error(told);
};
const includes = (text, part) => holds(text?.includes(part), `\`${part}\` is not in \`${text}\``);

/** What is true of every summary. */
function wellFormed(markdown, seen) {
  holds(Buffer.byteLength(markdown) < MOST_BYTES, 'it is larger than GitHub shows');
  expect(seen.hidden, [], 'what is folded away but must be seen');
  expect(seen.wide, [], 'what must be scrolled sideways');
  const raw = /\*\*|\[!|&#?\w+;|<\/?\w+|[|`\\]|\bundefined\b|\bnull\b/.exec(seen.prose);
  holds(!raw, `raw markup is visible: ${seen.prose.slice(Math.max(0, raw?.index - 30), raw?.index + 30)}`);
  // A parser drops cells that are too many and fills up those that are missing, so the source is counted.
  for (const table of markdown.match(/(?:^\|.*\n)+/gm) ?? []) {
    const cells = table.trim().split('\n').map((row) => row.split('|').length);
    expect(new Set(cells).size, 1, `the number of different rows in ${table.slice(0, 80)}`);
  }
  for (const { text, href } of seen.links) holds(href.startsWith(`${HOME}/`) && text, `a link leads to ${href}`);
  for (const row of seen.checks) holds(/^(✅ holds|❌ \w+|➖ open)/.test(row[0]) && row.length >= 2, `a check without a verdict: ${row}`);
}

const KINDS = { Success: 'tip', DryRun: 'note', Refused: 'caution', Failed: 'warning', Unknown: 'warning' };

/** Heading, banner and mode. */
function headed(seen, { heading, kind, banner, alerts = 1 }) {
  expect(seen.heading, heading, 'the heading');
  expect(seen.alerts.length, alerts, 'the number of alerts');
  expect(seen.alerts[0].kind, KINDS[kind], 'the kind of alert');
  for (const part of banner) includes(seen.alerts[0].text, part);
}

function shipped(seen, { heading, banner = [], claim = 1 }) {
  headed(seen, { heading, kind: 'Success', banner: ['PROD — shipped, as approved', `Signed by ${APPROVER}.`, ...banner] });
  expect(seen.titles, ['What GitHub holds', 'Checks: all 20 hold', 'Receipt', 'Timeline'], 'the sections');
  expect([seen.checks.length, seen.checks.every((row) => row[0] === '✅ holds')], [20, true], 'the checks');
  includes(seen.receipt['Signed by'], `${APPROVER} SHA256:`);
  expect(seen.receipt.Run, RUN, 'the run of the receipt');
  expect(seen.timeline.map((step) => /^\w+( \w+)?(?=:| )/.exec(step)[0].split(' ')[0]), ['planned', 'authorized', 'begun', 'receipt', 'outcome', 'ended'], 'the timeline');
  includes(seen.operation.repository, '"octo/hello"');
  const hrefs = seen.links.map((link) => link.href);
  for (const page of [`${HOME}/actions/runs/${RUN}`, `${HOME}/tree/receipt-ledger`, `${HOME}/blob/receipt-ledger/entries/000/00000000${claim}.json`]) holds(hrefs.includes(page), `no link to ${page}`);
}

const EXPECTED = {
  'success-release': (seen) => {
    shipped(seen, { heading: 'Countersign: release v1.0.0 — shipped', banner: [`${HOME}/releases/tag/v1.0.0`] });
    // What GitHub holds, and what was approved.
    expect(seen.assets.length, 2, 'the number of tables of assets');
    expect(seen.assets[0], seen.assets[1], 'what GitHub holds');
    expect(seen.assets[0].map((row) => row.slice(0, 2)), [['SHA256SUMS.txt', '5'], ['countersign-linux.tar.gz', '3'], ['countersign-macos.tar.gz', '4']], 'the assets');
  },
  'success-tag': (seen) => shipped(seen, { heading: 'Countersign: tag v1.0.0 — shipped' }),
  'success-pull': (seen) => shipped(seen, { heading: 'Countersign: pull request next → main — shipped', banner: [`${HOME}/pull/`] }),
  resume: (seen) => shipped(seen, { heading: 'Countersign: release v1.0.0 — shipped', banner: ['An earlier attempt of this run began it'], claim: 2 }),
  'dry-run': (seen) => {
    headed(seen, { heading: 'Countersign: release v1.0.0 — dry run', kind: 'DryRun', banner: ['DRY RUN — nothing was written to GitHub.', 'One operation waits for its approval.', 'What to do:'] });
    expect(seen.titles, ['What would change', 'How to approve it', 'Operation', 'Timeline'], 'the sections');
    expect(seen.command, [`GH_TOKEN=$(gh auth token) countersign authorize \\ --run ${RUN} --repository octo/hello --key release-key --expires-in 1h`], 'the command');
    includes(seen.prose, 'upload asset');
  },
  'dry-run-campaign': (seen) => {
    headed(seen, { heading: 'Countersign: campaign Version 1 — dry run', kind: 'DryRun', banner: ['3 operations wait for their approval; 1 more will not ship.'] });
    expect(seen.titles, ['Why not shipped', 'Operations', 'What would change', 'How to approve it', 'Operation tag', 'Operation release', 'Operation pull', 'Timeline'], 'the sections');
    includes(seen.prose, 'the repository has no commit nowhere (commit_unknown)');
  },
  'campaign-shipped': (seen) => {
    headed(seen, { heading: 'Countersign: campaign Version 1 — shipped', kind: 'Success', banner: ['PROD — all of it shipped, as approved.'] });
    expect(seen.checks.length, 60, 'the checks of three operations');
  },
  'campaign-stopped': (seen) => {
    const banner = ['PROD — 1 of 3 shipped; it stopped at release, and what follows was not begun.', 'Why it stopped: GitHub refused the request', 'tag name is protected', '(github_rejected)', 'What to do: Re-run the job to go on'];
    headed(seen, { heading: 'Countersign: campaign Version 1 — stopped', kind: 'Failed', banner });
    includes(seen.prose, 'not begun');
  },
  'failure-permission': (seen) => failed(seen, 'tag', 'permission_denied', 'Resource not accessible by integration'),
  'failure-asset': (seen) => failed(seen, 'release', 'asset_mismatch', 'but sha256:'),
  unknown: (seen) => {
    const banner = ['PROD — nobody knows yet whether it was done.', 'What is not known: GitHub is unavailable', '(github_unavailable)', 're-run the job'];
    headed(seen, { heading: 'Countersign: tag v1.0.0 — outcome not known', kind: 'Unknown', banner });
  },
};

function failed(seen, kind, code, reason) {
  const banner = ['PROD — failed.', 'What went wrong:', reason, `(${code})`, 'The receipt is spent (ledger entry 1): to try again, approve it again.'];
  headed(seen, { heading: `Countersign: ${kind} v1.0.0 — failed`, kind: 'Failed', banner });
  expect(seen.timeline.at(-1).split(': ')[1], 'failed', 'the end of the timeline');
}

/** A refusal tells its code, why, both sides, and what to do. */
function refused(seen, code, record) {
  holds(/^Countersign: .+ — refused$/.test(seen.heading), `the heading is ${seen.heading}`);
  const plain = (text) => text.replaceAll('`', '').replace(/\s+/g, ' ');
  const banner = [`— refused, nothing was written to GitHub.`, `Why it was not shipped: ${plain(record.error_message)} (${code})`, `What to do: ${plain(record.remedy)}`];
  // A ledger that no rules protect has an alert of its own.
  headed(seen, { heading: seen.heading, kind: 'Refused', banner, alerts: code === 'ledger_unguarded' ? 2 : 1 });
  const broken = record.checks.filter((row) => row.verdict === 'broken');
  expect(seen.checks.length, record.checks.length, 'the number of checks');
  for (const [index, row] of broken.entries()) {
    expect(seen.checks[index][0], `❌ ${row.rule}${row.code}`, 'the verdict');
    expect(seen.checks[index][1], `expected ${plain(row.expected)}found ${plain(row.found)}`, 'both sides');
  }
  expect(seen.timeline.at(-1).split(': ')[1], record.status, 'the end of the timeline');
}

const browser = await launch();
const github = new GitHub();

async function look(name, one) {
  const { run = one, hooks = {} } = one;
  const ended = await on(run, hooks);
  const markdown = ended.summary;
  const html = await github.render(markdown);
  const page = await open(browser, html);
  const seen = await read(page);
  wellFormed(markdown, seen);
  if (EXPECTED[name]) EXPECTED[name](seen);
  else {
    expect([ended.exit, ended.outputs['error-code']], [3, name], 'the end');
    refused(seen, name, JSON.parse(readFileSync(ended.outputs['audit-record'], 'utf8')));
  }
  const other = await open(browser, await github.renderByRemark(markdown));
  expect(await skeleton(other), await skeleton(page), 'what the other parser makes of it');
  if (process.env.SHOTS && (EXPECTED[name] || SHOWN.includes(name))) await photograph(browser, html, name);
  await Promise.all([page.close(), other.close()]);
}

const only = process.env.ONLY?.split(',');
const cases = Object.entries({ ...CASES, ...REFUSALS }).filter(([name]) => !only || only.includes(name));
const next = async () => {
  for (let one = cases.shift(); one; one = cases.shift()) await check(`the summary of ${one[0]}`, () => look(...one));
};
// Most of the time one waits for processes to begin and end.
await Promise.all([next(), next(), next(), next()]);

await check('there is a summary of every refusal', () => {
  const documented = readFileSync('docs/refusals.md', 'utf8').split('## Failures')[0].matchAll(/^\| `(\w+)` \|/gm);
  expect([...documented].map((match) => match[1]).filter((code) => !REFUSALS[code]), [], 'the codes without a case');
});
github.stop();
await browser.close();
