// What others recorded of the live service: the scenarios of @octokit/fixtures, with whole headers.
import { readFileSync, readdirSync } from 'node:fs';
import { template } from '../description.mjs';
import { packageFile } from '../stage.mjs';

/** Pairs of a list as an object with lower-case names. */
function headers(raw) {
  const names = raw.filter((_, at) => at % 2 === 0);
  return Object.fromEntries(names.map((name, at) => [name.toLowerCase(), raw[2 * at + 1]]));
}

function exchange(scenario, one, at) {
  const method = one.method.toUpperCase();
  const { pathname } = new URL(one.path, 'http://x');
  return {
    name: `${scenario} ${at}`,
    scenario,
    method,
    path: one.path,
    endpoint: `${method} ${template(pathname) ?? pathname}`,
    uploads: one.scope.startsWith('https://uploads.'),
    accept: one.reqheaders.accept,
    kind: one.reqheaders['content-type'],
    sent: one.body,
    status: one.status,
    headers: headers(one.rawHeaders),
    body: one.response,
  };
}

/** Every exchange, in the order in which it was recorded, by scenario. */
export function recorded() {
  const place = packageFile('@octokit/fixtures', 'scenarios/api.github.com');
  const read = (scenario) => JSON.parse(readFileSync(`${place}/${scenario}/raw-fixture.json`));
  return readdirSync(place)
    .sort()
    .flatMap((scenario) => read(scenario).map((one, at) => exchange(scenario, one, at)));
}
