// Every way of the product that sends REST requests, driven against the simulator; the simulator's transcript has what was said.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { faults } from './sarif.mjs';
import { Proxy, RUN, Simulator, Stage, check, expect, json, succeeded, unprotect, until } from './stage.mjs';

/** A simulator with a ledger and an approver, behind a proxy with these hooks. */
export async function scene(hooks, variables, work) {
  const sim = await Simulator.start(variables);
  const told = { documents: new Set(), ready: false };
  const api = await Proxy.start(sim.api_url, {
    before: (exchange) => {
      if (exchange.path === '/graphql') told.documents.add(JSON.parse(exchange.body).query);
      return told.ready ? hooks.before?.(exchange, sim) : undefined;
    },
    after: (exchange) => {
      const addresses = exchange.answer.body.toString().replaceAll(sim.uploads_url, uploads.url);
      if (exchange.path !== '/graphql') exchange.answer.body = Buffer.from(addresses);
      if (exchange.answer.headers.location) exchange.answer.headers.location = exchange.answer.headers.location.replace(sim.uploads_url, uploads.url);
      return told.ready ? hooks.after?.(exchange, sim) : undefined;
    },
  });
  const uploads = await Proxy.start(sim.uploads_url, hooks);
  const stage = new Stage({ ...sim, api_url: api.url, graphql_url: `${api.url}/graphql`, repository: sim.repository });
  try {
    stage.trusted = await stage.key();
    const owner = await sim.ask('token', { contents: 'write', actions: 'write', administration: 'write' });
    await stage.command(['ledger', 'init', '--repository', sim.repository, '--protect'], owner);
    told.ready = true;
    await work(stage, sim, told);
  } finally {
    api.stop();
    uploads.stop();
    await sim.stop();
  }
  return told;
}

const release = { operation: 'publish_release', 'tag-name': 'v1.0.0', body: 'First.\n' };
const tag = { operation: 'tag_repo', 'tag-name': 'v1.0.0', message: 'Version 1.0.0' };
const pull = { operation: 'open_pr', title: 'Next', 'head-branch': 'next', 'base-branch': 'main', body: 'Text' };

/** Something that happens once. */
export function once(matches, act) {
  let open = true;
  return (exchange, sim) => {
    if (!open || !matches(exchange)) return undefined;
    open = false;
    return act(exchange, sim);
  };
}
export const is = (method, pattern) => (exchange) => exchange.method === method && pattern.test(exchange.path.split('?')[0]);
const held = () => new Promise(() => {});

/** An attempt that is killed while this request is held; then the next attempt of the run. */
export async function resumed(stage, inputs, killing) {
  const first = stage.attempt(inputs);
  await Promise.race([until('the request to hold', () => killing.reached), first.ended.then((ended) => { throw new Error(`not held: ${ended.log}`); })]);
  first.child.kill('SIGKILL');
  await first.ended;
  return stage.act(inputs, { GITHUB_RUN_ATTEMPT: '2' });
}

/** Holds the first request of this kind: before GitHub saw it, or its answer. */
export function holding(method, pattern, answered = false) {
  const killing = { reached: false };
  const hold = once(is(method, pattern), () => {
    killing.reached = true;
    return held();
  });
  return { killing, hooks: answered ? { after: hold } : { before: hold } };
}

export const changed = (exchange, change) => {
  exchange.answer.body = Buffer.from(JSON.stringify(change(JSON.parse(exchange.answer.body))));
};

async function looked(stage, sim) {
  succeeded(await stage.ship(tag));
  stage.file('keys.pub', `${stage.trusted}\n`);
  await stage.command(['ledger', 'verify', '--repository', sim.repository, '--trusted-keys', 'workspace/keys.pub']);
  await stage.command(['ledger', 'show', '--repository', sim.repository]);
}

const attached = { 'attach-receipt': 'true' };

/** The release v1.0.0 against the receipt that it carries. */
async function verified(stage, sim) {
  stage.file('keys.pub', `${stage.trusted}\n`);
  const told = await stage.command(['verify-release', sim.repository, 'v1.0.0', '--trusted-keys', 'workspace/keys.pub']);
  if (!/^ledger +ok: /m.test(told)) throw new Error(told);
}

/** Another run that planned a tag: whoever starts this one is not who asked for it. */
async function plannedElsewhere(stage, sim) {
  const plan = await stage.plan(tag);
  await sim.ask('run', { id: Number(RUN), actor: 'dana' });
  await sim.ask('artifact', { run: Number(RUN), name: 'plan', zip: zip('plan.json', readFileSync(`${stage.workspace}/${plan}`)).toString('base64') });
  return plan;
}

async function dispatched(stage, sim) {
  const plan = await plannedElsewhere(stage, sim);
  await sim.ask('workflow', { file: 'publish.yml', inputs: ['receipt', 'run-id'] });
  const token = await sim.ask('token', { contents: 'write', actions: 'write' });
  await stage.command(['authorize', '--run', RUN, '--repository', sim.repository, '--key', 'alice', '--dispatch', 'publish.yml', '--yes'], token);
  const [dispatch] = await sim.ask('dispatches');
  expect([dispatch.workflow, dispatch.inputs['run-id']], ['publish.yml', RUN], 'the dispatch');
  succeeded(await stage.act({ plan, receipt: dispatch.inputs.receipt, 'run-id': RUN }, { GITHUB_RUN_ID: '99' }));
}

/** Each way, with hooks that happen once. */
const flows = () => ({
  async 'a release without assets'(stage) {
    const out = succeeded(await stage.ship({ ...release, 'release-name': 'One', prerelease: 'true' }));
    expect(out['html-url'], 'https://github.com/octo/hello/releases/tag/v1.0.0', 'the page');
  },
  async 'a release with assets'(stage) {
    stage.file('app.zip', 'abc');
    stage.file('notes.txt', 'text');
    stage.file('program', Buffer.from([0xff, 0xfe]));
    const out = succeeded(await stage.ship({ ...release, files: 'app.zip\nnotes.txt\nprogram', 'make-latest': 'legacy' }));
    expect(JSON.parse(out.assets).length, 3, 'the number of assets');
  },
  async 'a release that carries its receipt'(stage, sim) {
    stage.file('app.zip', 'abc');
    succeeded(await stage.ship({ ...release, files: 'app.zip' }, attached));
    await verified(stage, sim);
  },
  'a release with the receipt of an attempt that was killed': {
    ...holding('PATCH', /releases\/\d+$/),
    async run(stage, sim, killing) {
      stage.file('app.zip', 'abc');
      succeeded(await resumed(stage, { ...(await stage.approved({ ...release, files: 'app.zip' })), ...attached }, killing));
      await verified(stage, sim);
    },
  },
  async 'drafts, with assets and without'(stage) {
    stage.file('app.zip', 'abc');
    succeeded(await stage.ship({ ...release, draft: 'true', files: 'app.zip' }));
    succeeded(await stage.ship({ ...release, 'tag-name': 'v2.0.0', draft: 'true' }));
  },
  async 'names with slashes and signs'(stage, sim) {
    const odd = 'release/1.0+meta#1';
    succeeded(await stage.ship({ ...tag, 'tag-name': odd }));
    await sim.ask('commit', { branch: 'topic/a+b#c', path: 'a.txt', text: 'a' });
    succeeded(await stage.ship({ ...pull, 'head-branch': 'topic/a+b#c' }));
    stage.file('app-1.0+meta@x_y.tar.gz', 'abc');
    succeeded(await stage.ship({ ...release, 'tag-name': odd, files: 'app-1.0+meta@x_y.tar.gz' }));
  },
  'a release that was killed before it was visible': {
    ...holding('PATCH', /releases\/\d+$/),
    async run(stage, sim, killing) {
      stage.file('app.zip', 'abc');
      const inputs = { ...release, 'tag-name': 'rel/1#2', files: 'app.zip' };
      succeeded(await stage.ship({ ...tag, 'tag-name': 'rel/1#2' }));
      succeeded(await resumed(stage, await stage.approved(inputs), killing));
      expect((await sim.ask('releases')).map((one) => one.draft), [false], 'the releases');
    },
  },
  'a release whose publication was not answered': {
    ...holding('PATCH', /releases\/\d+$/, true),
    async run(stage, sim, killing) {
      stage.file('app.zip', 'abc');
      succeeded(await resumed(stage, await stage.approved({ ...release, files: 'app.zip' }), killing));
    },
  },
  'a draft release that was killed': {
    ...holding('POST', /releases$/, true),
    async run(stage, sim, killing) {
      succeeded(await resumed(stage, await stage.approved({ ...release, draft: 'true' }), killing));
    },
  },
  'a draft with a half uploaded asset': (({ killing, hooks }) => ({
    killing,
    hooks: {
      ...hooks,
      // The next attempt is told that the asset is only begun, so it takes it away and uploads it anew.
      after: once((exchange) => killing.reached && is('GET', /releases\/\d+\/assets$/)(exchange), (exchange) => {
        changed(exchange, (assets) => assets.map((asset) => ({ ...asset, state: 'starter' })));
      }),
    },
    async run(stage, sim) {
      stage.file('app.zip', 'abc');
      succeeded(await resumed(stage, await stage.approved({ ...release, files: 'app.zip' }), killing));
    },
  }))(holding('PATCH', /releases\/\d+$/)),
  'an asset that GitHub stored otherwise': {
    hooks: {
      after: once(is('POST', /releases\/\d+\/assets$/), (exchange) => changed(exchange, (asset) => ({ ...asset, digest: `sha256:${'0'.repeat(64)}` }))),
    },
    async run(stage, sim) {
      stage.file('app.zip', 'abc');
      const ended = await stage.ship({ ...release, files: 'app.zip' });
      expect([ended.exit, ended.outputs['error-code']], [1, 'asset_mismatch'], 'the end');
      expect(await sim.ask('releases'), [], 'what is left');
    },
  },
  'assets without digests, read back': {
    hooks: {
      after: (exchange) => {
        if (!/releases/.test(exchange.path) || !/json/.test(exchange.answer.headers['content-type'] ?? '')) return;
        changed(exchange, (body) => JSON.parse(JSON.stringify(body, (name, value) => (name === 'digest' ? null : value))));
      },
    },
    async run(stage) {
      stage.file('app.zip', 'abc');
      succeeded(await stage.ship({ ...release, files: 'app.zip' }));
    },
  },
  async 'a tag'(stage, sim) {
    const out = succeeded(await stage.ship(tag));
    expect(await sim.ask('ref', { name: 'refs/tags/v1.0.0' }), out['tag-sha'], 'the tag');
  },
  'a tag that was killed before its ref': {
    ...holding('POST', /git\/refs$/),
    async run(stage, sim, killing) {
      succeeded(await resumed(stage, await stage.approved(tag), killing));
    },
  },
  'a tag whose ref was not answered': {
    ...holding('POST', /git\/refs$/, true),
    async run(stage, sim, killing) {
      succeeded(await resumed(stage, await stage.approved(tag), killing));
    },
  },
  async 'a pull request with labels and reviewers'(stage, sim) {
    await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
    succeeded(await stage.ship({ ...pull, labels: 'release, new one', reviewers: 'octocat, hubot', draft: 'true' }));
  },
  'a pull request that was killed': {
    ...holding('POST', /\/pulls$/),
    async run(stage, sim, killing) {
      await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
      succeeded(await resumed(stage, await stage.approved(pull), killing));
    },
  },
  'a pull request whose branch moved': {
    hooks: { before: once(is('POST', /\/pulls$/), async (_, sim) => void (await sim.ask('commit', { branch: 'next', path: 'b.txt', text: 'b' }))) },
    async run(stage, sim) {
      await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
      const ended = await stage.ship(pull);
      expect([ended.exit, ended.outputs['error-code']], [1, 'pull_mismatch'], 'the end');
      if (!/it was closed again/.test(ended.log)) throw new Error(ended.log);
      expect((await sim.ask('pulls')).map((one) => one.state), ['closed'], 'the pull requests');
    },
  },
  async 'generated notes'(stage) {
    succeeded(await stage.ship({ ...release, body: '', 'generate-release-notes': 'true' }));
  },
  'the ledger, shown and verified': (stage, sim) => looked(stage, sim),
  'a ledger whose texts GraphQL cuts': {
    hooks: {
      after: (exchange) => {
        if (exchange.path !== '/graphql' || !/LedgerFiles/.test(exchange.body)) return;
        changed(exchange, (body) => JSON.parse(JSON.stringify(body, (name, value) => (name === 'isTruncated' ? true : value))));
      },
    },
    run: (stage, sim) => looked(stage, sim),
  },
  async 'a ledger that grew by more than a page since the approval'(stage, sim) {
    const { plan, receipt } = await stage.approved(tag);
    succeeded(await stage.ship({ ...tag, 'tag-name': 'v0.9.0' }));
    for (let at = 0; at < 100; at += 1) await sim.ask('commit', { branch: 'receipt-ledger', path: 'stray.txt', text: String(at) });
    succeeded(await stage.act({ plan, receipt }));
  },
  async 'a ledger that no rules protect'(stage, sim) {
    await unprotect(sim);
    succeeded(await stage.ship(tag));
  },
  async 'a tag of a commit that listed branches contain'(stage, sim) {
    const sha = await sim.ask('ref', { name: 'refs/heads/main' });
    await sim.ask('set_ref', { name: 'refs/heads/release/1', sha });
    await sim.ask('rules', { branch: 'release/1', rules: ['creation', 'deletion', 'non_fast_forward'] });
    succeeded(await stage.ship(tag, { 'reachable-from': 'stable\nrelease/*' }));
  },
  async 'an audit of what is there'(stage, sim) {
    stage.file('a.txt', 'aaa');
    stage.file('keys.pub', `${stage.trusted}\n`);
    succeeded(await stage.ship({ ...release, files: 'a.txt' }));
    await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
    succeeded(await stage.ship(pull));
    const audit = JSON.parse(await stage.command(['audit', '--repository', sim.repository, '--trusted-keys', 'workspace/keys.pub', '--format', 'json']));
    expect(audit.findings.map((finding) => finding.code), [], 'the findings');
    expect(audit.looked_at, { entries: 4, receipts: 2, releases: 1, tags: 1, pull_requests: 1 }, 'what was looked at');
    await sim.ask('tag', { name: 'v6.6.6', sha: sim.sha });
    const failing = ['audit', '--repository', sim.repository, '--trusted-keys', 'workspace/keys.pub', '--format', 'sarif'];
    const log = JSON.parse(await stage.command(failing, undefined, 5));
    expect([log.runs[0].results.map((result) => result.ruleId), faults(log)], [['tag_without_receipt'], []], 'the SARIF log');
    expect(faults({ ...log, version: '2.0' }).length, 1, 'the number of faults of a log of another version');
  },
  'a run that is authorized and dispatched': (stage, sim) => dispatched(stage, sim),
  // GitHub Enterprise Server up to 3.19; benc-uk/workflow-dispatch#86 has the refusal.
  'a run that is dispatched on a server that knows no return_run_details': {
    hooks: {
      before: (exchange) => {
        if (!is('POST', /dispatches$/)(exchange) || !/return_run_details/.test(exchange.body)) return undefined;
        return json(422, { message: 'Invalid request.\n\n"return_run_details" is not a permitted key.', documentation_url: 'https://docs.github.com', status: '422' });
      },
      after: (exchange) => {
        if (is('POST', /dispatches$/)(exchange) && exchange.answer.status === 200) exchange.answer = { status: 204, headers: {}, body: Buffer.alloc(0) };
      },
    },
    once: true,
    run: (stage, sim) => dispatched(stage, sim),
  },
  async 'a receipt from an approval'(stage, sim) {
    const { plan, receipt } = await stage.approved(tag);
    await sim.ask('run', { id: Number(RUN), actor: 'dana' });
    await sim.ask('review', { run: Number(RUN), reviewer: 'bob', environment: 'release', state: 'approved', comment: receipt });
    succeeded(await stage.act({ plan, 'receipt-from': 'approvals' }));
  },
  async 'a policy that asks who started the other run'(stage, sim) {
    stage.file('policy.toml', [
      'version = 1', '[[rule]]', 'name = "tags"', 'operation = "tag_repo"', `repository = "${sim.repository}"`, `repository_id = ${sim.repository_id}`,
      'tag = "v*"', 'approvers = ["alice"]', 'threshold = 1', 'longest_lifetime = "2h"', 'exclude_requester = true', '',
    ].join('\n'));
    stage.trusted = `${stage.trusted} github:alice-gh`;
    stage.file('keys.pub', `${stage.trusted}\n`);
    const plan = await plannedElsewhere(stage, sim);
    const by = ['--policy', 'workspace/policy.toml', '--trusted-keys', 'workspace/keys.pub'];
    const receipt = (await stage.command(['authorize', `workspace/${plan}`, '--key', 'alice', '--yes', ...by])).trim();
    const digest = createHash('sha256').update(readFileSync(`${stage.workspace}/${plan}`)).digest('hex');
    const inputs = { plan, receipt, 'policy-file': 'policy.toml', 'run-id': RUN, 'plan-digest': `sha256:${digest}` };
    succeeded(await stage.act(inputs, { GITHUB_RUN_ID: '99' }));
  },
  'a campaign that was killed': {
    ...holding('POST', /releases$/),
    async run(stage, sim, killing) {
      await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
      stage.file('campaign.toml', CAMPAIGN);
      const plan = await stage.plan({ campaign: 'campaign.toml' });
      const receipt = (await stage.command(['authorize', `workspace/${plan}`, '--key', 'alice', '--yes'])).trim();
      const ended = await resumed(stage, { plan, receipt }, killing);
      const statuses = JSON.parse(succeeded(ended).results).map((result) => result.status);
      expect(statuses, ['success', 'success', 'success'], 'the results');
    },
  },
});

export const CAMPAIGN = `name = "Version 1"
[[operation]]
id = "tag"
operation = "tag_repo"
tag-name = "v1"
message = "Version 1"
[[operation]]
id = "release"
operation = "publish_release"
needs = ["tag"]
tag-name = "v1"
body = "All new."
[[operation]]
id = "pull"
operation = "open_pr"
needs = ["release"]
title = "After 1"
head-branch = "next"
base-branch = "main"
`;

/** An archive with one file that is stored as it is. */
function zip(name, bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  const common = Buffer.alloc(26);
  common.writeUInt16LE(10, 0);
  common.writeUInt16LE(33, 8);
  common.writeUInt32LE((crc ^ 0xffffffff) >>> 0, 10);
  common.writeUInt32LE(bytes.length, 14);
  common.writeUInt32LE(bytes.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), bytes]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x0a\x00'), common, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06'), end]);
}

/** Drives every way; gives the GraphQL documents that were sent. `after` may change each answer of the simulator; what is to be shown once is left out then. */
export async function drive(title, { transcript, after, only }) {
  const documents = new Set();
  const variables = transcript ? { COUNTERSIGN_SIM_TRANSCRIPT: transcript } : {};
  const ways = flows();
  for (const name of only ?? Object.keys(ways)) {
    const flow = ways[name];
    if (after && flow.once) continue;
    await check(`${title}: ${name}`, async () => {
      const { run = flow, killing, hooks = {} } = flow;
      const changing = {
        before: (exchange, sim) => hooks.before?.(exchange, sim),
        after: async (exchange, sim) => (await after?.(exchange), await hooks.after?.(exchange, sim)),
      };
      const told = await scene(changing, variables, (stage, sim) => run.call(flow, stage, sim, killing));
      told.documents.forEach((document) => documents.add(document));
    });
  }
  return documents;
}
