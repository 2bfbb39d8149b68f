// The model: entries, records and plans become operations, each with its attempts and receipts.

/** Sorts the items of the page's data by what they are. */
function read() {
  const told = { entries: [], records: [], plans: [], report: null };
  for (const item of items()) {
    if (item.entry) told.entries.push(item.entry);
    else if (item.record) told.records.push(item.record);
    else if (item.plan) told.plans.push(item.plan);
    else told.report = item.report;
  }
  return told;
}

/** The page's data; a file that was cut off or changed must not look like one that has nothing to show. */
function items() {
  try {
    return JSON.parse(document.getElementById('data').textContent);
  } catch (error) {
    document.getElementById('standing').append(banner('fault', 'This file is damaged', `Its data cannot be read (${error.message}). Make it anew with countersign report.`));
    throw error;
  }
}

/** Operations, the newest run first. One operation is what a run was to do with one digest: its dry run, receipts and attempts belong together. */
function operations(told) {
  const model = { all: new Map(), recorded: new Map(), entries: new Map() };
  for (const record of told.records) model.recorded.set(record.operation_id, record);
  for (const entry of told.entries) {
    model.entries.set(entry.sequence, entry);
    addEntry(model, entry);
  }
  const planned = new Set(told.plans.map((plan) => plan.operation_id));
  for (const record of told.records) addRecord(model, record, planned.has(record.operation_id));
  for (const plan of told.plans) addPlan(model, plan);
  const all = [...model.all.values()];
  all.forEach(settle);
  return { list: inOrder(all), entries: model.entries };
}

/** Runs by their newest moment, and in each run its operations; what belongs to one run stays together. */
function inOrder(all) {
  const newest = new Map();
  const run = (found) => `${found.repository} ${found.run}`;
  for (const found of all) {
    const known = newest.get(run(found));
    if (!known || compare(found.last, known.last) > 0 || (found.last === known.last && found.order > known.order)) newest.set(run(found), found);
  }
  const newer = (a, b) => compare(b.last, a.last) || compare(b.order, a.order);
  return all.sort((a, b) => newer(newest.get(run(a)), newest.get(run(b))) || compare(run(a), run(b)) || newer(a, b));
}

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** The operation of this run with this digest. Without a digest nothing else belongs to an attempt. */
function operation(model, run, repository, kind, digest, alone) {
  const key = digest ? `${run} ${digest}` : `alone ${alone}`;
  if (!model.all.has(key)) {
    const fresh = { key, run, repository, kind, digest, parameters: null, receipts: new Map(), attempts: new Map(), entries: [], refusedPlan: null };
    model.all.set(key, fresh);
  }
  return model.all.get(key);
}

function attempt(found, id, facts) {
  if (!found.attempts.has(id)) found.attempts.set(id, { id, entries: [], record: null, planned: null, ...facts });
  return found.attempts.get(id);
}

function addEntry(model, entry) {
  const found = operation(model, entry.run, entry.repository, entry.operation_kind, entry.operation_digest);
  found.parameters ??= entry.operation ?? null;
  found.entries.push(entry);
  const own = attempt(found, entry.operation_id, { mode: 'prod', run: entry.acting_run, number: entry.attempt, at: entry.at });
  own.entries.push(entry);
  if (entry.event === 'claimed') addReceipt(found, entry.receipt_id, entry.terms, entry, true);
}

function addReceipt(found, id, terms, told, verified) {
  const known = found.receipts.get(id);
  // What was read from verified signatures counts more than what a record says.
  if (known?.terms && (known.verified || !verified)) return;
  found.receipts.set(id, { id, terms: terms ?? known?.terms ?? null, verified: verified && Boolean(terms), signers: told.signers, authority: told.authority, reviewers: told.reviewers ?? known?.reviewers ?? [], at: terms?.issued_at ?? known?.at ?? told.at ?? told.started_at });
}

function addRecord(model, record, hasPlan) {
  // The record of a campaign's dry run names no operation: its plan does.
  if (hasPlan && !record.operation_digest) return;
  const found = operation(model, record.run_id, record.repository, record.operation_kind, record.operation_digest, record.operation_id);
  found.parameters ??= record.operation;
  const number = Number(record.github.run_attempt) || null;
  const own = attempt(found, record.operation_id, { mode: record.mode, run: record.github.run_id, number, at: record.started_at });
  Object.assign(own, { record, mode: record.mode });
  if (record.receipt) addReceipt(found, record.receipt.receipt_id, record.receipt, record, false);
}

function addPlan(model, { file, operation_id, plan }) {
  const record = model.recorded.get(operation_id) ?? null;
  plan.operations.forEach((planned, at) => {
    const { repository, operation_kind: kind } = planned.operation;
    const found = operation(model, plan.run_id, repository, kind, planned.digest);
    found.parameters ??= planned.operation;
    const own = attempt(found, operation_id ?? `${file} ${at}`, { mode: 'dry_run', run: plan.run_id, number: null, at: record?.started_at ?? '' });
    Object.assign(own, { planned, plan, file, record: own.record ?? record });
  });
  for (const left of plan.not_shipped) {
    const found = operation(model, plan.run_id, left.repository, left.operation_kind, null, `${plan.run_id} ${file} ${left.id}`);
    found.refusedPlan = { ...left, at: record?.started_at ?? '', file, campaign: plan.campaign };
  }
}

/** What became of an operation: the ledger's last word, else the newest record's, else the plan's. */
function settle(found) {
  const attempts = [...found.attempts.values()].sort((a, b) => compare(a.at, b.at) || (a.number ?? 0) - (b.number ?? 0));
  found.tries = attempts;
  const outcome = found.entries.at(-1);
  const prod = attempts.filter((each) => each.mode !== 'dry_run' && each.record).at(-1);
  const words = { claimed: 'claimed', succeeded: 'success', failed: 'failed', unknown: 'unknown' };
  found.status = outcome ? words[outcome.event] : (prod?.record.status ?? attempts.at(-1)?.record?.status ?? (found.refusedPlan ? 'not_shipped' : 'dry_run'));
  const moments = [...attempts.flatMap((each) => [each.at, each.record?.completed_at ?? '', ...each.entries.map((entry) => entry.at)]), found.refusedPlan?.at ?? ''].filter(Boolean);
  found.first = moments.reduce((a, b) => (a < b ? a : b), moments[0] ?? '');
  found.last = moments.reduce((a, b) => (a > b ? a : b), '');
  found.order = found.entries.at(-1)?.sequence ?? 0;
  found.subject = subject(found);
}

function subject(found) {
  const asked = found.parameters;
  if (found.refusedPlan) return found.refusedPlan.id;
  if (!asked) return found.kind ? 'not built' : 'no operation';
  return found.kind === 'open_pr' ? `${asked.head_branch} → ${asked.base_branch}` : asked.tag_name;
}
