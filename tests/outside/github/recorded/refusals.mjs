// The recorded refusals and redirects, put before the product as they are.
import { is, once, scene } from '../flows.mjs';
import { RUN, check } from '../stage.mjs';

/** The recorded answer itself; the server sets its length and date. */
function verbatim({ status, headers, body }) {
  const {
    'content-length': _,
    'transfer-encoding': __,
    connection: ___,
    date: ____,
    ...kept
  } = headers;
  return { status, headers: kept, body: Buffer.from(JSON.stringify(body)) };
}

const RELEASE = {
  operation: 'publish_release',
  'tag-name': 'v1.0.0',
  body: 'First.\n',
  files: 'test-upload.txt',
};

/** Which request each recorded answer meets, what is done, and what must be said about it. */
const CASES = {
  'release-assets-conflict 5': {
    on: is('POST', /releases\/\d+\/assets$/),
    says: /already_exists|exists already|already has/,
    async act(stage) {
      stage.file('test-upload.txt', 'Hello, world!\n');
      return (await stage.ship(RELEASE)).log;
    },
  },
  'rename-repository 2': {
    // Every read of a renamed repository is answered in this way.
    on: is('GET', /^\/repos\//),
    says: /renamed/,
    async act(stage, sim) {
      const token = await sim.ask('token', { contents: 'read', actions: 'read' });
      const asking = [
        'authorize',
        '--run',
        RUN,
        '--repository',
        sim.repository,
        '--key',
        'alice',
        '--yes',
      ];
      return stage.refused(asking, token);
    },
  },
};

export async function judgeRefusals(exchanges) {
  for (const recorded of exchanges.filter(({ status }) => status >= 300)) {
    const found = CASES[recorded.name];
    await check(`the product understands ${recorded.name}: ${recorded.endpoint}`, async () => {
      if (!found) throw new Error('no way meets it');
      const before = once(found.on, () => verbatim(recorded));
      let log = '';
      await scene({ before }, {}, async (stage, sim) => void (log = await found.act(stage, sim)));
      if (!found.says.test(log)) throw new Error(`the log does not say ${found.says}: ${log}`);
    });
  }
}
