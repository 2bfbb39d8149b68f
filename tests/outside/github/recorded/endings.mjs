// Published answers, put before the product once or always: how the attempt ends, and what it says.
import { is, once, scene } from '../flows.mjs';
import { check, expect } from '../stage.mjs';
import { OURS, answer } from './ours.mjs';

const TAG = { operation: 'tag_repo', 'tag-name': 'v1.0.0', message: 'Version 1.0.0' };
const RELEASE = { operation: 'publish_release', 'tag-name': 'v1.0.0', body: 'First.\n' };
const PULL = {
  operation: 'open_pr', title: 'Next', 'head-branch': 'next', 'base-branch': 'main', body: 'Text',
};

/** A GraphQL request with this operation. */
const graphql = (name) => ({ path, body }) =>
  path === '/graphql' && new RegExp(`(query|mutation) ${name}\\b`).test(body);
const soon = () => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 1) });
const plenty = () => ({ 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '900' });

const SUCCESS = [0, 'success', ''];

/**
 * fixture, which request it answers, how often, the operation, the end (status, outcome, code), and
 * words that the log must hold.
 */
const CASES = [
  ['the limit of GraphQL', graphql('Preflight'), 'once', TAG, SUCCESS, /rate limit/, soon],
  ['the limit of GraphQL', graphql('Append'), 'always', TAG, [1, 'failed', 'rate_limited'], /rate limit/, plenty],
  ['the limit of GraphQL, as it was called until about 2025', graphql('Preflight'), 'once', TAG, SUCCESS, /rate limit/, soon],
  ['the limit of GraphQL, as it was called until about 2025', graphql('Append'), 'always', TAG, [1, 'failed', 'rate_limited'], /rate limit/, plenty],
  ['a secondary limit of GraphQL without a type', graphql('Append'), 'always', TAG, [1, 'failed', 'rate_limited'], /secondary rate limit/],
  ['a stale head', graphql('Append'), 'once', TAG, SUCCESS],
  ['an append that classic protection refuses', graphql('Append'), 'always', TAG, [1, 'failed', 'ledger_protected'], /Changes must be made through a pull request/],
  ['an append that a ruleset refuses', graphql('Append'), 'always', TAG, [1, 'failed', 'ledger_protected'], /3 of 3 required status checks/],
  ['a mutation that validates', graphql('Append'), 'always', TAG, [1, 'failed', 'github_rejected'], /A path is not valid/],
  ['a query that took too long', graphql('Preflight'), 'once', TAG, SUCCESS],
  ['an error of GraphQL whose type is null', graphql('Preflight'), 'once', TAG, SUCCESS],
  ['a gateway that gives up', graphql('Preflight'), 'once', TAG, SUCCESS],
  ['a gateway that gives up', is('POST', /releases\/\d+\/assets$/), 'once', RELEASE, SUCCESS],
  ['a unicorn', is('POST', /git\/tags$/), 'once', TAG, SUCCESS],
  ['a repository that was renamed, written to', is('POST', /git\/tags$/), 'always', TAG, [1, 'failed', 'github_rejected'], /repositories\/1/],
  ['a ref that exists', is('POST', /git\/refs$/), 'always', TAG, [1, 'failed', 'github_rejected'], /Reference already exists/],
  ['an object that is not there yet', is('POST', /git\/refs$/), 'once', TAG, SUCCESS],
  ['an object that does not exist yet', is('POST', /git\/refs$/), 'once', TAG, SUCCESS],
  ['errors as one string', is('POST', /git\/tags$/), 'always', TAG, [1, 'failed', 'github_rejected'], /a reason in one string/],
  ['errors as strings', is('POST', /git\/tags$/), 'always', TAG, [1, 'failed', 'github_rejected'], /Name must be unique/],
  ['a refusal without errors', is('POST', /requested_reviewers$/), 'always', PULL, [1, 'failed', 'github_rejected'], /only be requested from collaborators/],
  ['a pull request too soon after another', is('POST', /\/pulls$/), 'always', PULL, [1, 'failed', 'rate_limited'], /submitted too quickly/],
];

/** Answers with the fixture: the first time, or each time. */
function injecting(matches, fixture, often, headers, told) {
  const act = () => {
    told.met += 1;
    return answer(OURS[fixture], headers?.());
  };
  return often === 'once' ? once(matches, act) : (exchange) => (matches(exchange) ? act() : undefined);
}

async function ended([fixture, matches, often, operation, end, words, headers]) {
  const told = { met: 0, armed: false };
  const inject = injecting(matches, fixture, often, headers, told);
  await scene({ before: (exchange) => (told.armed ? inject(exchange) : undefined) }, {}, async (stage, sim) => {
    stage.file('app.zip', 'abc');
    await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
    const more = operation === RELEASE ? { files: 'app.zip' } : operation === PULL ? { reviewers: 'octocat' } : {};
    const approved = await stage.approved({ ...operation, ...more });
    told.armed = true;
    // A limit that lasts is not waited for.
    const ended = await stage.act({ ...approved, ...(often === 'always' ? { 'max-wait': '0' } : {}) });
    const { status, 'error-code': code = '' } = ended.outputs;
    if (told.met === 0) throw new Error('nothing was asked that it could answer');
    if (JSON.stringify([ended.exit, status, code]) !== JSON.stringify(end)) {
      throw new Error(`ended with ${ended.exit}, ${status} ${code}: ${ended.log}`);
    }
    if (words && !words.test(ended.log)) throw new Error(`the log does not say ${words}: ${ended.log}`);
  });
  return `${told.met} times`;
}

/** Rules that cannot be read are done without; authors, labels and digests may be null. */
async function doneWithout() {
  const { error } = OURS['rules that the token may not read'];
  const after = (exchange) => {
    if (!graphql('Preflight')(exchange)) return;
    const body = JSON.parse(exchange.answer.body);
    if (body.data.repository.ledger) body.data.repository.ledger.rules = null;
    exchange.answer.body = Buffer.from(JSON.stringify({ data: body.data, errors: [...(body.errors ?? []), error] }));
  };
  await scene({ after }, {}, async (stage) => {
    const ended = await stage.ship(TAG);
    expect([ended.exit, ended.outputs.status], [0, 'success'], 'the end');
  });
}

async function nulls() {
  const NULLS = ['author', 'uploader', 'label', 'digest', 'user'];
  const after = ({ method, path, answer }) => {
    if (method === 'GET' && path.includes('/git/')) return;
    if (!/releases/.test(path) || !/json/.test(answer.headers['content-type'] ?? '')) return;
    const body = JSON.parse(answer.body);
    const gone = (name, value) => (NULLS.includes(name) ? null : value);
    answer.body = Buffer.from(JSON.stringify(JSON.parse(JSON.stringify(body, gone))));
  };
  await scene({ after }, {}, async (stage) => {
    stage.file('app.zip', 'abc');
    const ended = await stage.ship({ ...RELEASE, files: 'app.zip' });
    expect([ended.exit, ended.outputs.status], [0, 'success'], 'the end');
  });
}

export async function judgeEndings() {
  for (const one of CASES) {
    const [fixture, , often, operation, [, status]] = one;
    await check(`published answer, ${often}, ${operation.operation}: ${fixture}: ${status}`, () => ended(one));
  }
  await check('published answer: rules that the token may not read are done without', doneWithout);
  await check('published answer: authors, labels and digests that are null are read', nulls);
}
