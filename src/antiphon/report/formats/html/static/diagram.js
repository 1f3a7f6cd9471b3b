'use strict';
// The sequence diagram: time runs down, a line of fixed height for what happened, lifelines for actors and peers. Only
// the lines that can be seen are in the document.

const ROW = 24;
const OVERSCAN = 12;
const INDENT = 13;
const TIMES = 134;
const NARROW = 760;
const COMPACT = 560;
const LANE_GAP = 7;
/** Of more lanes or columns than these, the last stand upon each other: a hundred branches would leave no room. */
const MOST_LANES = 8;
const MOST_COLUMNS = 10;
const LEAST_TEXT = 170;
const BLOCK = 512;

/** Steps or waits, to be asked for those that go on somewhere between two lines of the journal. */
class Spans {
  constructor(spans, lastLine) {
    this.spans = spans.filter((span) => span.to > span.from).sort((one, other) => one.from - other.from);
    this.open = [];
    let active = [];
    let next = 0;
    for (let start = 0; start <= lastLine; start += BLOCK) {
      while (next < this.spans.length && this.spans[next].from < start) active.push(this.spans[next++]);
      active = active.filter((span) => span.to >= start);
      this.open.push(active);
      active = [...active];
    }
  }

  between(first, last) {
    const block = Math.min(Math.floor(first / BLOCK), this.open.length - 1);
    if (block < 0) return [];
    const found = this.open[block].filter((span) => span.to >= first);
    const begin = lowerBound(this.spans, block * BLOCK, (span) => span.from);
    for (let index = begin; index < this.spans.length && this.spans[index].from <= last; index += 1) {
      if (this.spans[index].to >= first) found.push(this.spans[index]);
    }
    return found;
  }
}

/** The first index in a sorted list whose value is not below the wanted one. */
function lowerBound(list, wanted, valueOf) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueOf(list[middle]) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

class Diagram {
  /** `onChoose(item)` is called when an item was chosen, `onFold(step)` when a step is to be folded, `onDraw()` at each look. */
  constructor(story, { onChoose, onFold, onDraw }) {
    this.onDraw = onDraw;
    this.story = story;
    this.onChoose = onChoose;
    this.onFold = onFold;
    this.scroller = byId('scroller');
    this.canvas = byId('canvas');
    this.lanes = byId('lanes');
    this.marks = byId('marks');
    this.rows = [];
    this.lines = [];
    this.shown = new Map();
    this.bars = [];
    this.chosen = null;
    this.actors = story.actors;
    const last = story.lines.count;
    this.steps = new Spans([...story.steps.values()], last);
    this.waits = new Spans(story.waits, last);
    this.scroller.addEventListener('scroll', () => this.soon(), { passive: true });
    this.canvas.addEventListener('click', (event) => this.clicked(event));
    new ResizeObserver(() => this.layOut()).observe(this.scroller);
  }

  // -- what is shown --------------------------------------------------------------------------------------------------

  /** Show these items; the line that was at the top of the window, or the chosen one, stays where it is. */
  show(rows, actors) {
    const anchor = this.anchor();
    this.rows = rows;
    this.actors = actors;
    this.clear();
    this.canvas.style.height = `${rows.length * ROW}px`;
    if (anchor) this.scroller.scrollTop = lowerBound(rows, anchor.line, (row) => row.line) * ROW - anchor.offset;
    this.layOut();
  }

  anchor() {
    if (!this.rows.length) return null;
    const top = this.scroller.scrollTop;
    const chosen = this.chosen ? this.indexOf(this.chosen) : -1;
    const isSeen = chosen >= 0 && chosen * ROW >= top && chosen * ROW < top + this.scroller.clientHeight;
    const index = isSeen ? chosen : Math.min(Math.floor(top / ROW), this.rows.length - 1);
    return { line: this.rows[index].line, offset: index * ROW - top };
  }

  indexOf(item) {
    let index = lowerBound(this.rows, item.line, (row) => row.line);
    while (index < this.rows.length && this.rows[index].line === item.line && this.rows[index] !== item) index += 1;
    return this.rows[index] === item ? index : -1;
  }

  choose(item, { center = false } = {}) {
    this.chosen = item;
    const index = item ? this.indexOf(item) : -1;
    if (index >= 0) this.reveal(index, center);
    for (const element of this.canvas.querySelectorAll('[aria-selected="true"]')) element.setAttribute('aria-selected', 'false');
    this.draw();
    const element = this.shown.get(item);
    if (element) {
      element.setAttribute('aria-selected', 'true');
      this.scroller.setAttribute('aria-activedescendant', element.id);
    } else this.scroller.removeAttribute('aria-activedescendant');
    for (const other of this.shown.values()) other.classList.remove('related');
    for (const related of item ? relatedTo(item) : []) this.shown.get(related)?.classList.add('related');
  }

  reveal(index, center) {
    const head = this.lanes.offsetHeight;
    const height = this.scroller.clientHeight - head;
    const top = this.scroller.scrollTop;
    if (center && (index * ROW < top || (index + 1) * ROW > top + height)) {
      this.scroller.scrollTop = index * ROW - height / 2;
    } else if (index * ROW < top + ROW) this.scroller.scrollTop = (index - 1) * ROW;
    else if ((index + 2) * ROW > top + height) this.scroller.scrollTop = (index + 2) * ROW - height;
  }

  // -- geometry -------------------------------------------------------------------------------------------------------

  /** Where the lifelines stand: actors, then a gap wide enough for the names of messages, then the peers. */
  layOut() {
    const width = this.scroller.clientWidth;
    const { actors, story: { peers } } = this;
    const isCompact = width < COMPACT;
    const times = width < NARROW ? TIMES - 62 : TIMES;
    this.canvas.classList.toggle('narrow', width < NARROW);
    this.scroller.classList.toggle('compact', isCompact);
    this.gutter = times + (isCompact ? 2 : 8);
    this.indent = isCompact ? INDENT - 6 : INDENT;
    const left = this.laneX(this.story.laneStarts.length - 1) + 4;
    const room = Math.max(width - left, isCompact ? 200 : 300);
    const pitch = isCompact ? clamp((room * 0.4) / Math.max(actors.length, 1), 12, 40)
      : clamp((room * 0.62 - clamp(room * 0.3, 190, 300)) / Math.max(actors.length + peers.length - 1, 1), 56, 150);
    const peerPitch = isCompact ? clamp(90 / Math.max(peers.length, 1), 12, 40) : clamp(room * 0.17, 96, 150);
    // A small window has no room for what stands right of the peers: there is the gap, for the names, and no more.
    const gap = isCompact ? Math.max(room - 36 - (actors.length - 1) * pitch - (peers.length - 1) * peerPitch, 90)
      : clamp(room * 0.3, 190, 300);
    this.xs = new Map();
    let x = left + (isCompact ? 12 : 40);
    actors.forEach((actor) => { this.xs.set(actor, x); x += pitch; });
    if (actors.length) x += gap - pitch;
    this.nameFrom = x - gap;
    this.nameTo = x;
    peers.forEach((peer) => { this.xs.set(peer, x); x += peerPitch; });
    this.textFrom = (peers.length ? x - peerPitch : x - gap) + 24;
    this.width = isCompact ? Math.max(width, this.textFrom) : Math.max(width, this.textFrom + LEAST_TEXT);
    this.canvas.style.width = this.lanes.style.width = `${this.width}px`;
    this.pitch = pitch;
    this.peerPitch = peerPitch;
    this.drawLanes();
    this.clear();
    this.draw();
    this.drawMarks();
  }

  drawLanes() {
    const { peers } = this.story;
    const heads = [
      ...this.actors.map((actor, index) => {
        const isTight = this.pitch < 100 && this.actors.length > 1;
        const head = this.head(actor, 'actor', visible(actor.name), '', isTight ? 2 * this.pitch : this.pitch);
        head.classList.toggle('high', isTight && index % 2 === 0);
        return head;
      }),
      ...peers.map((peer, index) => this.head(
        peer, 'peer', visible(peer.name) || 'the other side', peer.channels.map(visible).join(', '),
        peers.length === 1 ? 200 : this.peerPitch,
      )),
    ];
    this.lanes.replaceChildren(this.timesHead(), ...heads);
    this.lifelines?.remove();
    this.lifelines = make('div.lifelines', ...this.laneGrounds(), ...[...this.xs.values()].map((x) => {
      const line = make('span.lifeline');
      line.style.left = `${x}px`;
      return line;
    }));
    this.lifelines.setAttribute('aria-hidden', 'true');
    this.canvas.prepend(this.lifelines);
  }

  timesHead() {
    const head = make('span.times-head', 'seconds');
    head.title = 'Since the actors were there';
    return head;
  }

  /** A ground for every other lane of steps, so that what goes on side by side is seen as that. */
  laneGrounds() {
    const lanes = Math.min(this.story.laneStarts.length - 1, MOST_LANES);
    return lanes < 2 ? [] : [...Array(lanes).keys()].map((lane) => {
      const ground = make('span.lane');
      ground.style.left = `${this.laneX(lane) - 3}px`;
      ground.style.width = `${this.laneX(lane + 1) - this.laneX(lane) - 2}px`;
      return ground;
    });
  }

  head(who, kind, name, below, room) {
    const head = make(`span.head.${kind}`, make('b', name), below ? make('small', below) : null);
    if (kind === 'actor') head.classList.add(`hue${who.hue}`);
    head.title = below ? `${name}: ${below}` : name;
    head.style.left = `${this.xs.get(who)}px`;
    head.style.maxWidth = `${Math.max(room - 8, 60)}px`;
    return head;
  }

  drawMarks() {
    const wrong = this.story.problems.slice(0, 200);
    this.marks.replaceChildren(...wrong.map((item) => {
      const mark = make('span');
      const index = lowerBound(this.rows, item.line, (row) => row.line);
      const height = Math.max(this.rows.length * ROW, this.scroller.clientHeight - this.lanes.offsetHeight);
      mark.style.top = `${(100 * index * ROW) / Math.max(height, 1)}%`;
      return mark;
    }));
  }

  // -- drawing --------------------------------------------------------------------------------------------------------

  soon() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    requestAnimationFrame(() => {
      this.isWaiting = false;
      this.draw();
    });
  }

  clear() {
    for (const element of this.shown.values()) element.remove();
    this.shown.clear();
    for (const bar of this.bars) bar.remove();
    this.bars = [];
    this.window = null;
  }

  draw() {
    this.onDraw();
    const first = Math.max(Math.floor(this.scroller.scrollTop / ROW) - OVERSCAN, 0);
    const visibleRows = Math.ceil(this.scroller.clientHeight / ROW);
    const last = Math.min(first + visibleRows + 2 * OVERSCAN, this.rows.length) - 1;
    if (this.window && this.window.first === first && this.window.last === last) return;
    this.window = { first, last };
    const wanted = new Set(this.rows.slice(first, last + 1));
    for (const [item, element] of this.shown) {
      if (!wanted.has(item)) {
        element.remove();
        this.shown.delete(item);
      }
    }
    const related = new Set(this.chosen ? relatedTo(this.chosen) : []);
    const added = [];
    for (let index = first; index <= last; index += 1) {
      const item = this.rows[index];
      if (this.shown.has(item)) continue;
      const element = this.row(item, index);
      if (related.has(item)) element.classList.add('related');
      this.shown.set(item, element);
      added.push(element);
    }
    this.canvas.append(...added);
    this.drawBars(first, last);
  }

  /** Brackets of steps and spans of waits, cut to the window. */
  drawBars(first, last) {
    for (const bar of this.bars) bar.remove();
    this.bars = [];
    if (last < first) return;
    const from = this.rows[first].line;
    const to = this.rows[last].line;
    for (const step of this.steps.between(from, to)) this.bars.push(this.bracket(step, first, last));
    for (const wait of this.waits.between(from, to)) this.bars.push(this.bar(wait, first, last));
    for (const wait of this.story.waits) if (wait.nearest) this.bars.push(this.join(wait, first, last));
    this.bars = this.bars.filter(Boolean);
    this.canvas.append(...this.bars);
  }

  rangeOf(span, first, last) {
    const lineOf = (row) => row.line;
    const begin = lowerBound(this.rows, span.from, lineOf);
    const end = lowerBound(this.rows, span.to + 1, lineOf) - 1;
    if (end < begin || end < first || begin > last) return null;
    return { top: Math.max(begin, first - 1), bottom: Math.min(end, last + 1), begin, end };
  }

  bracket(step, first, last) {
    const range = this.rangeOf(step, first, last);
    if (!range || range.begin === range.end || step.isFolded || this.rows[range.begin] !== step) return null;
    const bracket = make(`div.bracket.${step.outcome}`);
    bracket.setAttribute('aria-hidden', 'true');
    if (step.actor && this.story.actors.length > 1) bracket.classList.add(`hue${step.actor.hue}`);
    const top = (range.top + (range.top === range.begin ? 0.92 : 0.1)) * ROW;
    bracket.style.left = `${this.stepX(step)}px`;
    bracket.style.top = `${top}px`;
    bracket.style.height = `${Math.max((range.bottom + 0.62) * ROW - top, 4)}px`;
    if (range.bottom < range.end) bracket.classList.add('goes-on');
    return bracket;
  }

  /** Where a lane of steps begins; that behind the last is where they end. */
  laneX(lane) {
    const { start } = this.story.laneStarts[Math.min(lane, this.story.laneStarts.length - 1)];
    return this.gutter + Math.min(start, MOST_COLUMNS) * this.indent + Math.min(lane, MOST_LANES) * LANE_GAP;
  }

  stepX(step) {
    const { start, least } = this.story.laneStarts[step.lane];
    return this.laneX(step.lane) + (Math.min(start + step.depth - least, MOST_COLUMNS) - Math.min(start, MOST_COLUMNS)) * this.indent;
  }

  bar(wait, first, last) {
    const x = wait.actor ? this.xs.get(wait.actor) : undefined;
    const range = x === undefined ? null : this.rangeOf(wait, first, last);
    if (!range) return null;
    const bar = make(`div.bar.${wait.outcome}`);
    bar.item = wait;
    bar.setAttribute('aria-hidden', 'true');
    bar.title = visible(`${waitTold(wait)}`);
    bar.style.left = `${x - 9 - Math.min(wait.level, 3) * 8}px`;
    const isOwnEnd = this.rows[range.end] === wait || this.rows[range.end] === wait.message;
    const top = (range.top + 0.1) * ROW;
    bar.style.top = `${top}px`;
    bar.style.height = `${(range.bottom + (isOwnEnd && range.bottom === range.end ? 0.5 : 0.9)) * ROW - top}px`;
    return bar;
  }

  /** From the nearest message down to the wait that it did not fit. */
  join(wait, first, last) {
    const begin = this.indexOf(wait.nearest.message);
    const end = this.indexOf(wait);
    const x = this.xs.get(wait.actor);
    if (begin < 0 || end < 0 || x === undefined || end < first || begin > last) return null;
    const join = make('div.join');
    join.setAttribute('aria-hidden', 'true');
    const top = (Math.max(begin, first - 1) + 0.74) * ROW;
    join.style.left = `${x + 4}px`;
    join.style.top = `${top}px`;
    join.style.height = `${Math.max((Math.min(end, last + 1) + 0.3) * ROW - top, 2)}px`;
    return join;
  }

  // -- a line ---------------------------------------------------------------------------------------------------------

  row(item, index) {
    const row = make(`div.row.${item.kind}`);
    row.id = `line${item.line}-${item.kind}`;
    row.item = item;
    row.setAttribute('role', 'option');
    row.setAttribute('aria-selected', String(item === this.chosen));
    row.setAttribute('aria-setsize', String(this.rows.length));
    row.setAttribute('aria-posinset', String(index + 1));
    if (item === this.story.failing) row.classList.add('failing');
    row.style.top = `${index * ROW}px`; // no transform: that would keep its text below the bars
    const before = index ? this.rows[index - 1].at : 0;
    const gap = item.at - before;
    const weight = gap >= 1e9 ? 'long' : gap >= 1e8 ? 'middle' : 'short';
    row.append(make('span.at', moment(item.at)), make(`span.gap.${weight}`, gap >= 1e6 ? `+${duration(gap)}` : ''));
    DRAWERS[item.kind].call(this, item, row);
    return row;
  }

  /** Text that begins at the actor's lifeline, for what is no message. */
  remark(row, item, ...content) {
    const x = item.actor && this.xs.has(item.actor) ? this.xs.get(item.actor) + 14 : this.laneX(this.story.laneStarts.length - 1);
    const text = make('span.remark', ...content);
    text.style.left = `${x}px`;
    text.style.maxWidth = `${this.width - x - 10}px`;
    row.append(text);
  }

  arrow(row, item, name, classes) {
    const from = this.xs.get(item.actor) ?? this.nameFrom;
    const to = this.xs.get(item.peer) ?? this.nameTo;
    const arrow = make(`span.arrow.${classes}`);
    arrow.style.left = `${from}px`;
    arrow.style.width = `${to - from}px`;
    const { actors } = this.story;
    // The lines of several cross each other's lifelines: the name alone would not say whose it is.
    const whose = actors.length > 1 ? make(`span.whose.hue${item.actor.hue}`, visible(item.actor.name)) : null;
    const label = make('span.label', whose, make('span.name', visible(name)));
    label.title = actors.length > 1 ? `${visible(item.actor.name)}: ${visible(name)}` : visible(name);
    label.style.left = `${this.nameFrom}px`;
    label.style.width = `${this.nameTo - this.nameFrom}px`;
    row.append(arrow, label);
  }

  /** What stands right of the peers. */
  text(row, body, tag) {
    const text = make('span.text', make('span.glance', body), tag ? make('span.tag', tag) : null);
    text.style.left = `${this.textFrom}px`;
    row.append(text);
  }

  clicked(event) {
    const bar = event.target.closest('.bar');
    const row = event.target.closest('.row');
    if (event.target.closest('.fold')) this.onFold(row.item);
    else if (bar) this.onChoose(bar.item);
    else if (row) this.onChoose(row.item);
  }
}

function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
