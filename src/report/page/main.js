// Puts the page together: what is told of the whole, the fields, the list, and the address that brings one back.

const told = read();
const { list: everything, entries } = operations(told);
const repositories = [...new Set(everything.map((found) => found.repository).filter(Boolean))];
const ledgerRepository = told.entries.at(-1)?.repository;
const page = {
  server: told.report.server,
  home: ledgerRepository ?? (repositories.length === 1 ? repositories[0] : null),
  entries,
  ledgerOf: (repository) => told.report.ledger !== null && ledgerRepository === repository,
};

function header() {
  const { made_at: at, version, ledger } = told.report;
  const title = repositories.length === 1 ? repositories[0] : repositories.length === 0 ? 'Nothing to show' : many(repositories.length, 'repository', 'repositories');
  field('title').textContent = title;
  document.title = `${title} · Countersign report`;
  field('made').append('Made ', time(at), ` by Countersign ${version}`, ` · ${many(told.entries.length, 'ledger entry', 'ledger entries')}, ${many(told.records.length, 'audit record')}, ${many(told.plans.length, 'plan')}`);
  field('standing').append(standing(ledger), leftOut());
}

/** How far the ledger holds: the first thing that one must know. */
function standing(ledger) {
  if (!ledger) return banner('note', 'No ledger', 'This page shows audit records and plans alone. Nobody signed them: the evidence is the ledger.');
  const head = ledger.newest ? make('p', {}, `${ledger.place}, newest entry ${ledger.newest.sequence} `, digest(ledger.newest.digest)) : make('p', {}, ledger.place);
  const findings = ledger.findings.length > 0 ? make('details', {}, make('summary', {}, 'What was checked'), pairs(ledger.findings.map(({ aspect, told: what }) => [aspect, what]))) : null;
  const open = ledger.findings.filter(({ told: what }) => what.startsWith('not checked')).map(({ aspect }) => aspect);
  const but = open.length > 0 ? ` Not checked: ${open.join(', ')}.` : '';
  const words = {
    verified: ['verified', 'Ledger verified', `When this page was made, every entry was recomputed, and the signatures of every receipt hold.${but}`],
    unsigned: ['unsigned', 'Signatures not checked', `Every entry was recomputed and the chain holds, but no trusted keys were given: who signed is only what the entries say.${but}`],
    fault: ['fault', 'Ledger not verified', `It stopped at the first fault: ${ledger.fault}. Only what stands before it is shown: ${entries.size.toLocaleString('en')} of ${many(ledger.entries, 'entry', 'entries')}.`],
    empty: ['note', 'Empty ledger', 'There is no entry: nothing to verify.'],
  }[ledger.standing];
  return banner(...words, head, findings);
}

function leftOut() {
  const files = told.report.left_out;
  if (files.length === 0) return '';
  const rows = files.map(({ file, why }) => make('li', {}, code(file), `: ${why}`));
  return banner('fault', many(files.length, 'file was left out', 'files were left out'), 'They are not what Countersign writes, or cannot be read:', make('ul', {}, rows));
}

/** How many there are of each status; pressing one shows those alone. */
function counts() {
  const counted = new Map();
  for (const found of everything) counted.set(found.status, (counted.get(found.status) ?? 0) + 1);
  const used = Object.keys(STATUS).filter((status) => counted.has(status));
  field('counts').append(
    ...used.map((status) => {
      const button = make('button', { type: 'button', class: 'count', 'data-status': status, 'aria-pressed': 'false' }, make('span', { class: 'number' }, counted.get(status).toLocaleString('en')), badge(status));
      button.addEventListener('click', () => {
        field('status').value = field('status').value === status ? '' : status;
        update();
      });
      return button;
    }),
  );
  fillChoices('status', everything.map((found) => found.status), (status) => STATUS[status][0]);
  fillChoices('kind', everything.map((found) => found.kind));
  fillChoices('repository', everything.map((found) => found.repository));
  fillChoices('event', everything.flatMap((found) => Object.keys(EVENTS).filter((event) => hasEvent(found, event))), (event) => EVENTS[event]);
}

/** Shows what the fields ask for, and says so to those who do not see it. */
function update({ keepAddress = false } = {}) {
  const fields = asked();
  const found = matching(everything, fields);
  list.set(found);
  field('shown').textContent = `${found.length.toLocaleString('en')} of ${many(everything.length, 'operation')} shown`;
  field('counts').querySelectorAll('button').forEach((button) => button.setAttribute('aria-pressed', String(button.dataset.status === fields.status)));
  if (!keepAddress) history.replaceState(null, '', address(fields, '') || location.pathname + location.search);
}

/** Goes where the address says; fields that would hide the place are cleared. */
function follow() {
  const { fields, place } = asksFor(location.hash);
  if (fields) setFields(fields);
  const target = place && places.get(decode(place));
  if (target && !matching([target], asked()).length) setFields({});
  update({ keepAddress: true });
  if (target) list.open(target, decode(place));
}

function decode(place) {
  try {
    return decodeURIComponent(place);
  } catch {
    return place;
  }
}

const setFields = (fields) => FIELDS.forEach((name) => (field(name).value = fields[name] ?? ''));

/** What an address may name: entries, attempts, receipts. */
function findPlaces() {
  const found = new Map();
  for (const operation of everything) {
    for (const receipt of operation.receipts.keys()) found.set(receipt, operation);
    for (const { id } of operation.tries) found.set(id, operation);
    for (const entry of operation.entries) found.set(`entry-${entry.sequence}`, operation);
  }
  return found;
}

function wire() {
  let waiting;
  field('find').addEventListener('input', () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => update());
  });
  field('clear').addEventListener('click', () => {
    setFields({});
    update();
    field('text').focus();
  });
  document.addEventListener('keydown', (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    field('text').focus();
    field('text').select();
  });
  // A link to a place within what is shown keeps the fields in the address.
  field('results').addEventListener('click', (event) => {
    const anchor = event.target.closest('a.anchor');
    if (!anchor) return;
    event.preventDefault();
    const place = decode(anchor.getAttribute('href').slice(1));
    history.pushState(null, '', address(asked(), place));
    list.open(places.get(place), place);
  });
  addEventListener('hashchange', () => {
    const { fields, place } = asksFor(location.hash);
    // The link that skips to the list names no place in it: whoever is there by now must not lose the focus.
    if (fields || places.has(decode(place))) follow();
  });
  theme();
  print();
}

/** As the system has it, until one asks for the other. */
function theme() {
  const button = field('theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';
  const name = () => (button.textContent = isDark() ? 'Light theme' : 'Dark theme');
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    name();
  });
  system.addEventListener('change', name);
  name();
}

const MOST_PRINTED = 500;

/** Paper cannot be opened: what is shown is printed whole, as far as anybody would read it. */
function print() {
  let opened = [];
  addEventListener('beforeprint', () => {
    list.show(0, Math.max(list.end, Math.min(list.shown.length, MOST_PRINTED)));
    field('printed').textContent = list.end < list.shown.length ? `The newest ${list.end.toLocaleString('en')} of them are printed.` : '';
    for (const found of list.shown.slice(list.start, list.end)) fill(list.card(found), found, page);
    opened = [...document.querySelectorAll('details:not([open])')];
    opened.forEach((each) => (each.open = true));
  });
  addEventListener('afterprint', () => opened.forEach((each) => (each.open = false)));
}

const list = new List(field('results'), page);
const places = findPlaces();
header();
counts();
wire();
follow();
setTimeout(() => prepare(everything));
