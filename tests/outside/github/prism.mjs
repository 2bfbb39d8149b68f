// Replays a transcript of the simulator through Prism, a validating proxy that knows GitHub's official description of REST: the product's
// requests must have no violation at all, the simulator's answers none either, but for what `BRIEF` names.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { METHODS, at, description, template, use } from './description.mjs';
import { check, expect, installed, send } from './stage.mjs';

/** The keys and types of a value, however deep; lists count by their first item, short words by themselves, as they may be the description's. */
function shape(value) {
  if (Array.isArray(value)) return [shape(value[0])];
  if (value && typeof value === 'object') return Object.fromEntries(Object.keys(value).sort().map((key) => [key, shape(value[key])]));
  if (/^[a-z_]{1,12}$/.test(value)) return value;
  return value === null ? null : typeof value;
}

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return text ? 'text' : '';
  }
};

/** Where an Enterprise Server has what is described. */
const ENTERPRISE = /^\/api\/(v3|uploads)(?=\/)/;

/** One exchange of each kind: method, template, names of the query, shape of the body, status, shape of the answer. */
function distinct(lines) {
  const kinds = new Map();
  for (const line of lines) {
    const exchange = JSON.parse(line);
    exchange.path = exchange.path.replace(ENTERPRISE, '');
    const { pathname, searchParams } = new URL(exchange.path, 'http://x');
    exchange.pathname = pathname;
    exchange.query = [...searchParams.keys()];
    exchange.template = template(pathname);
    // Neither the simulator's own tests nor the probes of a rehearsal, `countersign-rehearse/…`: some of these are wrong on purpose.
    exchange.ours = exchange.headers['user-agent']?.startsWith('countersign/') ?? false;
    const { accept, 'content-type': kind, 'x-github-api-version': version } = exchange.headers;
    const body = shape(parsed(exchange.body));
    const key = [exchange.ours, exchange.method, exchange.template ?? pathname, exchange.query.sort(), accept, kind, version, body];
    const heard = [exchange.status, exchange.answer_headers['content-type'], shape(parsed(exchange.answer))];
    kinds.set(JSON.stringify([...key, ...heard]), exchange);
  }
  return [...kinds.values()];
}

/** The description, cut to these templates and mended where it cannot say what GitHub does. */
function cut(exchanges) {
  const paths = {};
  for (const { template: name, pathname } of exchanges) {
    if (!name) continue;
    const item = (paths[name] ??= mended(name));
    const more = pathname.split('/').length - name.split('/').length;
    if (more > 0) paths[name + [...Array(more).keys()].map((n) => `/{more${n}}`).join('')] ??= longer(item, more);
  }
  const kept = { openapi: description.openapi, info: { title: 'GitHub', version: 'x' }, paths, components: {} };
  // Everything that is referred to, and what that refers to.
  const gather = (value) => {
    if (!value || typeof value !== 'object') return;
    if (typeof value.$ref === 'string') {
      const [, group, name] = value.$ref.slice(2).split('/');
      kept.components[group] ??= {};
      if (!(name in kept.components[group])) {
        kept.components[group][name] = null;
        kept.components[group][name] = told(structuredClone(description.components[group][name]), group, name);
        gather(kept.components[group][name]);
      }
    }
    Object.values(value).forEach(gather);
  };
  gather(paths);
  return kept;
}

function longer(item, more) {
  const parameters = [...Array(more).keys()].map((n) => ({ name: `more${n}`, in: 'path', required: true, schema: { type: 'string' } }));
  const operations = Object.entries(item).filter(([method]) => METHODS.includes(method));
  return Object.fromEntries(operations.map(([method, operation]) => [method, { ...operation, parameters: [...(operation.parameters ?? []), ...parameters] }]));
}

/** Of these the simulator tells what is read and leaves the rest out: what is told is judged, what is missing is not. */
const BRIEF = /^(nullable-)?(simple-user|(full-|minimal-)?repository|repository-ruleset|pull-request(-simple)?|workflow-run|content-.*|rate-limit-overview)$/;

function told(value, group, name) {
  // A label without a description has null there, as in every other schema of a pull request.
  if (group === 'schemas' && name === 'pull-request-simple') value.properties.labels.items.properties.description.nullable = true;
  // "An empty asset with a state of `starter`", says the text of what a broken upload leaves; the list of values lacks it.
  if (group === 'schemas' && name === 'release-asset') value.properties.state.enum = ['uploaded', 'open', 'starter'];
  if (group === 'schemas' && BRIEF.test(name)) lax(value);
  return value;
}

function lax(value) {
  if (!value || typeof value !== 'object') return;
  if (Array.isArray(value.required)) delete value.required;
  for (const [name, below] of Object.entries(value)) if (name !== 'example' && name !== 'examples') lax(below);
}

function mended(name) {
  const item = structuredClone(description.paths[name]);
  for (const [method, operation] of Object.entries(item)) {
    if (!METHODS.includes(method)) continue;
    delete operation.servers;
    // GitHub ignores some members that it does not know, and says of others that each "is not a permitted key": here every one is an error.
    const body = at(operation.requestBody)?.content?.['application/json'];
    if (body) operation.requestBody = { ...at(operation.requestBody), content: { 'application/json': { ...body, schema: strict(body.schema) } } };
    // "Content-Type: the content type of the asset", says the text; the description says octet-stream alone.
    const upload = at(operation.requestBody)?.content?.['application/octet-stream'];
    if (upload) operation.requestBody = { required: true, content: { '*/*': upload } };
    for (const [status, response] of Object.entries(operation.responses)) {
      operation.responses[status] = structuredClone(at(response));
    }
    // A name that another ruleset has is refused with `"errors": ["Name must be unique"]`, as it is recorded; the description has objects alone.
    const named = name.endsWith('/rulesets') && method === 'post' && operation.responses[422];
    if (named) named.content['application/json'].schema = { $ref: '#/components/schemas/validation-error-simple' };
    // "The API will return the binary content with Accept: application/octet-stream", says the text.
    if (name.endsWith('/releases/assets/{asset_id}') && method === 'get') operation.responses[200].content['application/octet-stream'] = { schema: { type: 'string', format: 'binary' } };
  }
  return item;
}

/** The schema without references, so that nothing in it becomes lax. */
function strict(schema, closed = true) {
  const found = structuredClone(at(schema));
  const { properties = {}, items, additionalProperties } = found;
  if (found.properties && additionalProperties === undefined && closed) found.additionalProperties = false;
  for (const [name, below] of Object.entries(properties)) found.properties[name] = strict(below);
  if (items) found.items = strict(items);
  for (const several of ['oneOf', 'anyOf', 'allOf']) found[several] = found[several]?.map((below) => strict(below, several !== 'allOf'));
  return JSON.parse(JSON.stringify(found));
}

/** What anybody may be answered at any path; the description does not repeat it everywhere. */
const ANYWHERE = [301, 307, 401, 403, 404, 410, 429];
/** Where the description is wrong: what GitHub was seen to answer all the same. */
const SEEN = [
  // Tag rules, immutable releases, too long a text.
  ['PATCH /repos/{owner}/{repo}/releases/{release_id}', 422],
  // No such ref, too many inputs, too large ones.
  ['POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches', 422],
].map(([key, status]) => `${key} ${status}`);

async function judged(exchange, index, address) {
  if (!exchange.template) return [`no such path is described`];
  const operation = description.paths[exchange.template][exchange.method.toLowerCase()];
  if (!operation) return [`${exchange.method} is not described`];
  const names = (operation.parameters ?? []).map(at).filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name);
  const violations = exchange.query.filter((name) => !names.includes(name)).map((name) => `request.query.${name} is not described`);
  // The transcript leaves out the bytes of uploads; Prism reads those that say to be JSON.
  const most = Math.min(exchange.body_bytes, 1024);
  const uploaded = exchange.headers['content-type'] === 'application/json' ? JSON.stringify('x'.repeat(Math.max(most - 2, 0))) : 'x'.repeat(most);
  const body = exchange.body ?? uploaded;
  const headers = { ...exchange.headers, 'content-length': Buffer.byteLength(body), 'x-exchange': index };
  if (body.length === 0 && exchange.method === 'GET') delete headers['content-length'];
  const answer = await send(address, { method: exchange.method, path: exchange.path, headers, body });
  const text = answer.headers['sl-violations'] ?? (answer.status !== exchange.status ? answer.body.toString() : '[]');
  try {
    violations.push(...JSON.parse(text).map((one) => `${one.location.join('.')} ${one.message}`));
  } catch {
    violations.push(text);
  }
  const undescribed = /^response Unable to match the returned status code/;
  // The description has no status for requests that nobody should send.
  const allowed = !exchange.ours || ANYWHERE.includes(exchange.status) || SEEN.includes(`${exchange.method} ${exchange.template} ${exchange.status}`);
  return violations.filter((text) => !(undescribed.test(text) && allowed));
}

/** Judges every kind of exchange in these lines: what was found, by side and endpoint. */
async function found(lines) {
  const exchanges = distinct(lines);
  const { getHttpOperationsFromSpec } = installed('@stoplight/prism-http');
  const { createServer } = installed('@stoplight/prism-http-server');
  const operations = await getHttpOperationsFromSpec(cut(exchanges));
  // What the simulator answered is answered again.
  const upstream = http.createServer((request, response) => {
    // Prism would follow a redirect.
    const { status, answer, answer_headers: { location, ...headers } } = exchanges[request.headers['x-exchange']];
    request.resume().on('end', () => response.writeHead(status, headers).end(status === 204 ? undefined : answer ?? 'bytes'));
  });
  await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const config = { isProxy: true, upstream: new URL(`http://127.0.0.1:${upstream.address().port}`), validateRequest: true, validateResponse: true, checkSecurity: true, errors: false, upstreamProxy: undefined, mock: { dynamic: false } };
  const silent = { child: () => silent };
  for (const level of ['trace', 'debug', 'info', 'success', 'warn', 'error', 'fatal']) silent[level] = () => {};
  const prism = createServer(operations, { cors: false, config, components: { logger: silent } });
  const address = await prism.listen(0, '127.0.0.1');
  const found = { requests: new Map(), answers: new Map() };
  for (const [index, exchange] of exchanges.entries()) {
    const key = `${exchange.method} ${exchange.template ?? exchange.pathname}`;
    const all = await judged(exchange, index, address);
    const side = (side, wanted) => {
      const told = found[side].get(key) ?? { exchanges: 0, violations: new Set() };
      told.exchanges += 1;
      wanted.forEach((text) => told.violations.add(`${exchange.path} ${exchange.status}: ${text}`));
      found[side].set(key, told);
    };
    if (exchange.ours) side('requests', all.filter((text) => !text.startsWith('response')));
    if (exchange.template) side('answers', all.filter((text) => text.startsWith('response')));
  }
  await prism.close();
  upstream.closeAllConnections();
  upstream.close();
  return found;
}

/** `wanted` are endpoints that the transcript must show. */
export async function judge(name, transcript, wanted = []) {
  const lines = readFileSync(transcript, 'utf8').split('\n').filter(Boolean);
  const sides = await found(lines);
  for (const [side, endpoints] of Object.entries(sides)) {
    for (const [key, told] of [...endpoints].sort()) {
      await check(`${name}: ${side} ${key}`, () => {
        if (told.violations.size > 0) throw new Error([...told.violations].join('; '));
        return `${told.exchanges} kinds`;
      });
    }
  }
  if (wanted.length > 0) {
    await check(`${name}: every endpoint of the product was asked, and no other`, () => {
      expect([...sides.requests.keys()].sort(), [...wanted].sort(), 'the list of endpoints');
      return `${sides.requests.size} endpoints, ${lines.length} exchanges`;
    });
  }
}

/** What newer servers alone know, and the product sends; `flows.mjs` shows how it gets on without. */
const NEWER = /dispatches \d+: request\.body Request body must NOT have additional properties; found 'return_run_details'$/;

/** Whether GitHub Enterprise knows every request of the product too. */
export async function judgeServers(transcript, servers) {
  const lines = readFileSync(transcript, 'utf8').split('\n').filter(Boolean);
  for (const server of servers) {
    await check(`Prism: ${server} knows every request`, async () => {
      use(server);
      const { requests } = await found(lines);
      const all = [...requests.values()].flatMap((told) => [...told.violations]).filter((text) => !NEWER.test(text));
      if (all.length > 0) throw new Error(all.join('; '));
      return `${requests.size} endpoints`;
    });
  }
  use('api.github.com');
}

/** The judge itself: what is wrong must be found. */
export async function selfTest(transcript) {
  const lines = readFileSync(transcript, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const first = (method, pattern) => structuredClone(lines.find((line) => line.method === method && pattern.test(line.path) && line.status < 300));
  const spoilt = (line, member, change) => ({ ...line, [member]: JSON.stringify(change(JSON.parse(line[member]))) });
  const release = first('POST', /\/releases$/);
  const ruleset = first('POST', /\/rulesets$/);
  for (const [what, side, line] of [
    ['a member of the wrong type', 'requests', spoilt(release, 'body', (body) => ({ ...body, draft: 'false' }))],
    ['a missing member', 'requests', spoilt(release, 'body', ({ tag_name: _, ...body }) => body)],
    ['a member that is not described', 'requests', spoilt(release, 'body', (body) => ({ ...body, latest: true }))],
    ['a word that is not described', 'requests', spoilt(release, 'body', (body) => ({ ...body, make_latest: 'yes' }))],
    ['a wrong rule of a ruleset', 'requests', spoilt(ruleset, 'body', (body) => ({ ...body, rules: [{ type: 'deletions' }] }))],
    ['a parameter that is not described', 'requests', { ...first('GET', /\/releases\?/), path: '/repos/octo/hello/releases?pages=1' }],
    ['a number that is none', 'requests', { ...first('PATCH', /\/releases\/1$/), path: '/repos/octo/hello/releases/one' }],
    ['a path that is not described', 'requests', { ...release, path: '/repos/octo/hello/release' }],
    ['a method that is not described', 'requests', { ...release, method: 'PUT' }],
    ['an answer of the wrong type', 'answers', spoilt(release, 'answer', (body) => ({ ...body, id: 'one' }))],
    ['an answer with a status that is not described', 'answers', { ...release, status: 202 }],
  ]) {
    await check(`Prism: ${what} would be found`, async () => {
      const [told] = [...(await found([JSON.stringify(line)]))[side].values()];
      if (!told?.violations.size) throw new Error('it was not');
    });
  }
}
