'use strict';
// Tables of a load, each in a box of its own that scrolls where the page is narrow.

/** A table; a cell is a text, an element, or `{text, className}`. Its head may be `{text, className}`, too. */
function table(head, rows, className = '') {
  const cell = (tag, content) => {
    if (content instanceof Node || typeof content === 'string') return make(tag, content);
    const element = make(tag, content.text);
    element.className = content.className;
    return element;
  };
  const body = make('tbody', ...rows.map((cells) => make('tr', ...cells.map((each) => cell('td', each)))));
  const titles = head.map((each) => { const title = cell('th', each); title.scope = 'col'; return title; });
  const element = make('table', make('thead', make('tr', ...titles)), body);
  if (className) element.className = className;
  return inBox(element);
}

/** A box that scrolls by itself; one that does is reached by keys. */
function inBox(element) {
  const box = make('div.scroll', element);
  new ResizeObserver(() => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  }).observe(box);
  return box;
}

const COLUMNS = [
  ['count', (series) => series.count, number], ['errors', (series) => series.errors, number], ['rate', (series) => series.per_s, rate],
  ['mean', (series) => series.mean_ms, took], ['p50', (series) => series.p50_ms, took], ['p90', (series) => series.p90_ms, took],
  ['p95', (series) => series.p95_ms, took], ['p99', (series) => series.p99_ms, took], ['p99.9', (series) => series.p999_ms, took],
  ['max', (series) => series.max_ms, took],
];

/** All series, a row each; the head of a column sorts by it, and once more gives the order that they had. */
class StepTable {
  constructor(all, choose) {
    this.rows = new Map(all.map((series) => [series.name, this.row(series, choose)]));
    this.all = all;
    this.body = make('tbody', ...this.rows.values());
    this.titles = COLUMNS.map(([name, value]) => {
      const title = make('th.number', button(name, () => this.sort(title, value), 'sort'));
      title.scope = 'col';
      return title;
    });
    this.element = inBox(make('table.steps', make('thead', make('tr', make('th.named', ''), ...this.titles)), this.body));
  }

  row(series, choose) {
    const { depth, name } = nameOf(series);
    const link = button(visible(name), () => choose(series.name), 'link');
    link.title = `${series.kind}: ${visible(series.name)}`;
    const cells = COLUMNS.map(([what, value, format]) => make(what === 'errors' && series.errors ? 'td.number.bad.strong' : 'td.number', format(value(series))));
    return make(depth < 2 && ['conversation', 'step'].includes(series.kind) ? 'tr.top' : 'tr', make(`td.named.depth${depth}`, link), ...cells);
  }

  sort(title, value) {
    const wasSorted = title.getAttribute('aria-sort') === 'descending';
    this.titles.forEach((each) => each.removeAttribute('aria-sort'));
    const order = wasSorted ? this.all : [...this.all].sort((one, other) => value(other) - value(one));
    if (!wasSorted) title.setAttribute('aria-sort', 'descending');
    this.body.append(...order.map(({ name }) => this.rows.get(name)));
  }

  mark(chosen) {
    for (const [name, row] of this.rows) row.setAttribute('aria-current', String(name === chosen));
  }
}
