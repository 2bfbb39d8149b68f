// The recorded answers, read by the product: the simulator does the work, and its answers are
// dressed in the recorded shape.
import { template } from '../description.mjs';
import { drive } from '../flows.mjs';
import { check } from '../stage.mjs';

const at = (endpoint) => endpoint.replace(' ', ' /repos/{owner}/{repo}');

/** The scenario in which the product reads the endpoint's answer. */
const WAYS = Object.fromEntries(
  Object.entries({
    'GET ': 'a run that is authorized and dispatched',
    'POST /releases': 'a release with assets',
    'GET /releases/tags/{tag}': 'a release that carries its receipt',
    'POST /releases/{release_id}/assets': 'a release with assets',
    'GET /releases/{release_id}/assets': 'a draft with a half uploaded asset',
    'DELETE /releases/assets/{asset_id}': 'a draft with a half uploaded asset',
    'POST /git/refs': 'a tag',
    'POST /issues/{issue_number}/labels': 'a pull request with labels and reviewers',
  }).map(([endpoint, way]) => [at(endpoint), way]),
);

/** What the product never asks for in this form. */
const UNREAD = {
  'release-assets 6': 'of one asset the product asks for the bytes, never for JSON',
  'get-content 0': 'the product asks for files, never for folders',
  'get-content 1': 'the product asks for JSON, never for raw bytes',
};

/** The recorded value with the simulator's data in it: the same members, and the same nulls. */
function grafted(recorded, found) {
  if (recorded === null) return null;
  if (Array.isArray(recorded) && Array.isArray(found)) {
    return recorded.length > 0 ? found.map((one) => grafted(recorded[0], one)) : found;
  }
  if (recorded && found && typeof recorded === 'object' && typeof found === 'object') {
    const members = Object.keys(recorded).map((name) => [
      name,
      name in found ? grafted(recorded[name], found[name]) : recorded[name],
    ]);
    return Object.fromEntries(members);
  }
  return found ?? recorded;
}

/** Headers that are about the exchange itself: the recorded values would be wrong here. */
const OWN = [
  'date',
  'location',
  'content-length',
  'transfer-encoding',
  'connection',
  'x-ratelimit-reset',
];

function dress(exchange, recorded) {
  const { answer } = exchange;
  const kept = OWN.filter((name) => name in recorded.headers && name in answer.headers);
  answer.headers = {
    ...recorded.headers,
    date: answer.headers.date,
    ...Object.fromEntries(kept.map((name) => [name, answer.headers[name]])),
  };
  if (answer.body.length > 0) {
    answer.body = Buffer.from(JSON.stringify(grafted(recorded.body, JSON.parse(answer.body))));
  }
}

const endpoint = ({ method, path }) => `${method} ${template(new URL(path, 'http://x').pathname)}`;

/** Puts every recorded answer that the product can read before it. */
export async function judgeReaders(exchanges) {
  for (const recorded of exchanges.filter(
    ({ name, status }) => !(name in UNREAD) && status < 300,
  )) {
    const way = WAYS[recorded.endpoint];
    let dressed = 0;
    const after = (exchange) => {
      if (endpoint(exchange) !== recorded.endpoint || exchange.answer.status !== recorded.status)
        return;
      dress(exchange, recorded);
      dressed += 1;
    };
    if (way) await drive(`read as in ${recorded.name}`, { after, only: [way] });
    await check(`the product reads ${recorded.name}: ${recorded.endpoint}`, () => {
      if (dressed === 0)
        throw new Error(way ? `nothing was asked on the way "${way}"` : 'no way reads it');
      return `${dressed} answers`;
    });
  }
}
