// Published answers, put before the product once or always: how the attempt ends, and what it says.
import { is, once, scene } from '../flows.mjs';
import { check, expect } from '../stage.mjs';
import { OURS, answer } from './ours.mjs';

const TAG = { operation: 'tag_repo', 'tag-name': 'v1.0.0', message: 'Version 1.0.0' };
const RELEASE = {
  operation: 'publish_release',
  'tag-name': 'v1.0.0',
  body: 'First.\n',
  files: 'app.zip',
};
const PULL = {
  operation: 'open_pr',
  title: 'Next',
  'head-branch': 'next',
  'base-branch': 'main',
  body: 'Text',
  reviewers: 'octocat',
};

/** A GraphQL request with this operation. */
const graphql =
  (name) =>
  ({ path, body }) =>
    path === '/graphql' && new RegExp(`(query|mutation) ${name}\\b`).test(body);
const soon = () => ({
  'x-ratelimit-remaining': '0',
  'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 1),
});
const plenty = () => ({ 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '900' });

/** Answered once; the attempt recovers by itself. */
const recovers = (fixture, on, more = {}) => ({
  fixture,
  on,
  often: 'once',
  ends: [0, 'success', ''],
  ...more,
});
/** Answered each time; the attempt fails with this code, and the log has these words. */
const fails = (fixture, on, code, says, more = {}) => ({
  fixture,
  on,
  often: 'always',
  ends: [1, 'failed', code],
  says,
  ...more,
});

const PREFLIGHT = graphql('Preflight');
const APPEND = graphql('Append');
const TAGS = is('POST', /git\/tags$/);
const REFS = is('POST', /git\/refs$/);
const UPLOADS = is('POST', /releases\/\d+\/assets$/);
const PULLS = is('POST', /\/pulls$/);
const REVIEWERS = is('POST', /requested_reviewers$/);

const LIMIT = 'the limit of GraphQL';
const OLD_LIMIT = 'the limit of GraphQL, as it was called until about 2025';

const CASES = [
  recovers(LIMIT, PREFLIGHT, { headers: soon }),
  fails(LIMIT, APPEND, 'rate_limited', /rate limit/, { headers: plenty }),
  recovers(OLD_LIMIT, PREFLIGHT, { headers: soon }),
  fails(OLD_LIMIT, APPEND, 'rate_limited', /rate limit/, { headers: plenty }),
  fails(
    'a secondary limit of GraphQL without a type',
    APPEND,
    'rate_limited',
    /secondary rate limit/,
  ),
  recovers('a stale head', APPEND),
  fails(
    'an append that classic protection refuses',
    APPEND,
    'ledger_protected',
    /Changes must be made through a pull request/,
  ),
  fails(
    'an append that a ruleset refuses',
    APPEND,
    'ledger_protected',
    /3 of 3 required status checks/,
  ),
  fails('a mutation that validates', APPEND, 'github_rejected', /A path is not valid/),
  recovers('a query that took too long', PREFLIGHT),
  recovers('an error of GraphQL whose type is null', PREFLIGHT),
  recovers('a gateway that gives up', PREFLIGHT),
  recovers('a gateway that gives up', UPLOADS, { operation: RELEASE }),
  recovers('a unicorn', TAGS),
  fails('a repository that was renamed, written to', TAGS, 'github_rejected', /the number 1,/),
  fails('a ref that exists', REFS, 'github_rejected', /Reference already exists/),
  recovers('an object that is not there yet', REFS),
  recovers('an object that does not exist yet', REFS),
  fails('errors as one string', TAGS, 'github_rejected', /a reason in one string/),
  fails('errors as strings', TAGS, 'github_rejected', /Name must be unique/),
  fails(
    'a refusal without errors',
    REVIEWERS,
    'github_rejected',
    /only be requested from collaborators/,
    { operation: PULL },
  ),
  // Nothing was opened, and the next attempt of the run opens it: that is why it is not a failure.
  fails('a pull request too soon after another', PULLS, 'rate_limited', /submitted too quickly/, {
    operation: PULL,
    ends: [4, 'unknown', 'rate_limited'],
  }),
];

/** Answers with the fixture: the first time, or each time. */
function injecting({ fixture, on, often, headers }, state) {
  const act = () => {
    state.met += 1;
    return answer(OURS[fixture], headers?.());
  };
  return often === 'once' ? once(on, act) : (exchange) => (on(exchange) ? act() : undefined);
}

/** What an operation needs in the workspace and in the repository. */
async function inputs(operation, stage, sim) {
  if (operation === RELEASE) stage.file('app.zip', 'abc');
  if (operation === PULL) await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
  return operation;
}

async function attempted(one, state, stage, sim) {
  const approved = await stage.approved(await inputs(one.operation ?? TAG, stage, sim));
  state.armed = true;
  // A limit that lasts is not waited for.
  const ended = await stage.act({
    ...approved,
    ...(one.often === 'always' ? { 'max-wait': '0' } : {}),
  });

  const { status, 'error-code': code = '' } = ended.outputs;
  if (state.met === 0) throw new Error('nothing was asked that it could answer');
  if (JSON.stringify([ended.exit, status, code]) !== JSON.stringify(one.ends)) {
    throw new Error(`ended with ${ended.exit}, ${status} ${code}: ${ended.log}`);
  }
  if (one.says && !one.says.test(ended.log))
    throw new Error(`the log does not say ${one.says}: ${ended.log}`);
}

async function ended(one) {
  const state = { met: 0, armed: false };
  const inject = injecting(one, state);
  const before = (exchange) => (state.armed ? inject(exchange) : undefined);
  await scene({ before }, {}, (stage, sim) => attempted(one, state, stage, sim));
  return `${state.met} times`;
}

/** Rules that cannot be read are ignored; authors, labels and digests may be null. */
async function doneWithout() {
  const { error } = OURS['rules that the token may not read'];
  const after = (exchange) => {
    if (!graphql('Preflight')(exchange)) return;
    const body = JSON.parse(exchange.answer.body);
    if (body.data.repository.ledger) body.data.repository.ledger.rules = null;
    exchange.answer.body = Buffer.from(
      JSON.stringify({ data: body.data, errors: [...(body.errors ?? []), error] }),
    );
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
    const ended = await stage.ship(RELEASE);
    expect([ended.exit, ended.outputs.status], [0, 'success'], 'the end');
  });
}

export async function judgeEndings() {
  for (const one of CASES) {
    const { operation } = one.operation ?? TAG;
    const name = `published answer, ${one.often}: ${one.fixture} (${operation}): ${one.ends[1]}`;
    await check(name, () => ended(one));
  }
  await check('published answer: rules that the token may not read are ignored', doneWithout);
  await check('published answer: authors, labels and digests that are null are read', nulls);
}
