// Elements: made by name, filled with text. Nothing here can turn data into markup.

/** An element with attributes and children; texts are text. Null and empty children are left out. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(attribute, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

const code = (text) => make('code', {}, String(text));

/** A digest or commit id: shown short where there is little room, whole to whoever selects or reads it aloud. */
const digest = (text) => make('code', { class: 'digest' }, String(text));

const time = (text) => make('time', { datetime: text }, String(text).replace('T', ' ').replace('Z', ' UTC'));

/** Only a whole https address becomes a link; anything else stays text. */
function link(address, label = address) {
  let target = null;
  try {
    target = new URL(String(address));
  } catch {
    // It is no address.
  }
  if (target?.protocol !== 'https:' || target.username || target.password) return code(label);
  return make('a', { href: target.href, rel: 'noopener noreferrer', target: '_blank' }, String(label));
}

/** A table with a heading for each column; the first cell of a row names it. */
function table(caption, headings, rows) {
  const head = make('tr', {}, headings.map((heading) => make('th', { scope: 'col' }, heading)));
  const body = rows.map((cells) => make('tr', {}, cells.map((cell, at) => make(at === 0 ? 'th' : 'td', at === 0 ? { scope: 'row' } : {}, cell))));
  // A wide table scrolls by itself, by keyboard too.
  const inside = make('table', {}, make('caption', {}, caption), make('thead', {}, head), make('tbody', {}, body));
  return make('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': caption }, inside);
}

/** Names and values; pairs without a value are left out. */
function pairs(list) {
  const known = list.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return make('dl', { class: 'pairs' }, known.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, typeof value === 'number' || typeof value === 'boolean' ? String(value) : value))));
}

/** Something that must not be overlooked, under a heading of its own. */
const banner = (class_, heading, text, ...more) => make('div', { class: `banner ${class_}` }, make('h2', {}, heading), make('p', {}, text), more);

/** What a table of ours has under a name that comes from the data, which may be that of something every object has. */
const listed = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);

const many = (number, one, more = `${one}s`) => `${number.toLocaleString('en')} ${number === 1 ? one : more}`;

function bytes(size) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  const power = size < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(size) / 10));
  return power === 0 ? many(size, 'byte') : `${(size / 1024 ** power).toFixed(1)} ${units[power]} (${many(size, 'byte')})`;
}

/** Each status: its word, and a mark beside the colour. */
const STATUS = {
  success: ['Shipped', '✓'],
  failed: ['Failed', '✕'],
  unknown: ['Unknown', '?'],
  claimed: ['Unfinished', '…'],
  rejected_by_auth: ['Refused', '⊘'],
  rejected_by_mode: ['Refused by mode', '⊘'],
  not_shipped: ['Will not ship', '–'],
  dry_run: ['Planned', '◇'],
};

const badge = (status) => make('span', { class: `badge ${status}` }, make('span', { 'aria-hidden': 'true' }, STATUS[status][1]), ` ${STATUS[status][0]}`);
