'use strict';
// The run's true time, in a strip: where much was said, where nothing was, where it failed, and where one is.

/** A pause is told if it takes at least this part of the run. */
const TOLD_PAUSE = 0.12;

class Strip {
  /** `onPick(item)` is called with what happened next after the moment that was clicked. */
  constructor(story, diagram, onPick) {
    this.story = story;
    this.diagram = diagram;
    this.canvas = byId('strip');
    this.canvas.addEventListener('click', (event) => {
      const { rows } = diagram;
      const at = this.begin + (event.offsetX / this.canvas.clientWidth) * this.length;
      if (rows.length) onPick(rows[Math.min(lowerBound(rows, at, (row) => row.at), rows.length - 1)]);
    });
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  get begin() {
    return Math.min(this.story.origin, this.diagram.rows[0]?.at ?? 0);
  }

  get length() {
    return Math.max(this.story.lastAt - this.begin, 1);
  }

  x(at) {
    return ((at - this.begin) / this.length) * this.canvas.clientWidth;
  }

  draw() {
    const { canvas, diagram, story } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width) return;
    const scale = window.devicePixelRatio || 1;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    const ink = (name) => style.getPropertyValue(`--${name}`).trim();
    const floor = height - 4;
    // What was said is gone through once, and not at every look: there may be a hundred thousand lines.
    if (this.known?.rows !== diagram.rows || this.known.width !== width) {
      this.known = { rows: diagram.rows, width, columns: this.columns(width), pauses: this.pauses() };
    }
    this.drawWindow(pen, ink, height);
    pen.fillStyle = ink('faint');
    pen.fillRect(0, floor, width, 1);
    const tall = (count) => (count ? 4 + Math.min(Math.log2(count) * 2, floor / 2 - 6) : 0);
    for (const [x, { sent, received }] of this.known.columns) {
      pen.fillStyle = ink('received');
      pen.fillRect(x, floor - tall(received), 1.5, tall(received));
      pen.fillStyle = ink('sent');
      pen.fillRect(x, floor - tall(received) - tall(sent), 1.5, tall(sent));
    }
    pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    pen.fillStyle = ink('dim');
    pen.textAlign = 'center';
    for (const { from, to } of this.known.pauses) {
      const told = duration(to - from);
      const room = this.x(to) - this.x(from);
      if (pen.measureText(told).width < room - 10) pen.fillText(told, this.x(from) + room / 2, floor - 6);
    }
    if (story.failing && !story.isExpected) {
      pen.fillStyle = ink('bad');
      pen.fillRect(this.x(story.failing.at) - 1, 0, 2.5, height);
    }
    if (diagram.chosen) {
      const x = this.x(diagram.chosen.at);
      pen.fillStyle = ink('focus');
      pen.beginPath();
      pen.moveTo(x - 5, 0);
      pen.lineTo(x + 5, 0);
      pen.lineTo(x, 7);
      pen.fill();
    }
  }

  /** What the lines in the window take of the time. */
  drawWindow(pen, ink, height) {
    const { rows, scroller, lanes } = this.diagram;
    if (!rows.length) return;
    const first = clamp(Math.floor(scroller.scrollTop / ROW), 0, rows.length - 1);
    const last = clamp(Math.floor((scroller.scrollTop + scroller.clientHeight - lanes.offsetHeight) / ROW), first, rows.length - 1);
    const from = this.x(rows[first].at);
    pen.fillStyle = ink('chosen');
    pen.fillRect(from, 0, Math.max(this.x(rows[last].at) - from, 4), height);
  }

  /** How much was said at each place of the strip, of what is shown. */
  columns(width) {
    const found = new Map();
    for (const item of this.diagram.rows) {
      if (item.kind !== 'message' && item.kind !== 'http') continue;
      const x = clamp(Math.floor(this.x(item.at) / 2) * 2, 0, width - 2);
      const column = found.get(x) ?? { sent: 0, received: 0 };
      column[item.isSent || item.kind === 'http' ? 'sent' : 'received'] += 1;
      found.set(x, column);
    }
    return found;
  }

  /** Between what moments nothing was said for long. */
  pauses() {
    const moments = this.diagram.rows.filter((item) => item.kind === 'message' || item.kind === 'http').map((item) => item.at);
    moments.push(this.story.lastAt);
    return moments.slice(1).map((to, index) => ({ from: moments[index], to })).filter(({ from, to }) => to - from >= TOLD_PAUSE * this.length);
  }
}
