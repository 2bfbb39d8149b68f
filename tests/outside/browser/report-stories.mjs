// What reports are made of: a simulated repository on which everything happens that a ledger and audit records can tell.
import { readFileSync, readdirSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { scene } from '../github/flows.mjs';
import { begin, expect, json, succeeded, until } from '../github/stage.mjs';

const HOSTILE = [
  '<script>globalThis.pwned = 1</script>', '"><img src=x onerror="globalThis.pwned = 1">', "</script><script>globalThis.pwned = 1</script>", '<!--<script>',
  'javascript:globalThis.pwned=1', '&lt;b&gt; &amp;', '{{data}}{{script}}', "'-globalThis.pwned-'", '\u202egpj.exe', 'a\u200bb\u2028c', 'W'.repeat(3000), '__proto__',
];
/** All of it at once. */
export const hostile = HOSTILE.join(' ');
/** How many ways of breaking out are in it, for the test that each is shown as text. */
export const SCRIPT_TEXT = HOSTILE[0];

const release = (version, more) => ({ operation: 'publish_release', 'tag-name': version, body: `What is new in ${version}.\n`, ...more });
const tag = (name, more) => ({ operation: 'tag_repo', 'tag-name': name, message: `Marks ${name}`, ...more });

const CAMPAIGN = `name = "Spring"
[[operation]]
id = "tag"
operation = "tag_repo"
tag-name = "spring-1"
message = "Spring"
[[operation]]
id = "pull"
operation = "open_pr"
title = "After spring"
head-branch = "not-there"
base-branch = "main"
`;

/** Runs `work` on a stage on which every story was told. `hooks` say what the proxy before GitHub does. */
export async function afterStories(work) {
  const hooks = {};
  await scene(
    { before: (exchange, sim) => hooks.before?.(exchange, sim), after: (exchange, sim) => hooks.after?.(exchange, sim) },
    {},
    async (stage, sim) => {
      stage.hooks = hooks;
      const [alice, bob] = [stage.trusted, await stage.key('bob')];
      await stage.key('mallory');
      stage.trusted = [alice, bob].map((line) => `${line}@example.org`).join('\n');
      writeFileSync(path.join(stage.folder, 'keys.pub'), `${stage.trusted}\n`);
      for (const story of [shipped, planned, refused, broken, interrupted, campaign]) await story(stage, sim);
      await work(stage, sim);
    },
  );
}

const inRun = (run, attempt = '1') => ({ GITHUB_RUN_ID: String(run), GITHUB_RUN_ATTEMPT: attempt });

/** Plans an operation in a run and signs for it. */
async function approved(stage, inputs, run) {
  const plan = await stage.plan(inputs, inRun(run));
  return { plan, receipt: await sign(stage, plan) };
}

const ship = async (stage, inputs, run) => succeeded(await stage.act(await approved(stage, inputs, run), inRun(run)));

async function sign(stage, plan, key = 'alice', ...more) {
  return (await stage.command(['authorize', path.join('workspace', plan), '--key', key, '--yes', ...more])).trim();
}

async function shipped(stage, sim) {
  stage.file('app.tar.gz', 'an archive\n');
  stage.file('notes.txt', 'Notes\n');
  await ship(stage, release('v1.0.0', { files: 'app.tar.gz\nnotes.txt' }), 17231001);
  await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
  await ship(stage, { operation: 'open_pr', title: 'What comes next', 'head-branch': 'next', 'base-branch': 'main', body: 'Please look.', labels: 'enhancement' }, 17231002);
  const plan = await stage.plan(tag('docs-1'), inRun(17231003));
  writeFileSync(path.join(stage.folder, 'one'), await sign(stage, plan));
  const both = (await stage.command(['sign', 'one', '--plan', path.join('workspace', plan), '--trusted-keys', 'keys.pub', '--key', 'bob', '--yes'])).trim();
  succeeded(await stage.act({ plan, receipt: both, threshold: '2' }, inRun(17231003)));
  stage.used = { plan, receipt: both };
}

async function planned(stage) {
  await stage.plan(release('v2.0.0-rc.1', { prerelease: 'true' }), inRun(17300001));
}

/** One attempt for each kind of refusal that a workflow meets. */
async function refused(stage, sim) {
  const plan = await stage.plan(tag('nightly'), inRun(17400001));
  const receipt = await sign(stage, plan);
  const run = inRun(17400001);
  const cases = {
    mode_violation: [{ mode: 'production', plan, receipt }, inRun(17400003)],
    receipt_missing: [{ plan }, run],
    receipt_malformed: [{ plan, receipt: receipt.slice(0, -40) }, run],
    signature_untrusted: [{ plan, receipt: await sign(stage, plan, 'mallory') }, run],
    threshold_unmet: [{ plan, receipt, threshold: '2' }, run],
    advisory_receipt: [{ plan, receipt: await sign(stage, plan, 'alice', '--advisory') }, run],
    run_id_mismatch: [{ plan, receipt }, inRun(17400002)],
    operation_mismatch: [{ ...tag('nightly-2'), receipt }, run],
    receipt_consumed: [stage.used, inRun(17231003, '2')],
  };
  for (const [code, [inputs, variables]] of Object.entries(cases)) {
    const ended = await stage.act(inputs, variables);
    expect([ended.exit, ended.outputs['error-code']], [3, code], code);
  }
}

async function broken(stage) {
  const inputs = await approved(stage, tag('v1.1.0'), 17231004);
  stage.hooks.before = (exchange) => (exchange.method === 'POST' && /git\/tags$/.test(exchange.path) ? json(422, { message: 'Repository rule violations found: tags matching v1.* may be created by maintainers alone.' }) : undefined);
  const ended = await stage.act(inputs, inRun(17231004));
  stage.hooks.before = undefined;
  expect([ended.exit, ended.outputs.status], [1, 'failed'], 'the failure');
}

/** Two attempts that are killed while GitHub holds a request; the first is resumed. */
async function interrupted(stage) {
  for (const [version, run, resumes] of [['v1.2.0', 17231005, true], ['v1.3.0', 17231006, false]]) {
    const inputs = await approved(stage, release(version), run);
    let reached = false;
    stage.hooks.before = (exchange) => {
      if (exchange.method !== 'POST' || !/releases$/.test(exchange.path)) return undefined;
      reached = true;
      return new Promise(() => {});
    };
    const first = stage.attempt(inputs, inRun(run));
    await until('the request to hold', () => reached);
    first.child.kill('SIGKILL');
    await first.ended;
    stage.hooks.before = undefined;
    if (resumes) succeeded(await stage.act(inputs, inRun(run, '2')));
  }
}

async function campaign(stage) {
  stage.file('campaign.toml', CAMPAIGN);
  await stage.plan({ campaign: 'campaign.toml' }, inRun(17500001));
}

/** A release whose every free text is hostile, shipped; and records that somebody wrote hostile texts into. */
export async function hostileEvidence(stage) {
  const mallory = stage.trusted;
  stage.trusted = mallory.split('\n').map((line) => `${line.split(' ').slice(0, 2).join(' ')} ${SCRIPT_TEXT}`).join('\n');
  const text = hostile.replaceAll('\u2028', ' ').replaceAll('\u202e', '').replaceAll('\u200b', '');
  await ship(stage, release('v6.6.6', { 'release-name': text.slice(0, 200), body: text }), 66600001);
  await ship(stage, tag('v6.6.7', { message: text }), 66600002);
  const inputs = await approved(stage, tag('v6.6.8'), 66600003);
  stage.hooks.before = (exchange) => (exchange.method === 'POST' && /git\/tags$/.test(exchange.path) ? json(422, { message: hostile }) : undefined);
  expect((await stage.act(inputs, inRun(66600003))).outputs.status, 'failed', 'the failure');
  stage.hooks.before = undefined;
  stage.trusted = mallory;
  const folder = path.join(stage.folder, 'hostile');
  records(stage.folder).forEach((file, at) => {
    const record = JSON.parse(readFileSync(file, 'utf8'));
    const mark = `\u0000${hostile}`;
    for (const member of ['result', 'error_message', 'error_code', 'remedy', 'mode', 'operation_kind', 'run_id', 'repository']) {
      if (typeof record[member] === 'string' && !(at % 2 && member === 'run_id')) record[member] = mark;
    }
    for (const member of Object.keys(record.github)) record.github[member] = mark;
    for (const check of record.checks) Object.assign(check, { rule: mark, code: mark, expected: mark, found: mark, verdict: [mark, 'constructor', check.verdict][at % 3] });
    for (const signer of record.signers) Object.assign(signer, { name: mark, fingerprint: mark });
    if (record.github_response) Object.assign(record.github_response, { html_url: ['javascript:globalThis.pwned=1', `https://e.example/"onclick=${mark}`, 'data:text/html,x'][at % 3], error_message: mark });
    // Every object has something of this name.
    if (at % 4 === 0) record.mode = 'constructor';
    Object.assign(record, { reviewers: [mark], version: mark, campaign: { name: mark, id: mark, position: 1, operations: 2 } });
    mkdirSync(path.join(folder, String(at)), { recursive: true });
    writeFileSync(path.join(folder, String(at), 'audit-record.json'), `${JSON.stringify(record)}\n`);
  });
  return folder;
}

function records(folder) {
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('audit-record.json')).sort().map((name) => path.join(folder, name));
}

/** Writes a report and gives its path, with how the command ended. */
export async function report(stage, name, args) {
  const out = path.join(stage.folder, name);
  const env = { ...stage.variables(), GH_TOKEN: stage.github.token, HOME: stage.folder };
  const ended = await begin(['report', '--out', out, ...args], { env, cwd: stage.folder }).ended;
  return { ...ended, file: out, url: `file://${out}` };
}
