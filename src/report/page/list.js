// The list: a window of cards over the operations that match, which grows as one goes on; so ten thousand entries stay smooth.

const WINDOW = 60;

class List {
  constructor(place, page) {
    Object.assign(this, { place, page, shown: [], start: 0, end: 0, cards: new Map() });
    this.newer = make('button', { type: 'button', class: 'control more', hidden: true });
    this.older = make('button', { type: 'button', class: 'control more', hidden: true });
    this.body = make('div', {});
    place.append(this.newer, this.body, this.older);
    this.newer.addEventListener('click', () => this.show(Math.max(0, this.start - WINDOW), this.end));
    this.older.addEventListener('click', () => this.goOn(true));
    const near = new IntersectionObserver((seen) => {
      if (!seen.some((each) => each.isIntersecting)) return;
      this.goOn(false);
      // Changes alone are told: whoever scrolls on at once is near again before anybody noticed that they were not.
      near.unobserve(this.older);
      near.observe(this.older);
    }, { rootMargin: '800px' });
    near.observe(this.older);
  }

  /** Shows the first of these operations. */
  set(operations) {
    this.shown = operations;
    this.cards.clear();
    this.show(0, Math.min(WINDOW, operations.length));
  }

  goOn(asked) {
    if (this.older.hidden) return;
    const from = this.end;
    this.show(this.start, Math.min(this.shown.length, this.end + WINDOW));
    // Whoever pressed the button goes on with the first of the new ones.
    if (asked) this.cards.get(this.shown[from])?.querySelector('summary').focus();
  }

  show(start, end) {
    const grows = start === this.start && this.body.childElementCount > 0 && this.cards.size > 0 && end > this.end;
    const from = grows ? this.end : start;
    if (!grows) this.body.replaceChildren();
    let last = grows ? this.body.lastElementChild : null;
    for (const found of this.shown.slice(from, end)) {
      if (last?.dataset.run !== `${found.repository} ${found.run}`) {
        last = this.group(found);
        this.body.append(last);
      }
      last.append(this.card(found));
    }
    Object.assign(this, { start, end });
    this.newer.hidden = start === 0;
    this.newer.textContent = `Show newer ones (${start.toLocaleString('en')} more)`;
    const left = this.shown.length - end;
    this.older.hidden = left === 0;
    this.older.textContent = `Show older ones (${left.toLocaleString('en')} more)`;
  }

  /** Operations of one run that follow each other stand under one heading. */
  group(found) {
    const heading = make('h2', {}, `Run ${found.run || 'not told'}`, make('span', { class: 'repository' }, ` ${found.repository}`));
    return make('section', { class: 'run', 'data-run': `${found.repository} ${found.run}` }, heading);
  }

  card(found) {
    if (!this.cards.has(found)) this.cards.set(found, card(found, this.page));
    return this.cards.get(found);
  }

  /** Opens an operation, wherever it is in the list, and goes to a place in it. */
  open(found, anchor) {
    const at = this.shown.indexOf(found);
    if (at < 0) return false;
    if (at < this.start || at >= this.end) this.show(Math.max(0, at - 5), Math.min(this.shown.length, at + WINDOW));
    const element = this.card(found);
    element.open = true;
    fill(element, found, this.page);
    const target = [...element.querySelectorAll('[data-anchor]')].find((each) => each.dataset.anchor === anchor) ?? element;
    this.place.querySelector('.target')?.classList.remove('target');
    target.classList.add('target');
    target.scrollIntoView({ block: 'center' });
    (target.querySelector('a.anchor') ?? element.querySelector('summary')).focus({ preventScroll: true });
    return true;
  }
}
