// How two answers differ: in status, in which headers they have, in members and types of JSON.

const kind = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** Members and types of `found` against those of `wanted`; of a list only the first item counts. */
function differences(found, wanted, place) {
  if (kind(found) !== kind(wanted))
    return [`${place || 'the body'} is ${kind(found)}, not ${kind(wanted)}`];
  if (Array.isArray(wanted)) {
    const both = found.length > 0 && wanted.length > 0;
    return both ? differences(found[0], wanted[0], `${place}[]`) : [];
  }
  if (kind(wanted) !== 'object') return [];
  const at = (name) => (place ? `${place}.${name}` : name);
  const missing = Object.keys(wanted).filter((name) => !(name in found));
  const more = Object.keys(found).filter((name) => !(name in wanted));
  const common = Object.keys(wanted).filter((name) => name in found);
  return [
    ...missing.map((name) => `lacks ${at(name)}`),
    ...more.map((name) => `has ${at(name)}`),
    ...common.flatMap((name) => differences(found[name], wanted[name], at(name))),
  ];
}

/** A value as text, whatever the order of its members. */
const ordered = (value) =>
  JSON.stringify(value, (_, one) =>
    kind(one) === 'object' ? Object.fromEntries(Object.entries(one).sort()) : one,
  );

const media = ({ headers }) => (headers['content-type'] ?? '').split(';')[0];
const parsed = (body) => {
  try {
    return JSON.parse(body);
  } catch {
    return String(body);
  }
};

/** Headers that the recorded answer has and this one has not. */
export const missingHeaders = (answer, recorded) =>
  Object.keys(recorded.headers)
    .filter((name) => !(name in answer.headers))
    .map((name) => `lacks header ${name}`);

/** Headers that this answer has and the recorded one has not. */
export const moreHeaders = (answer, recorded) =>
  Object.keys(answer.headers)
    .filter((name) => !(name in recorded.headers))
    .map((name) => `has header ${name}`);

/** Status, media type and body. What a refusal says is compared word by word. */
export function content(answer, recorded) {
  const body = parsed(answer.body);
  const lines = differences(body, recorded.body, '');
  if (answer.status !== recorded.status)
    lines.push(`status ${answer.status}, not ${recorded.status}`);
  if (media(answer) !== media(recorded)) lines.push(`is ${media(answer)}, not ${media(recorded)}`);
  if (recorded.status < 300 || kind(body) !== 'object') return lines;
  for (const member of ['message', 'errors']) {
    const [found, wanted] = [body[member], recorded.body[member]].map(ordered);
    if (found !== wanted) lines.push(`${member} ${found}, not ${wanted}`);
  }
  return lines;
}

/** The differences between the simulator's answer and the recorded one, one per line. */
export const compared = (answer, recorded) =>
  [missingHeaders, moreHeaders, content].flatMap((compare) => compare(answer, recorded));
