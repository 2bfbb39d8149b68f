// Takes from the simulator's answers every member that GitHub's description does not promise, so that the product is seen to need no other.
import { at, described } from './description.mjs';

/**
 * What the product needs although it is not promised: a release's text, which is compared, who started a run, which a policy may ask, and
 * who was asked for a review, which GitHub drops at times.
 */
const NEEDED = ['body', 'actor', 'triggering_actor', 'requested_reviewers'];

/** A value with the promised members alone; of several schemas every promise counts. */
function kept(value, schemas) {
  const known = schemas.flatMap((schema) => {
    const found = at(schema);
    return [found, ...[...(found?.oneOf ?? []), ...(found?.anyOf ?? []), ...(found?.allOf ?? [])].map(at)];
  }).filter(Boolean);
  if (Array.isArray(value)) return value.map((one) => kept(one, known.map(({ items }) => items).filter(Boolean)));
  if (value === null || typeof value !== 'object') return value;
  const promised = known.filter(({ properties }) => properties);
  if (promised.length === 0) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => NEEDED.includes(name) || promised.some(({ required = [] }) => required.includes(name)))
    .map(([name, below]) => [name, kept(below, promised.map(({ properties }) => properties[name]).filter(Boolean))]));
}

export function promised(exchange) {
  const { method, path, answer } = exchange;
  if (path === '/graphql' || answer.status >= 300 || !/json/.test(answer.headers['content-type'] ?? '')) return;
  const schema = described(method, new URL(path, 'http://x').pathname)?.responses[answer.status]?.content?.['application/json']?.schema;
  if (schema) answer.body = Buffer.from(JSON.stringify(kept(JSON.parse(answer.body), [schema])));
}
