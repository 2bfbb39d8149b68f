// Published answers against the simulator's: the same situation is made there, and the same asked.
import { Simulator, check, send } from '../stage.mjs';
import { OURS } from './ours.mjs';
import { content, missingHeaders } from './shape.mjs';

const LEDGER = 'receipt-ledger';
const bytes = { accept: 'application/octet-stream' };

const query = (text) => ({ method: 'POST', path: '/graphql', sent: { query: text } });
const cheap = query('{ repository(owner: "octo", name: "hello") { id } }');

/** An append to the ledger's branch, which exists and is at `head`. */
const append = (sim, head) => ({
  method: 'POST',
  path: '/graphql',
  sent: {
    query:
      'mutation Append($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }',
    variables: {
      input: {
        branch: { repositoryNameWithOwner: sim.repository, branchName: LEDGER },
        message: { headline: 'Claim' },
        expectedHeadOid: head,
        fileChanges: { additions: [{ path: 'a', contents: 'YQ==' }] },
      },
    },
  },
});

async function ledger(sim) {
  await sim.ask('set_ref', { name: `refs/heads/${LEDGER}`, sha: sim.sha });
}

async function ended(sim, limit) {
  await limit;
  await sim.ask('rate_limit', { limit: 1000, remaining: 0 });
  return cheap;
}

const renamed = (method) => async (sim) => {
  await sim.ask('rename', { to: 'octo/renamed' });
  return { method, path: method === 'GET' ? '' : '/git/tags', sent: method === 'GET' ? '' : {} };
};

const turned = (sim, name) => sim.ask('switch', { name });

const tagObject = (sim) => ({
  method: 'POST',
  path: '/git/tags',
  sent: { tag: 'v1', message: 'one', object: sim.sha, type: 'commit' },
});

/** A ref to a tag object that was just made, under a switch. */
const fresh = (name) => async (sim, rest) => {
  await turned(sim, name);
  const made = JSON.parse((await rest(tagObject(sim))).body);
  return { method: 'POST', path: '/git/refs', sent: { ref: 'refs/tags/v1', sha: made.sha } };
};

/** Makes each situation; returns the request that meets the answer. */
const SITUATIONS = {
  'the limit of GraphQL': (sim) => ended(sim),
  'the limit of GraphQL, as it was called until about 2025': (sim) =>
    ended(sim, turned(sim, 'OldRateLimitWord')),
  async 'a stale head'(sim) {
    await ledger(sim);
    await sim.ask('commit', { branch: LEDGER, path: 'b', text: 'b' });
    return append(sim, sim.sha);
  },
  async 'an append that classic protection refuses'(sim) {
    await ledger(sim);
    await sim.ask('protect_classically', { branch: LEDGER });
    return append(sim, sim.sha);
  },
  async 'an append that a ruleset refuses'(sim) {
    await ledger(sim);
    await sim.ask('rules', { branch: LEDGER, rules: ['required_status_checks'] });
    return append(sim, sim.sha);
  },
  'a repository that was renamed, read': renamed('GET'),
  'a repository that was renamed, written to': renamed('POST'),
  async 'the bytes of an asset'(sim, rest) {
    const { id } = JSON.parse(
      (await rest({ method: 'POST', path: '/releases', sent: { tag_name: 'v1', draft: true } }))
        .body,
    );
    const path = `/releases/${id}/assets?name=a.txt`;
    const uploaded = await rest({
      method: 'POST',
      path,
      sent: 'abc',
      kind: 'text/plain',
      uploads: true,
    });
    return { method: 'GET', path: `/releases/assets/${JSON.parse(uploaded.body).id}`, ...bytes };
  },
  async 'an archive that is asked for as bytes'(sim) {
    await sim.ask('run', { id: 5, actor: 'dana' });
    const id = await sim.ask('artifact', { run: 5, name: 'plan', zip: '' });
    return { method: 'GET', path: `/actions/artifacts/${id}/zip`, ...bytes };
  },
  'a ref that exists': (sim) => ({
    method: 'POST',
    path: '/git/refs',
    sent: { ref: 'refs/heads/main', sha: sim.sha },
  }),
  'an object that is not there yet': fresh('FreshObjectsAreNotFound'),
  'an object that does not exist yet': fresh('FreshObjectsDoNotExist'),
  async 'errors as strings'(sim, rest) {
    const ruleset = {
      method: 'POST',
      path: '/rulesets',
      sent: { name: 'one', target: 'branch', enforcement: 'active', rules: [{ type: 'deletion' }] },
      administrator: true,
    };
    await rest(ruleset);
    return ruleset;
  },
  async 'a refusal without errors'(sim, rest) {
    await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
    await rest({
      method: 'POST',
      path: '/pulls',
      sent: { title: 'Next', head: 'next', base: 'main' },
    });
    return {
      method: 'POST',
      path: '/pulls/1/requested_reviewers',
      sent: { reviewers: ['stranger'] },
    };
  },
  async 'rules of a private repository on a free plan'(sim) {
    await turned(sim, 'FreePrivatePlan');
    return { method: 'GET', path: '/rules/branches/main' };
  },
  'a commit with a malformed tree': () => ({
    method: 'POST',
    path: '/git/commits',
    sent: { message: 'm', tree: 'x', parents: [] },
  }),
  'a file that is not there': (sim) =>
    query(
      `{ repository(owner: "octo", name: "hello") { object(oid: "${sim.sha}") { ... on Commit { file(path: "absent") { oid } } } } }`,
    ),
};

/** What the simulator cannot be brought to answer by a situation: tests plan these as faults. */
const PLANNED = [
  'a secondary limit of GraphQL without a type',
  'a mutation that validates',
  'a query that took too long',
  'an error of GraphQL whose type is null',
  'rules that the token may not read',
  'a gateway that gives up',
  'a unicorn',
  'errors as one string',
  'a pull request too soon after another',
];

/** Sends with the job's token, or the administrator's. */
const sender =
  (sim, administrator) =>
  ({ method, path, sent = '', accept, kind, uploads, ...more }) => {
    const body = typeof sent === 'string' ? sent : JSON.stringify(sent);
    const headers = {
      authorization: `Bearer ${more.administrator ? administrator : sim.token}`,
      'user-agent': 'check',
      accept: accept ?? 'application/vnd.github+json',
    };
    if (body) headers['content-type'] = kind ?? 'application/json';
    const place = path === '/graphql' ? path : `/repos/${sim.repository}${path}`;
    return send(uploads ? sim.uploads_url : sim.api_url, { method, path: place, headers, body });
  };

/** Ids, numbers of repositories and hosts are made up on both sides. */
const plain = (text) =>
  text
    .replace(/[0-9a-f]{40}/g, '0'.repeat(40))
    .replace(/installation ID \d+/g, 'installation ID 1')
    .replace(/https?:\/\/[^/"]+/g, 'https://HOST')
    .replace(/repositories\/\d+/g, 'repositories/1');

/** Reports show few headers, so only these can be required. */
function differences(found, { status, headers, body, text }) {
  const wanted = { status, headers, body: JSON.parse(plain(JSON.stringify(text ?? body))) };
  const answer = { ...found, body: plain(found.body.toString()) };
  const lines = [...missingHeaders(answer, wanted), ...content(answer, wanted)];
  const errors = (value) =>
    plain(
      JSON.stringify(
        (value?.errors ?? []).map(({ type, code, path, message }) => ({
          type,
          code,
          path,
          message,
        })),
      ),
    );
  if (status === 200 && errors(JSON.parse(answer.body)) !== errors(wanted.body)) {
    lines.push(`errors ${errors(JSON.parse(answer.body))}, not ${errors(wanted.body)}`);
  }
  return lines;
}

async function answered(fixture, situation) {
  const sim = await Simulator.start();
  try {
    const administrator = await sim.ask('token', { contents: 'write', administration: 'write' });
    const rest = sender(sim, administrator);
    const lines = differences(await rest(await situation(sim, rest)), OURS[fixture]);
    if (lines.length > 0) throw new Error(lines.join('; '));
  } finally {
    await sim.stop();
  }
}

export async function judgeAnswers() {
  for (const [fixture, situation] of Object.entries(SITUATIONS)) {
    await check(`the simulator answers as was published: ${fixture}`, () =>
      answered(fixture, situation),
    );
  }
  await check('every published answer is met by the simulator or planned as a fault', () => {
    const left = Object.keys(OURS).filter(
      (name) => !(name in SITUATIONS) && !PLANNED.includes(name),
    );
    if (left.length > 0) throw new Error(left.join('; '));
  });
}
