// What the checks share: the simulator and the product as processes, a proxy between them, and the tally of checks.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import http from 'node:http';
import path from 'node:path';

export const installed = createRequire(path.join(process.env.OUTSIDE, 'github', 'package.json'));
export const packageFile = (name, file) => path.join(process.env.OUTSIDE, 'github', 'node_modules', name, file);
export const RUN = '17231231';

let failed = 0;
/** Runs one check and prints its line; what it throws is why it failed, and so is a minute and a half without an end. */
export async function check(name, work) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('it did not end within 90 seconds')), 90_000)));
  try {
    const told = await Promise.race([work(), late]);
    console.log(`ok ${name}${told ? ` (${told})` : ''}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${String(error.message ?? error).replaceAll('\n', ' | ').slice(0, 1500)}`);
  } finally {
    clearTimeout(timer);
  }
}
export const verdict = () => process.exit(failed === 0 ? 0 : 1);

export function expect(found, wanted, what = '') {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what} is ${a}, not ${b}`);
}

export const newFolder = () => mkdtempSync(path.join(process.env.STAGE, 'stage-'));

/** The simulator: one command, one answer. */
export class Simulator {
  static async start(variables = {}) {
    const sim = new Simulator();
    sim.child = spawn(process.env.SIMULATOR, [], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...variables } });
    sim.lines = createInterface({ input: sim.child.stdout })[Symbol.asyncIterator]();
    Object.assign(sim, JSON.parse((await sim.lines.next()).value));
    return sim;
  }

  /** One question after the other: the answers bear no names. */
  ask(what, more = {}) {
    const asked = (this.asked ?? Promise.resolve()).then(() => this.exchange(what, more));
    this.asked = asked.catch(() => {});
    return asked;
  }

  async exchange(what, more) {
    this.child.stdin.write(`${JSON.stringify({ do: what, ...more })}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`the simulator ended at ${what}`);
    return JSON.parse(value);
  }

  /** Ends with its input. */
  async stop() {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.stdin.end();
    await gone;
  }
}

/** Forwards to another server. `before(exchange)` may answer itself; `after(exchange)` may change the answer. */
export class Proxy {
  static async start(target, { before, after } = {}) {
    const proxy = new Proxy();
    Object.assign(proxy, { target, before, after, seen: [] });
    proxy.server = http.createServer((request, response) => proxy.pass(request, response).catch((error) => (console.error(error), response.destroy())));
    await new Promise((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  async pass(request, response) {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const { host, connection, ...headers } = request.headers;
    const exchange = { method: request.method, path: request.url, headers, body: Buffer.concat(pieces) };
    this.seen.push(exchange);
    exchange.answer = (await this.before?.(exchange)) ?? (await send(exchange.target ?? this.target, exchange));
    await this.after?.(exchange);
    const answer = exchange.answer;
    const { 'content-length': _, 'transfer-encoding': __, connection: ___, ...told } = answer.headers;
    // 204 has neither body nor length.
    const length = answer.status === 204 ? {} : { 'content-length': answer.body.length };
    response.writeHead(answer.status, { ...told, ...length }).end(answer.body);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

export function send(target, { method, path, headers, body }) {
  return new Promise((resolve, reject) => {
    const request = http.request(`${target}${path}`, { method, headers, agent: false }, async (response) => {
      const pieces = [];
      for await (const piece of response) pieces.push(piece);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Takes every ruleset away, as an administrator can: nothing protects the ledger's branch then. */
export async function unprotect(sim) {
  const token = await sim.ask('token', { contents: 'write', actions: 'write', administration: 'write' });
  const headers = { authorization: `Bearer ${token}`, 'user-agent': 'check' };
  const path = `/repos/${sim.repository}/rulesets`;
  const listed = await send(sim.api_url, { method: 'GET', path, headers });
  for (const { id } of JSON.parse(listed.body)) await send(sim.api_url, { method: 'DELETE', path: `${path}/${id}`, headers });
}

export const json = (status, value) => ({ status, headers: { 'content-type': 'application/json; charset=utf-8' }, body: Buffer.from(JSON.stringify(value)) });

/** One process of the product; `child` is there to be killed. */
export function begin(args, { env = {}, cwd } = {}) {
  const child = spawn(process.env.COUNTERSIGN, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (text) => (texts.out += text));
  child.stderr.on('data', (text) => (texts.err += text));
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit, signal) => resolve({ exit: exit ?? signal, ...texts, log: texts.out + texts.err }));
  });
  return { child, ended };
}

/** A workspace, an approver's key, and where GitHub is. */
export class Stage {
  constructor(github) {
    this.github = github;
    this.folder = newFolder();
    this.workspace = path.join(this.folder, 'workspace');
    mkdirSync(this.workspace);
    this.attempts = 0;
  }

  file(name, bytes) {
    mkdirSync(path.dirname(path.join(this.workspace, name)), { recursive: true });
    writeFileSync(path.join(this.workspace, name), bytes);
  }

  variables() {
    return { GITHUB_API_URL: this.github.api_url, GITHUB_GRAPHQL_URL: this.github.graphql_url };
  }

  /** A command in the approver's folder; it must end with 0. */
  async command(args, token = this.github.token, status = 0) {
    const ended = await begin(args, { env: { ...this.variables(), GH_TOKEN: token, HOME: this.folder }, cwd: this.folder }).ended;
    if (ended.exit !== status) throw new Error(`countersign ${args.join(' ')} ended with ${ended.exit}: ${ended.err.slice(-600)}`);
    return ended.out;
  }

  /** The output of a command that must fail. */
  async refused(args, token) {
    const ended = await begin(args, { env: { ...this.variables(), GH_TOKEN: token, HOME: this.folder }, cwd: this.folder }).ended;
    if (ended.exit === 0) throw new Error(`countersign ${args.join(' ')} did not fail: ${ended.out}`);
    return ended.log;
  }

  async key(name = 'alice') {
    return (await this.command(['keys', 'generate', '--no-passphrase', '--out', name, '--name', name])).trim();
  }

  /** One attempt of the Action, begun. */
  attempt(inputs, variables = {}) {
    this.attempts += 1;
    const folder = path.join(this.folder, `attempt-${this.attempts}`);
    mkdirSync(path.join(folder, 'temp'), { recursive: true });
    for (const name of ['outputs', 'summary']) writeFileSync(path.join(folder, name), '');
    const env = {
      ...this.variables(), GITHUB_ACTIONS: 'true', GITHUB_SERVER_URL: 'https://github.com', GITHUB_RUN_ID: RUN, GITHUB_RUN_ATTEMPT: '1',
      GITHUB_REPOSITORY: this.github.repository, GITHUB_REPOSITORY_ID: String(this.github.repository_id), GITHUB_SHA: this.github.sha,
      GITHUB_ACTOR: 'dana', GITHUB_EVENT_NAME: 'workflow_dispatch', GITHUB_TRIGGERING_ACTOR: 'dana', GITHUB_WORKSPACE: this.workspace, RUNNER_TEMP: path.join(folder, 'temp'),
      GITHUB_OUTPUT: path.join(folder, 'outputs'), GITHUB_STEP_SUMMARY: path.join(folder, 'summary'),
      COUNTERSIGN_INPUTS: JSON.stringify({ mode: 'prod', token: this.github.token, 'trusted-keys': this.trusted, ...inputs }), ...variables,
    };
    const begun = begin(['action', '/dev/null'], { env, cwd: this.workspace });
    const read = (name) => readFileSync(path.join(folder, name), 'utf8');
    const ended = begun.ended.then((ended) => ({ ...ended, outputs: outputs(read('outputs')), summary: read('summary') }));
    return { child: begun.child, ended };
  }

  async act(inputs, variables) {
    return this.attempt(inputs, variables).ended;
  }

  /** The dry run; its plan lies where `plan` says, in the workspace. */
  async plan(inputs, variables) {
    const ended = await this.act({ ...inputs, mode: 'dry_run' }, variables);
    if (ended.exit !== 0) throw new Error(`the dry run ended with ${ended.exit}: ${ended.log}`);
    const name = `plan-${this.attempts}.json`;
    writeFileSync(path.join(this.workspace, name), readFileSync(ended.outputs.plan));
    return name;
  }

  /** Plans the operation and signs for it; gives the inputs that publish it. */
  async approved(inputs) {
    const plan = await this.plan(inputs);
    const receipt = (await this.command(['authorize', path.join('workspace', plan), '--key', 'alice', '--yes'])).trim();
    return { plan, receipt };
  }

  /** The whole way of one operation. */
  async ship(inputs, more = {}) {
    return this.act({ ...(await this.approved(inputs)), ...more });
  }
}

export function succeeded(ended) {
  if (ended.exit !== 0 || ended.outputs.status !== 'success') {
    throw new Error(`ended with ${ended.exit}, ${ended.outputs.status} ${ended.outputs['error-code']}: ${ended.log}`);
  }
  return ended.outputs;
}

/** Reads outputs as the runner does: `name<<DELIMITER`, lines, `DELIMITER`. */
function outputs(text) {
  const found = {};
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const [name, delimiter] = lines[at].split('<<');
    if (delimiter === undefined) continue;
    const end = lines.indexOf(delimiter, at + 1);
    found[name] = lines.slice(at + 1, end).join('\n');
    at = end;
  }
  return found;
}

export async function until(what, wanted, seconds = 20) {
  for (let left = seconds * 20; left > 0; left -= 1) {
    if (await wanted()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited in vain for ${what}`);
}

export const readable = (file) => existsSync(file);
