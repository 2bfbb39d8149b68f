// The timeline of an operation: dry run, authorization, and what was tried in prod, in the order of their times.

function timeline(found, page) {
  const steps = [
    ...found.tries.map((each) => ({ at: each.at, rank: each.mode === 'dry_run' ? 0 : 2, step: () => (each.mode === 'dry_run' ? dryRun : tried)(found, each, page) })),
    ...[...found.receipts.values()].map((receipt) => ({ at: receipt.at, rank: 1, step: () => authorization(receipt) })),
  ];
  if (steps.length === 0) return null;
  steps.sort((a, b) => compare(a.at, b.at) || a.rank - b.rank);
  return make('section', {}, make('h4', {}, 'Timeline'), make('ol', { class: 'timeline' }, steps.map(({ step }) => step())));
}

/** One step: a banner that says in which mode it happened, and what happened. */
function step(mode, anchor, at, heading, ...content) {
  const [word, kind] = listed({ prod: ['PROD', 'prod'], dry_run: ['DRY RUN', 'dry-run'], receipt: ['AUTHORIZATION', 'receipt'] }, mode) ?? ['NO MODE', 'no-mode'];
  const line = make('p', { class: 'mode' }, make('span', { class: 'word' }, word), ' ', heading, at ? make('span', { class: 'when' }, time(at)) : null);
  return make('li', { class: `step ${kind}`, 'data-anchor': anchor }, line, content);
}

const anchored = (place, label) => make('a', { class: 'anchor', href: `#${encodeURIComponent(place)}` }, label);

function dryRun(found, { id, record, planned, plan, at, run, file }, page) {
  const effects = planned?.effects ?? [];
  return step(
    'dry_run',
    id,
    at,
    record ? badge(record.status) : make('span', {}, 'a plan'),
    make('p', {}, record ? [anchored(id, id), ' ', record.result] : ['as ', code(file), ' says']),
    why(found, record),
    pairs([
      ['run', runLink(run, record, page)],
      ['campaign', plan?.campaign ? `${plan.campaign}, operation ${planned.id}` : null],
      ['requested by', plan?.requested_by?.join(', ')],
      ['ledger then', planned ? checkpoint(planned.ledger) : null],
    ]),
    effects.length > 0 ? table('What would change; the mode blocks it', ['Effect', 'On', 'From', 'To'], effects.map(({ effect, subject, from, to }) => [effect, code(subject), from === null ? 'nothing' : code(from), code(to)])) : null,
    (planned?.warnings ?? []).map((warning) => make('p', { class: 'warning' }, code(warning.code), ' ', warning.message)),
    source(record),
  );
}

/** What binds a receipt, and who signed it. */
function authorization({ id, terms, verified, signers, authority, reviewers, at }) {
  const told = verified ? 'Read from the receipt on the ledger; its signatures hold.' : terms ? 'As the audit record tells it; signatures were not checked here.' : 'What it says was not read, because its signatures were not checked here.';
  return step(
    'receipt',
    id,
    terms ? at : null,
    anchored(id, id),
    make('p', { class: 'note' }, told),
    pairs([
      ['signed by', signers.length > 0 ? signers.map((signer) => make('div', {}, `${signer.name || 'no name'} `, digest(signer.fingerprint))) : 'no trusted key'],
      ['for run', terms?.run_id],
      ['for', terms ? `${terms.operation_kind} in ${terms.repository} (id ${terms.repository_id})` : null],
      ['operation', terms ? digest(terms.operation_digest) : null],
      ['valid', terms ? make('span', {}, time(terms.issued_at), ' until ', time(terms.expires_at)) : null],
      ['enforceable', terms ? (terms.enforceable ? 'yes' : 'no: advisory, it allows nothing') : null],
      ['ledger then', terms ? checkpoint(terms.ledger) : null],
      ['deployment approved by', reviewers.join(', ')],
      ['trust file', authority?.trust ? version(authority.trust) : null],
      ['policy', authority?.policy ? version(authority.policy) : null],
    ]),
  );
}

/** The commit of the ledger that the issuer saw, and the newest entry in it. */
const checkpoint = ({ commit, sequence, digest: newest }) => make('span', {}, newest === null ? 'no entry' : [`entry ${sequence} `, digest(newest)], ' in commit ', digest(commit));
const version = (pin) => make('span', {}, `version ${pin.version} `, digest(pin.digest));

/** One attempt that was to publish: its entries on the ledger, and what its record tells. */
function tried(found, each, page) {
  const { record, entries } = each;
  const outcome = entries.at(-1);
  const status = record?.status ?? { claimed: 'claimed', succeeded: 'success' }[outcome.event] ?? outcome.event;
  const response = record?.github_response ?? outcome?.github_response;
  const earlier = takenOver(found, each);
  return step(
    each.mode,
    each.id,
    each.at,
    badge(status),
    make('p', {}, anchored(each.id, each.id), record ? ` ${record.result}` : ''),
    entries.length > 0 ? make('ul', { class: 'entries' }, entries.map((entry) => entryLine(entry, earlier))) : null,
    why(found, record?.error_code ? record : response),
    pairs([
      ['run', make('span', {}, runLink(each.run, record, page), each.number ? `, attempt ${each.number}` : '')],
      ['mode as given', record && record.mode !== 'prod' ? record.mode || 'empty' : null],
      ['page', response?.html_url ? link(response.html_url) : null],
      ['release', response?.release_id],
      ['tag object', response?.tag_sha ? digest(response.tag_sha) : null],
      ['pull request', response?.pull_number ? `#${response.pull_number}` : null],
      ['stood already', response?.already_existed ? 'yes, exactly as approved' : null],
      ['campaign', record?.campaign ? `${record.campaign.name}, ${record.campaign.id}, ${record.campaign.position} of ${record.campaign.operations}` : null],
      ['requests', record ? `${record.requests}, ${record.retry_count} of them again` : null],
      ['ended', record ? time(record.completed_at) : null],
    ]),
    response?.assets?.length > 0 ? assetTable('Assets that GitHub holds', response.assets) : null,
    ledgerDoubts(record, page),
    checks(record),
    source(record),
  );
}

/** The claim that was open when this attempt wrote its own: the newest since the operation ended before, if it did. */
function takenOver(found, { entries }) {
  const below = found.entries.filter((entry) => entry.sequence < (entries[0]?.sequence ?? 0));
  const ended = below.findLastIndex((entry) => entry.event === 'succeeded' || entry.event === 'failed');
  return below.slice(ended + 1).findLast((entry) => entry.event === 'claimed');
}

/** What went wrong in one attempt; not again if it stands at the top already. */
function why(found, error) {
  if (!error?.error_code) return null;
  if (found.status !== 'success' && found.status !== 'claimed' && error === errorOf(found)) return make('p', {}, code(error.error_code), ' as told above');
  return reason('Why', error.error_code, error.error_message, error.remedy, 'h5');
}

function entryLine(entry, earlier) {
  const words = { claimed: earlier ? `receipt claimed again: takes over the claim of entry ${earlier.sequence}` : 'receipt spent', succeeded: 'outcome: succeeded', failed: 'outcome: failed', unknown: 'outcome: unknown' };
  return make('li', { 'data-anchor': `entry-${entry.sequence}` }, anchored(`entry-${entry.sequence}`, `Entry ${entry.sequence}`), ` ${words[entry.event]}, `, time(entry.at), ' ', digest(entry.digest));
}

/** Where a record names other entries than the ledger has: nobody signed the record. */
function ledgerDoubts(record, page) {
  if (!record || !page.ledgerOf(record.repository)) return null;
  const doubts = [record.ledger.claim, record.ledger.outcome].filter(Boolean).flatMap(({ sequence, digest: named }) => {
    const entry = page.entries.get(sequence);
    if (entry?.digest === named) return [];
    return [entry ? `The record names entry ${sequence} with another digest than the ledger's.` : `The record names entry ${sequence}, which is not among the entries that are shown.`];
  });
  return doubts.map((doubt) => make('p', { class: 'warning' }, doubt));
}

/** Every binding rule with both sides; open where one is broken. */
function checks(record) {
  if (!record || record.checks.length === 0) return null;
  const broken = record.checks.filter((check) => check.verdict === 'broken').length;
  const rows = record.checks.map((check) => [check.rule, verdict(check.verdict), check.expected, check.found, check.verdict === 'broken' ? code(check.code) : '']);
  return make('details', { class: 'checks', open: broken > 0 }, make('summary', {}, `Checks: ${record.checks.length} rules, ${broken === 0 ? 'none' : broken} broken`), table('Checks of the receipt against this attempt', ['Rule', 'Verdict', 'Expected', 'Found', 'Code'], rows));
}

function verdict(name) {
  const word = listed({ holds: '✓ holds', broken: '✕ broken', not_evaluated: '– not evaluated' }, name);
  return word ? make('span', { class: name }, word) : name;
}

/** Where the facts come from. */
function source(record) {
  if (!record) return null;
  const { actor, triggering_actor: again, event, workflow, reference, sha } = { ...record.github, reference: record.github.ref };
  const by = again && again !== actor ? `${actor}, re-run by ${again}` : actor;
  return make('p', { class: 'note' }, ['From ', code(record.file), `, Countersign ${record.version}`, by && `, started by ${by}`, event && ` (${event})`, workflow && `, ${workflow}`, reference && `, ${reference}`, sha && ` at ${sha.slice(0, 12)}`].filter(Boolean));
}

/** A run's page is in the repository of its workflow, which need not be the one that is published in. */
function runLink(run, record, page) {
  const [, home] = /^([\w.-]+\/[\w.-]+)\//.exec(record?.github.workflow ?? '') ?? [];
  if (!/^\d{1,20}$/.test(run) || !(home ?? page.home)) return code(run || 'none');
  return link(`${page.server}/${home ?? page.home}/actions/runs/${run}`, run);
}
