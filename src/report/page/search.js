// Search: what stands in the fields becomes a test of operations, and a part of the page's address.

const FIELDS = ['text', 'status', 'kind', 'repository', 'event', 'from', 'to'];
const EVENTS = { claimed: 'Claim on the ledger', succeeded: 'Success on the ledger', failed: 'Failure on the ledger', unknown: 'Unknown on the ledger', dry_run: 'Dry run', attempt: 'Attempt with a record' };

const field = (name) => document.getElementById(name);

/** Everything of an operation that one may look for, in small letters. Bodies count with their beginning. */
function haystack(found) {
  const words = [found.run, found.repository, found.kind, found.digest, found.status, STATUS[found.status][0], found.subject];
  const asked = found.parameters;
  if (asked) {
    words.push(asked.tag_name, asked.target_sha, asked.head_sha, asked.release_name, asked.title, asked.message, asked.head_branch, asked.base_branch, asked.body?.slice(0, 2000));
    words.push(...(asked.labels ?? []), ...(asked.reviewers ?? []));
    for (const asset of asked.assets ?? []) words.push(asset.name, asset.sha256, asset.content_type);
  }
  for (const receipt of found.receipts.values()) {
    words.push(receipt.id, ...receipt.reviewers);
    for (const signer of receipt.signers) words.push(signer.name, signer.fingerprint);
  }
  for (const entry of found.entries) {
    words.push(`entry-${entry.sequence}`, entry.digest, entry.operation_id, entry.acting_run, entry.at, entry.github_response?.error_code, entry.github_response?.error_message, entry.github_response?.html_url);
  }
  for (const { id, record, planned, plan } of found.tries) {
    words.push(id, planned?.id, plan?.campaign, ...(plan?.requested_by ?? []), ...(planned?.warnings ?? []).flatMap((warning) => [warning.code, warning.message]));
    if (record) words.push(record.error_code, record.error_message, record.result, record.mode, record.github.actor, record.github.triggering_actor, record.github.workflow, record.github.sha, record.github.run_id, record.campaign?.name, record.campaign?.id, record.started_at, record.github_response?.html_url);
  }
  const left = found.refusedPlan;
  if (left) words.push(left.code, left.why_not, left.remedy, left.campaign);
  return words.filter(Boolean).join('\n').toLowerCase();
}

/** Gets everything ready to be searched, some at a time, so that the first search is as fast as the others. */
function prepare(list, from = 0) {
  for (const found of list.slice(from, from + 250)) found.haystack ??= haystack(found);
  if (from + 250 < list.length) setTimeout(() => prepare(list, from + 250));
}

function hasEvent(found, event) {
  if (event === 'dry_run') return found.tries.some((each) => each.mode === 'dry_run') || Boolean(found.refusedPlan);
  if (event === 'attempt') return found.tries.some((each) => each.record && each.mode !== 'dry_run');
  return found.entries.some((entry) => entry.event === event);
}

/** The operations that the fields ask for. */
function matching(list, asked) {
  const words = asked.text.toLowerCase().split(/\s+/).filter(Boolean);
  return list.filter((found) => {
    if (asked.status && found.status !== asked.status) return false;
    if (asked.kind && found.kind !== asked.kind) return false;
    if (asked.repository && found.repository !== asked.repository) return false;
    if (asked.event && !hasEvent(found, asked.event)) return false;
    if (asked.from && found.last.slice(0, 10) < asked.from) return false;
    if (asked.to && (!found.first || found.first.slice(0, 10) > asked.to)) return false;
    if (words.length === 0) return true;
    found.haystack ??= haystack(found);
    return words.every((word) => found.haystack.includes(word));
  });
}

const asked = () => Object.fromEntries(FIELDS.map((name) => [name, field(name).value.trim()]));

/** The address of what is shown: `#status=failed&text=v1`, with `at=entry-42` for the place. */
function address(fields, place) {
  const parts = FIELDS.filter((name) => fields[name]).map((name) => [name, fields[name]]);
  if (parts.length === 0) return place ? `#${place}` : '';
  return `#${new URLSearchParams([...parts, ...(place ? [['at', place]] : [])])}`;
}

/** The fields and the place that an address asks for. */
function asksFor(hash) {
  const text = hash.replace(/^#/, '');
  if (!text.includes('=')) return { fields: null, place: text };
  const parts = new URLSearchParams(text);
  return { fields: Object.fromEntries(FIELDS.map((name) => [name, parts.get(name) ?? ''])), place: parts.get('at') ?? '' };
}

/** A list of choices, the values in use with how many there are of each. */
function fillChoices(name, values, label = (value) => value) {
  const counted = new Map();
  for (const value of values) if (value) counted.set(value, (counted.get(value) ?? 0) + 1);
  const choices = [...counted].sort(([a], [b]) => compare(a, b));
  field(name).append(make('option', { value: '' }, 'all'), ...choices.map(([value, count]) => make('option', { value }, `${label(value)} (${count.toLocaleString('en')})`)));
}
