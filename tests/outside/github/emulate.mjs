// Publishes at a GitHub that others wrote: REST goes to emulate; GraphQL, which emulate does not speak, goes to the simulator, where the
// ledger lives. Commits and branches of the simulator are copied to emulate before an attempt.
import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { Proxy, Simulator, Stage, check, expect, json, packageFile, send, succeeded } from './stage.mjs';

const { createEmulator } = await import(pathToFileURL(packageFile('emulate', 'dist/api.js')));

const git = (sim, ...args) => execFileSync('git', ['--git-dir', sim.git_dir, ...args], { encoding: 'utf8' });

/** emulate, filled with the commits and branches of the simulator. */
async function world(work, { hooks = {}, prepare = async () => {} } = {}) {
  const sim = await Simulator.start();
  const proxy = await Proxy.start('', {
    before: (exchange) => {
      exchange.target = exchange.path === '/graphql' ? sim.api_url : `http://127.0.0.1:${port}`;
      return hooks.before?.(exchange);
    },
    after: (exchange) => hooks.after?.(exchange),
  });
  const port = await freePort();
  // emulate writes its own address into answers, so it is told the proxy's.
  const emulator = await createEmulator({
    service: 'github', port, baseUrl: proxy.url,
    seed: {
      tokens: { [sim.token]: { login: 'octo', scopes: ['repo'] } },
      github: { users: [{ login: 'octo' }, { login: 'octocat' }, { login: 'hubot' }], repos: [{ owner: 'octo', name: 'hello' }] },
    },
  });
  const stage = new Stage({ ...sim, api_url: proxy.url, graphql_url: `${proxy.url}/graphql`, repository: sim.repository });
  try {
    const rest = async (method, path, body) => {
      const headers = { authorization: `Bearer ${sim.token}`, 'content-type': 'application/json', 'user-agent': 'check' };
      const answer = await send(proxy.url, { method, path: `/repos/octo/hello${path}`, headers, body: body && JSON.stringify(body) });
      const text = answer.body.toString();
      return { status: answer.status, body: text && JSON.parse(text) };
    };
    stage.trusted = await stage.key();
    await new Stage({ ...sim, graphql_url: `${sim.api_url}/graphql` }).command(['ledger', 'init', '--repository', sim.repository]);
    // emulate has no record of how a branch moved; with rules nobody asks for it.
    await sim.ask('rules', { branch: 'receipt-ledger', rules: ['deletion', 'non_fast_forward'] });
    await prepare(sim);
    await copy(sim, rest);
    proxy.seen.length = 0;
    await work({ stage, sim, rest, proxy });
  } finally {
    await emulator.close();
    proxy.stop();
    await sim.stop();
  }
}

async function freePort() {
  const probe = await Proxy.start('');
  probe.stop();
  return Number(new URL(probe.url).port);
}

/** Copies every commit of the simulator, oldest first: both compute git's own ids, so equal ids mean equal commits. */
async function copy(sim, rest) {
  for (const commit of git(sim, 'rev-list', '--reverse', '--topo-order', '--exclude=receipt-ledger', '--branches').split('\n').filter(Boolean)) {
    const [tree, parents, ...person] = git(sim, 'show', '-s', '--format=%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI', commit).split('\n');
    const files = git(sim, 'ls-tree', '-r', commit).split('\n').filter(Boolean).map((line) => /^(\d+) \w+ (\w+)\t(.*)$/.exec(line).slice(1));
    for (const [, sha] of files) await same(rest, '/git/blobs', { content: git(sim, 'cat-file', 'blob', sha), encoding: 'utf-8' }, sha);
    await same(rest, '/git/trees', { tree: files.map(([mode, sha, path]) => ({ path, mode, type: 'blob', sha })) }, tree);
    const message = git(sim, 'cat-file', 'commit', commit).split('\n\n').slice(1).join('\n\n');
    const who = ([name, email, date]) => ({ name, email, date });
    const body = { message, tree, parents: parents.split(' ').filter(Boolean), author: who(person.slice(0, 3)), committer: who(person.slice(3, 6)) };
    await same(rest, '/git/commits', body, commit);
  }
  for (const line of git(sim, 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads').split('\n').filter(Boolean)) {
    const [ref, sha] = line.split(' ');
    if (ref.endsWith('receipt-ledger')) continue;
    const made = await rest('POST', '/git/refs', { ref, sha });
    if (made.status === 422) await rest('PATCH', `/git/${ref}`, { sha, force: true });
  }
}

async function same(rest, path, body, sha) {
  const made = await rest('POST', path, body);
  expect([made.status, made.body.sha], [201, sha], `emulate's answer to ${path}`);
}

const release = { operation: 'publish_release', 'tag-name': 'v1.0.0', body: 'First.\n' };
const tag = { operation: 'tag_repo', 'tag-name': 'v1.0.0', message: 'Version 1.0.0' };
const pull = { operation: 'open_pr', title: 'Next', 'head-branch': 'next', 'base-branch': 'main', body: 'Text' };
const next = { prepare: (sim) => sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' }) };

/** What emulate leaves out of its world, put right on the wire: without it GitHub's own order of things would not be met. */
function mended(more = {}) {
  const bytes = new Map();
  return {
    before: (exchange) => {
      const stored = exchange.method === 'GET' && exchange.headers.accept === 'application/octet-stream' && bytes.get(exchange.path);
      if (stored) return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: stored };
      return more.before?.(exchange);
    },
    after: async (exchange) => {
      const { method, path, answer } = exchange;
      const made = answer.status < 300 && /json/.test(answer.headers['content-type'] ?? '') && JSON.parse(answer.body);
      if (method === 'POST' && /releases\/\d+\/assets/.test(path)) bytes.set(new URL(made.url).pathname, exchange.body);
      // By its tag a release is found only when it is published.
      if (/releases\/tags\//.test(path) && made?.draft) exchange.answer = json(404, { message: 'Not Found' });
      await more.after?.(exchange, made);
    },
  };
}

/** Publishing creates the tag, and tag objects have git's ids: the simulator, which is asked for tags by GraphQL, is told of both. */
function tagging(sim) {
  const ids = new Map();
  const rewritten = (text, from, to) => [...ids].reduce((text, pair) => text.replaceAll(pair[from], pair[to]), text);
  return {
    before: (exchange) => {
      exchange.path = rewritten(exchange.path, 1, 0);
      if (exchange.path.includes('/git/')) exchange.body = Buffer.from(rewritten(exchange.body.toString(), 1, 0));
      exchange.headers['content-length'] &&= String(exchange.body.length);
    },
    after: async (exchange, made) => {
      const { method, path } = exchange;
      const published = ['POST', 'PATCH'].includes(method) && /releases(\/\d+)?$/.test(path) && made?.draft === false;
      if (published) await sim().ask('tag', { name: made.tag_name, sha: made.target_commitish === 'main' ? sim().sha : made.target_commitish });
      if (method === 'POST' && path.endsWith('/git/tags') && made) {
        const text = `object ${made.object.sha}\ntype ${made.object.type}\ntag ${made.tag}\ntagger A <a@example.org> 0 +0000\n\n${made.message}\n`;
        ids.set(made.sha, execFileSync('git', ['--git-dir', sim().git_dir, 'hash-object', '-t', 'tag', '-w', '--stdin'], { input: text, encoding: 'utf8' }).trim());
      }
      if (path.includes('/git/')) exchange.answer.body = Buffer.from(rewritten(exchange.answer.body.toString(), 0, 1));
      if (method === 'POST' && path.endsWith('/git/refs') && made?.ref?.startsWith('refs/tags/')) {
        await sim().ask('tag', { name: made.ref.slice('refs/tags/'.length), sha: rewritten(made.object.sha, 0, 1) });
      }
    },
  };
}

/** A world in which publishing works as on GitHub. */
function github(work, { before, after, prepare } = {}) {
  let sim;
  const tagged = tagging(() => sim);
  const hooks = mended({
    before: (exchange) => (tagged.before(exchange), before?.(exchange)),
    after: async (exchange, made) => (await tagged.after(exchange, made), await after?.(exchange, made)),
  });
  return world((scene) => work(scene), { hooks, prepare: async (made) => { sim = made; await prepare?.(made); } });
}

const told = (proxy) => proxy.seen.filter(({ path }) => !['/graphql', '/rate_limit'].includes(path)).map(({ method, path, answer }) =>
  `${method} ${path.replace('/repos/octo/hello', '').replace(/[0-9a-f]{40}/g, 'SHA').replace(/(releases|assets|pulls|issues)\/\d+/g, '$1/N')} ${answer.status}`);

async function killed(stage, inputs, hold) {
  const first = stage.attempt(inputs);
  await Promise.race([hold.reached, first.ended.then(({ log }) => { throw new Error(`not held: ${log}`); })]);
  first.child.kill('SIGKILL');
  await first.ended;
  return stage.act(inputs, { GITHUB_RUN_ATTEMPT: '2' });
}

const ours = ({ headers }) => headers['user-agent'].startsWith('countersign/');

function holding(method, pattern) {
  const hold = {};
  hold.reached = new Promise((resolve) => {
    hold.before = (exchange) => {
      if (hold.done || exchange.method !== method || !pattern.test(exchange.path) || !ours(exchange)) return undefined;
      hold.done = true;
      resolve();
      return new Promise(() => {});
    };
  });
  return hold;
}

/** The same question to both; where they differ, the third text says who is right, and why. Without one they agree. */
const QUESTIONS = [
  ['a release without a tag', 'POST /releases', {}, 422],
  ['a draft', 'POST /releases', { tag_name: 'd1', draft: true }, 201],
  ['a draft by its tag', 'GET /releases/tags/d1', , 404, 200, 'the simulator: only published releases are found by tag'],
  ['a second draft of a tag', 'POST /releases', { tag_name: 'd1', draft: true }, 201, 422, 'the simulator: a lost answer and a second try make two drafts'],
  ['a release', 'POST /releases', { tag_name: 'r1' }, 201],
  ['the tag that a release makes', 'GET /git/ref/tags/r1', , 200, 404, 'the simulator: publishing creates the tag if it is missing'],
  ['a second release of a tag', 'POST /releases', { tag_name: 'r1' }, 422],
  ['a too long text', 'POST /releases', { tag_name: 'r2', body: 'x'.repeat(125_001) }, 422, 201, 'the simulator: 125,000 characters at most'],
  ['an unknown make_latest', 'POST /releases', { tag_name: 'r3', make_latest: 'yes' }, 422, 201, 'the simulator: true, false or legacy'],
  ['an upload', 'POST /releases/1/assets?name=a.bin', 'abc', 201],
  ['an upload of the same name', 'POST /releases/1/assets?name=a.bin', 'abc', 422, 201, 'the simulator: already_exists'],
  ['the bytes of an asset', 'BYTES GET /releases/assets/1', , '302 ', '200 {"url', 'the simulator: octet-stream redirects to the bytes'],
  ['deleting an asset', 'DELETE /releases/assets/1', , 204],
  ['deleting it again', 'DELETE /releases/assets/1', , 404],
  ['publishing a draft', 'PATCH /releases/1', { draft: false }, 200],
  ['the published release by its tag', 'GET /releases/tags/d1', , 200],
  ['changing an unknown release', 'PATCH /releases/99', { draft: false }, 404],
  ['deleting an unknown release', 'DELETE /releases/99', , 404],
  ['the latest release', 'GET /releases/latest', , 200],
  ['notes', 'POST /releases/generate-notes', { tag_name: 'r9' }, 200],
  ['a tag object', 'POST /git/tags', { tag: 't1', message: 'm', object: 'MAIN', type: 'commit' }, 201],
  ['a tag object without a message', 'POST /git/tags', { tag: 't1', object: 'MAIN', type: 'commit' }, 422],
  ['a tag object for nothing', 'POST /git/tags', { tag: 't1', message: 'm', object: '1'.repeat(40), type: 'commit' }, 422, 201, 'the simulator: an object must exist'],
  ['a ref', 'POST /git/refs', { ref: 'refs/tags/t2', sha: 'MAIN' }, 201],
  ['a ref that exists', 'TEXT POST /git/refs', { ref: 'refs/tags/t2', sha: 'MAIN' }, '422 Reference already exists'],
  ['a ref to nothing', 'TEXT POST /git/refs', { ref: 'refs/tags/t3', sha: '1'.repeat(40) }, '422 Object does not exist', '422 Invalid sha', 'the simulator: this text was seen'],
  ['a ref without refs/', 'POST /git/refs', { ref: 'tags/t4', sha: 'MAIN' }, 422],
  ['an unknown ref', 'GET /git/ref/tags/t9', , 404],
  ['moving a branch back', 'PATCH /git/refs/heads/next', { sha: 'MAIN' }, 422],
  ['an unknown tag object', `GET /git/tags/${'1'.repeat(40)}`, , 404],
  ['a blob', 'POST /git/blobs', { content: 'YQ==', encoding: 'base64' }, 201],
  ['the same blob', 'FIELD:content GET /git/blobs/2e65efe2a145dda7ee51d1741299f848e5bf752e', , 'YQ=='],
  ['a file', 'FIELD:sha GET /contents/a.txt?ref=next', , '2e65efe2a145dda7ee51d1741299f848e5bf752e'],
  ['an unknown file', 'GET /contents/b.txt', , 404],
  ['a pull request from nowhere', 'POST /pulls', { title: 't', head: 'nowhere', base: 'main' }, 422, 201, 'the simulator: head is invalid'],
  ['a pull request', 'POST /pulls', { title: 't', head: 'next', base: 'main' }, 201],
  ['a second one', 'POST /pulls', { title: 't', head: 'next', base: 'main' }, 422, 201, 'the simulator: a pull request already exists'],
  ['one from a branch to itself', 'POST /pulls', { title: 't', head: 'main', base: 'main' }, 422],
  ['pull requests by head and base', 'COUNT GET /pulls?state=all&head=octo%3Anext&base=main', , 1, 2, 'the simulator: emulate took the second one above'],
  ['labels', 'POST /issues/1/labels', { labels: ['a'] }, 200],
  ['labels of an unknown pull request', 'POST /issues/99/labels', { labels: ['a'] }, 404],
  ['a reviewer', 'POST /pulls/1/requested_reviewers', { reviewers: ['octocat'] }, 201, 200, 'the simulator: 201 is described'],
  ['a stranger as reviewer', 'POST /pulls/1/requested_reviewers', { reviewers: ['stranger'] }, 422],
  ['closing a pull request', 'PATCH /pulls/1', { state: 'closed' }, 200],
  ['a strange state', 'PATCH /pulls/1', { state: 'merged' }, 422, 200, 'the simulator: open or closed'],
  ['closing an unknown one', 'PATCH /pulls/99', { state: 'closed' }, 404],
];

/** Status of the answer, and what else the question is about. */
async function answered(address, uploads, stage, [, question, body]) {
  const [path, method, kind = ''] = question.split(' ').reverse();
  const upload = typeof body === 'string';
  const headers = {
    authorization: `Bearer ${stage.github.token}`, 'user-agent': 'check', accept: kind === 'BYTES' ? 'application/octet-stream' : 'application/vnd.github+json',
    'content-type': upload ? 'application/octet-stream' : 'application/json',
  };
  const text = body === undefined || upload ? body : JSON.stringify(body).replaceAll('"MAIN"', JSON.stringify(stage.github.sha));
  const answer = await send(upload ? uploads : address, { method, path: `/repos/octo/hello${path}`, headers, body: text });
  const found = answer.body.toString();
  if (kind === 'BYTES') return `${answer.status} ${found.slice(0, 5)}`;
  if (kind === 'COUNT') return JSON.parse(found).length;
  if (kind === 'TEXT') return `${answer.status} ${JSON.parse(found).message}`;
  if (kind.startsWith('FIELD:')) return JSON.parse(found)[kind.slice('FIELD:'.length)].trim();
  return answer.status;
}

const ASSETS = [{ name: 'app.zip', size: 3, state: 'uploaded' }, { name: 'notes.txt', size: 5, state: 'uploaded' }];
const assets = (found) => found.map(({ name, size, state }) => ({ name, size, state })).sort((a, b) => (a.name < b.name ? -1 : 1));

export async function judge() {
  await check('emulate: a release without assets', () => github(async ({ stage, rest, proxy }) => {
    const out = succeeded(await stage.ship(release));
    expect(told(proxy), ['POST /releases 201'], 'what was asked');
    const { body } = await rest('GET', '/releases/tags/v1.0.0');
    expect([body.id, body.body, body.draft, body.target_commitish], [Number(out['release-id']), 'First.\n', false, stage.github.sha], 'the release');
  }));
  await check('emulate: a release with assets is a draft until all are there, and published by its number', () => github(async ({ stage, rest, proxy }) => {
    stage.file('app.zip', 'abc');
    stage.file('notes.txt', 'words');
    const out = succeeded(await stage.ship({ ...release, files: 'app.zip\nnotes.txt' }));
    const asked = told(proxy);
    expect([asked[0], asked.at(-1)], ['POST /releases 201', 'PATCH /releases/N 200'], 'the first and the last request');
    expect(asked.slice(1, -1).sort().filter((one, at, all) => one !== all[at - 1]), [
      'GET /releases/N/assets?per_page=100&page=1 200', 'GET /releases/assets/N 200',
      'POST /releases/N/assets?name=app.zip 201', 'POST /releases/N/assets?name=notes.txt 201',
    ], 'what was asked between them');
    const { body } = await rest('GET', `/releases/${out['release-id']}`);
    expect([body.draft, assets(body.assets)], [false, ASSETS], 'the release');
  }));
  await check('emulate: an asset that cannot be read back is not published, and its draft is taken away', () => world(async ({ stage, rest, proxy }) => {
    // No digest, and JSON where the bytes were asked for.
    stage.file('app.zip', 'abc');
    const ended = await stage.ship({ ...release, files: 'app.zip' });
    expect([ended.exit, ended.outputs['error-code']], [1, 'asset_unverified'], 'the end');
    expect((await rest('GET', '/releases')).body, [], 'the releases');
    expect(told(proxy).at(-2), 'DELETE /releases/N 204', 'the last request but mine');
  }));
  await check('emulate: a draft release with assets stays one', () => github(async ({ stage, rest }) => {
    stage.file('app.zip', 'abc');
    const out = succeeded(await stage.ship({ ...release, draft: 'true', files: 'app.zip' }));
    const { body } = await rest('GET', `/releases/${out['release-id']}`);
    expect([body.draft, out['html-url'], assets(body.assets)], [true, '', ASSETS.slice(0, 1)], 'the release');
  }));
  for (const [what, method, pattern] of [['its publication', 'PATCH', /releases\/\d+$/], ['its first upload', 'POST', /assets\?/]]) {
    const hold = holding(method, pattern);
    await check(`emulate: a release that was killed at ${what} is resumed, and there is one`, () => github(async ({ stage, rest }) => {
      stage.file('app.zip', 'abc');
      stage.file('notes.txt', 'words');
      succeeded(await killed(stage, await stage.approved({ ...release, files: 'app.zip\nnotes.txt' }), hold));
      const { body } = await rest('GET', '/releases');
      expect(body.map((one) => [one.draft, assets(one.assets)]), [[false, ASSETS]], 'the releases');
    }, { before: hold.before }));
  }
  await check('emulate: a release whose tag has one by now fails, and says so', () => github(async ({ stage, rest }) => {
    const approved = await stage.approved(release);
    await rest('POST', '/releases', { tag_name: 'v1.0.0' });
    const ended = await stage.act(approved);
    expect([ended.exit, ended.outputs.status, ended.outputs['error-code']], [1, 'failed', 'github_rejected'], 'the end');
    expect((await rest('GET', '/releases')).body.length, 1, 'the number of releases');
  }));
  await check('emulate: generated notes enter the plan', () => github(async ({ stage, rest }) => {
    const out = succeeded(await stage.ship({ ...release, body: '', 'generate-release-notes': 'true' }));
    expect(/Auto-generated release notes/.test((await rest('GET', `/releases/${out['release-id']}`)).body.body), true, 'that the notes are there');
  }));
  await check('emulate: a tag is an object and a ref to it', () => github(async ({ stage, rest, proxy }) => {
    const out = succeeded(await stage.ship(tag));
    expect(told(proxy), ['POST /git/tags 201', 'POST /git/refs 201'], 'what was asked');
    const { object } = (await rest('GET', '/git/ref/tags/v1.0.0')).body;
    expect([object.type, object.sha], ['tag', out['tag-sha']], 'the ref');
    const { body } = await rest('GET', `/git/tags/${object.sha}`);
    expect([body.tag, body.message, body.object.sha], ['v1.0.0', 'Version 1.0.0', stage.github.sha], 'the tag');
  }));
  const ref = holding('POST', /git\/refs$/);
  await check('emulate: a tag that was killed before its ref is resumed', () => github(async ({ stage, rest }) => {
    const out = succeeded(await killed(stage, await stage.approved(tag), ref));
    expect((await rest('GET', '/git/ref/tags/v1.0.0')).body.object.sha, out['tag-sha'], 'the ref');
  }, { before: ref.before }));
  let meanwhile;
  const racing = { before: async (exchange) => {
    if (exchange.method === 'POST' && exchange.path.endsWith('/git/refs') && ours(exchange)) await meanwhile?.();
  } };
  await check('emulate: a tag that somebody else set meanwhile is left alone', () => github(async ({ stage, rest }) => {
    const approved = await stage.approved(tag);
    meanwhile = () => rest('POST', '/git/refs', { ref: 'refs/tags/v1.0.0', sha: stage.github.sha });
    const ended = await stage.act(approved);
    expect([ended.exit, ended.outputs.status, ended.outputs['error-code']], [1, 'failed', 'github_rejected'], 'the end');
    expect((await rest('GET', '/git/ref/tags/v1.0.0')).body.object.sha, stage.github.sha, 'the ref');
  }, racing));
  await check('emulate: a pull request with labels and reviewers', () => github(async ({ stage, rest, proxy }) => {
    const out = succeeded(await stage.ship({ ...pull, labels: 'release, new one', reviewers: 'octocat, hubot' }));
    expect(told(proxy), ['POST /pulls 201', 'POST /issues/N/labels 200', 'POST /pulls/N/requested_reviewers 200'], 'what was asked');
    const { body } = await rest('GET', `/pulls/${out['pull-number']}`);
    const { body: labels } = await rest('GET', `/issues/${out['pull-number']}/labels`);
    expect([body.title, body.body, body.head.ref, body.base.ref, body.requested_reviewers.map(({ login }) => login)], ['Next', 'Text', 'next', 'main', ['hubot', 'octocat']], 'the pull request');
    expect(labels.map(({ name }) => name).sort(), ['new one', 'release'], 'the labels');
  }, next));
  await check('emulate: a pull request whose branch moved is closed again', () => github(async ({ stage, sim, rest }) => {
    const approved = await stage.approved(pull);
    await sim.ask('commit', { branch: 'next', path: 'b.txt', text: 'b' });
    await copy(sim, rest);
    // The preflight must not see it: the branch moves after it.
    git(sim, 'update-ref', 'refs/heads/next', 'refs/heads/next~1');
    const ended = await stage.act(approved);
    expect([ended.exit, ended.outputs['error-code']], [1, 'pull_mismatch'], 'the end');
    expect((await rest('GET', '/pulls?state=all')).body.map(({ state }) => state), ['closed'], 'the pull requests');
  }, next));
  const opening = holding('POST', /pulls$/);
  await check('emulate: a pull request that was killed is resumed', () => github(async ({ stage, rest }) => {
    succeeded(await killed(stage, await stage.approved(pull), opening));
    expect((await rest('GET', '/pulls')).body.length, 1, 'the number of pull requests');
  }, { ...next, before: opening.before }));
  await check('emulate: the ledger begins with the same tree as at the simulator', () => github(async ({ stage, sim, rest }) => {
    // The trial append is GraphQL, so its commit is the simulator's, and emulate cannot show whether it is signed.
    const init = () => stage.command(['ledger', 'init', '--repository', 'octo/hello'], undefined, 1);
    const first = await init();
    if (!/begins with commit[^]*an append was tried/.test(first)) throw new Error(first);
    const { sha } = (await rest('GET', '/git/ref/heads/receipt-ledger')).body.object;
    const commit = (await rest('GET', `/git/commits/${sha}`)).body;
    const root = git(sim, 'rev-list', '--max-parents=0', 'receipt-ledger').trim();
    expect([commit.tree.sha, commit.parents], [git(sim, 'rev-parse', `${root}^{tree}`).trim(), []], 'the commit');
    if (!/exists already/.test(await init())) throw new Error('made twice');
  }));
}

export async function compare() {
  await world(async ({ stage, sim, proxy }) => {
    for (const question of QUESTIONS) {
      const [what, , , wanted, differs = wanted, why] = question;
      const name = why ? `emulate and the simulator differ, and right is ${why} (${what})` : `emulate and the simulator agree: ${what}`;
      await check(name, async () => {
        const both = [await answered(sim.api_url, sim.uploads_url, stage, question), await answered(proxy.url, proxy.url, stage, question)];
        expect(both, [wanted, differs], 'what the simulator and emulate answered');
      });
    }
  }, next);
}

