// The recorded requests, sent to the simulator in their order, and its answers against theirs.
import { Simulator, check, send } from '../stage.mjs';
import { EXPLAINED } from './explained.mjs';
import { compared } from './shape.mjs';

/** State that a scenario needs, made by requests that the simulator does not support. */
const PREPARED = {
  async 'add-labels-to-issue'(sim, rest) {
    await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
    await rest({
      method: 'POST',
      path: '/pulls',
      sent: { title: 'Next', head: 'next', base: 'main' },
    });
  },
  'get-content': (sim) =>
    sim.ask('commit', { branch: 'main', path: 'README.md', text: '# hello-world' }),
  'rename-repository': (sim) => sim.ask('rename', { to: 'octo/renamed' }),
};

/** Sends as a recording says, with the simulator's names and ids in place of the recorded ones. */
function sender(sim, ids) {
  return ({ method, path, sent = '', accept, kind, uploads }) => {
    const place = path
      .replace(/^\/repos\/[^/]+\/[^/?]+/, '')
      .replace(/\d+/g, (id) => ids.get(id) ?? id);
    const text = typeof sent === 'string' ? sent : JSON.stringify(sent);
    const headers = {
      authorization: `Bearer ${sim.token}`,
      'user-agent': 'check',
      accept: accept ?? 'application/json',
    };
    if (text) headers['content-type'] = kind ?? 'application/json';
    return send(uploads ? sim.uploads_url : sim.api_url, {
      method,
      path: `/repos/${sim.repository}${place}`,
      headers,
      body: text.replace(/\b[0-9a-f]{40}\b/g, sim.sha),
    });
  };
}

/** Remembers which id of the simulator corresponds to which recorded one. */
function pair(ids, recorded, body) {
  if (!recorded?.id) return;
  try {
    ids.set(String(recorded.id), String(JSON.parse(body).id));
  } catch {
    // The comparison says that this is not JSON.
  }
}

/** Removes the explained differences; the rest are errors. */
function unexplained(exchange, lines, met) {
  return lines.filter((line) => {
    const entry = EXPLAINED.find(
      ({ on, lines }) =>
        (!on || on.includes(exchange.endpoint) || on.includes(exchange.name)) &&
        lines.includes(line),
    );
    if (entry) met.add(`${EXPLAINED.indexOf(entry)} ${line}`);
    return !entry;
  });
}

async function replayed(scenario, exchanges, met) {
  const sim = await Simulator.start();
  try {
    const ids = new Map();
    const rest = sender(sim, ids);
    await PREPARED[scenario]?.(sim, rest);
    for (const exchange of exchanges) {
      const answer = await rest(exchange);
      pair(ids, exchange.body, answer.body);
      await check(
        `the simulator answers ${exchange.name} as recorded: ${exchange.endpoint}`,
        () => {
          const lines = unexplained(exchange, compared(answer, exchange), met);
          if (lines.length > 0) throw new Error(lines.join('; '));
        },
      );
    }
  } finally {
    await sim.stop();
  }
}

/** Replays these exchanges; fails for an explanation that was not needed. */
export async function judgeSimulator(exchanges) {
  const met = new Set();
  for (const scenario of new Set(exchanges.map((one) => one.scenario))) {
    await replayed(
      scenario,
      exchanges.filter((one) => one.scenario === scenario),
      met,
    );
  }
  await check(
    'every difference between simulator and recordings that is explained is there',
    () => {
      const idle = EXPLAINED.flatMap(({ lines }, at) =>
        lines.filter((line) => !met.has(`${at} ${line}`)),
      );
      if (idle.length > 0) throw new Error(`explained but not met: ${idle.join('; ')}`);
    },
  );
}
