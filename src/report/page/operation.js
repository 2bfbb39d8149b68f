// One operation: its line in the list, and everything about it once it is opened.

/** The card of an operation. What is inside is made when it is opened for the first time. */
function card(found, page) {
  const line = make('summary', {}, badge(found.status), make('h3', { class: 'what' }, found.subject, ' ', make('span', { class: 'kind' }, found.kind || 'no kind')), make('span', { class: 'aside' }, aside(found)), make('span', { class: 'when' }, found.last ? time(found.last) : 'no time told'));
  const element = make('details', { class: `operation ${found.status}` }, line);
  element.addEventListener('toggle', () => element.open && fill(element, found, page));
  return element;
}

/** Fills a card, once. */
function fill(element, found, page) {
  if (element.childElementCount > 1) return;
  element.append(make('div', { class: 'inside' }, whyNot(found), timeline(found, page), parameters(found, page)));
}

function aside(found) {
  const names = [...new Set([...found.receipts.values()].flatMap((receipt) => receipt.signers.map((signer) => signer.name || signer.fingerprint)))];
  const code = found.status === 'success' ? null : (errorOf(found)?.error_code ?? found.refusedPlan?.code);
  const tries = found.tries.filter((each) => each.mode !== 'dry_run').length;
  return [code && make('code', {}, code), names.length > 0 && `signed by ${names.join(', ')}`, tries > 1 && `${tries} attempts`].filter(Boolean).flatMap((part, at) => (at > 0 ? [' · ', part] : [part]));
}

/** The newest thing that went wrong: as the record tells it, else as the ledger does. */
function errorOf(found) {
  for (const each of [...found.tries].reverse()) {
    if (each.record?.error_code) return each.record;
    const response = each.entries.at(-1)?.github_response;
    if (response?.error_code) return response;
  }
  return null;
}

function whyNot(found) {
  const left = found.refusedPlan;
  if (left) return reason('Why it will not ship', left.code, left.why_not, left.remedy);
  if (found.status === 'claimed') {
    const remedy = 'Re-run the job: its next attempt looks at what GitHub has, and finishes.';
    return reason('What is not known', null, 'The receipt is spent, and no entry tells what came of the operation.', remedy);
  }
  const error = errorOf(found);
  if (found.status === 'success' || !error) return null;
  const heading = { failed: 'What went wrong', unknown: 'What is not known' }[found.status] ?? 'Why it was not shipped';
  return reason(heading, error.error_code, error.error_message, error.remedy);
}

/** What was wrong: both sides, and what to do about it. */
function reason(heading, errorCode, message, remedy, level = 'h4') {
  const toDo = remedy ? make('p', {}, make('strong', {}, 'What to do: '), remedy) : null;
  return make('section', { class: 'reason' }, make(level, {}, heading), make('p', {}, errorCode ? [code(errorCode), ' '] : null, message), toDo);
}

/** Every parameter, as approvers signed for it. */
function parameters(found, page) {
  const asked = found.parameters;
  if (!asked) return null;
  const { assets, body, operation_kind: kind, repository, ...rest } = asked;
  const commit = (sha) => (page.server.startsWith('https://') ? link(`${page.server}/${repository}/commit/${sha}`, sha) : digest(sha));
  const shown = (name, value) => {
    if (name.endsWith('_sha')) return commit(value);
    if (Array.isArray(value)) return value.join(', ') || 'none';
    return value === '' ? 'empty' : typeof value === 'string' ? make('span', { class: 'text' }, value) : value;
  };
  return make(
    'section',
    {},
    make('h4', {}, 'Operation'),
    pairs([['digest', digest(found.digest)], ['operation_kind', kind], ['repository', repository], ...Object.entries(rest).map(([name, value]) => [name, shown(name, value)])]),
    assets?.length > 0 ? assetTable('Assets that are approved', assets) : null,
    body ? make('details', { class: 'body' }, make('summary', {}, `Body, ${many([...body].length, 'character')}`), make('pre', { tabindex: '0' }, body)) : null,
  );
}

const assetTable = (caption, assets) => table(caption, ['Name', 'Size', 'SHA-256', assets[0].content_type ? 'Type' : 'Address'], assets.map((asset) => [code(asset.name), bytes(asset.size), digest(asset.sha256), asset.content_type ?? link(asset.url)]));
