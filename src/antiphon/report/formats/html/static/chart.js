'use strict';
// Charts over time: lines or stacked bars, an axis each way, and what they were at a moment that one points at.

const SVG = 'http://www.w3.org/2000/svg';
const MARGIN = { left: 56, right: 10, top: 8, bottom: 20 };

/** An element of a drawing: `draw('line', {x1: 0, …}, 'grid')`. */
function draw(tag, attributes, className = '') {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (className) element.setAttribute('class', className);
  return element;
}

/** Round values from 0 to what is at least `most`, some four of them. */
function ticksTo(most) {
  if (!(most > 0)) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const stride = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999);
  const ticks = [];
  for (let place = 0; place === 0 || ticks[place - 1] < most * 0.9999; place += 1) ticks.push(Number((place * stride).toPrecision(12)));
  return ticks;
}

/** Powers of ten around the values, and between them where there are few. */
function logTicks(least, most) {
  const from = Math.floor(Math.log10(least));
  const to = Math.ceil(Math.log10(most) + 1e-9);
  const ticks = [];
  for (let power = from; power <= Math.max(to, from + 1); power += 1) ticks.push(Number((10 ** power).toPrecision(6)));
  return ticks;
}

/** The same for what is counted, of which there are no halves. */
function countsTo(most) {
  return most > 4 ? ticksTo(most) : Array.from({ length: Math.max(Math.ceil(most), 1) + 1 }, (_, place) => place);
}

/** The same for what has another base, as bytes have 1024. */
function ticksOf(most, base) {
  const unit = base > 1 && most > base ? base ** Math.floor(Math.log(most) / Math.log(base)) : 1;
  return ticksTo(most / unit).map((tick) => tick * unit);
}

/** A figure on an axis, without the noughts that all figures there have: `7.5 s` of `7.500 s`. */
function trimmed(text) {
  return text.replace(/(\.\d*?)0+(?=\D|$)/, '$1').replace(/\.(?=\D|$)/, '');
}

/** Where values stand on an axis from `start` to `end` in pixels. */
function linear(least, most, start, end) {
  const span = most - least || 1;
  return (value) => start + ((value - least) / span) * (end - start);
}

function logarithmic(least, most, start, end) {
  const at = linear(Math.log10(least), Math.log10(most), start, end);
  return (value) => at(Math.log10(Math.max(value, least)));
}

/** Moments on the axis of time, as many as there is room for. */
function moments(from, until, width) {
  const rough = (until - from) / Math.max(Math.floor(width / 90), 1);
  const strides = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400];
  const stride = strides.find((each) => each >= rough) ?? Math.ceil(rough / 86400) * 86400;
  const found = [];
  for (let place = Math.ceil(from / stride); place * stride <= until + 1e-9; place += 1) found.push(Number((place * stride).toFixed(3)));
  return found;
}

/** A drawing with axes; `paint(plot)` draws into it, whenever its width changes. */
class Plot {
  constructor(label, height, paint) {
    this.height = height;
    this.paint = paint;
    this.svg = draw('svg', { 'aria-hidden': 'true' });
    this.element = make('div.plot', this.svg);
    this.element.setAttribute('role', 'img');
    this.element.setAttribute('aria-label', label);
    this.width = 0;
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width);
      if (width !== this.width) this.redraw(width);
    }).observe(this.element);
  }

  get inner() {
    return { left: MARGIN.left, right: this.width - MARGIN.right, top: MARGIN.top, bottom: this.height - MARGIN.bottom };
  }

  redraw(width = this.width) {
    this.width = width;
    if (width < 40) return;
    this.svg.setAttribute('viewBox', `0 0 ${width} ${this.height}`);
    this.svg.setAttribute('height', this.height);
    this.svg.replaceChildren();
    this.paint(this);
  }

  add(tag, attributes, className) {
    const element = draw(tag, attributes, className);
    this.svg.append(element);
    return element;
  }

  text(x, y, text, anchor) {
    this.add('text', { x, y, 'text-anchor': anchor }).textContent = text;
  }

  /** Lines across at values of the upright axis, with what they are. */
  rows(ticks, at, format) {
    const { left, right } = this.inner;
    for (const tick of ticks) {
      const y = Math.round(at(tick)) + 0.5;
      this.add('line', { x1: left, x2: right, y1: y, y2: y }, 'grid');
      this.text(left - 6, y + 4, trimmed(format(tick)), 'end');
    }
  }

  /** Words below, at values of the other axis, as far as they do not touch. */
  columns(ticks, at, format) {
    const { left, right, bottom } = this.inner;
    this.add('line', { x1: left, x2: right, y1: bottom + 0.5, y2: bottom + 0.5 }, 'axis');
    let free = -Infinity;
    for (const tick of ticks) {
      const [x, word] = [at(tick), trimmed(format(tick))];
      const half = word.length * 3.2;
      const middle = Math.min(Math.max(x, half), this.width - half);
      if (x < left - 1 || x > right + 1 || middle - half < free) continue;
      this.add('line', { x1: x, x2: x, y1: bottom, y2: bottom + 4 }, 'axis');
      this.text(middle, this.height - 4, word, 'middle');
      free = middle + half + 8;
    }
  }
}

/** The path of a line through values, which is broken where there are none. */
function pathOf(xs, values, at) {
  let path = '';
  let isDown = false;
  values.forEach((value, place) => {
    if (value === null || value === undefined) { isDown = false; return; }
    const isAlone = !isDown && (values[place + 1] === null || values[place + 1] === undefined);
    path += `${isDown ? 'L' : 'M'}${xs[place].toFixed(1)} ${at(value).toFixed(1)}${isAlone ? 'h.01' : ''}`;
    isDown = true;
  });
  return path;
}

/** All charts over time: who points at a moment in one sees it in each. */
const timeCharts = [];

/**
 * `lines` are `{name, values, ink, style}`, a value for each interval of `times`, or null; their style is "line",
 * "dashed", or "area". With `isStacked` they are bars on one another.
 */
class TimeChart {
  constructor({ title, times, lines, format, marks = [], isStacked = false, isWide = false, height = 170, base = 1 }) {
    Object.assign(this, { times, lines, format, marks, isStacked, base, isLogarithmic: false });
    this.place = null;
    this.moment = make('span.moment');
    this.legend = make('ul.legend');
    const told = `${title}: ${lines.map(({ name }) => name).join(', ')} over ${clock(times.to_s.at(-1) ?? 0)}. Arrow keys move along it.`;
    this.plot = new Plot(told, height, (plot) => this.paint(plot));
    this.element = make(isWide ? 'figure.wide' : 'figure', make('figcaption', make('h3', title), this.moment, this.legend), this.plot.element);
    this.listen();
    this.show(lines);
    timeCharts.push(this);
  }

  /** Show other lines. */
  show(lines) {
    this.lines = lines;
    this.values = lines.map(() => make('b'));
    this.legend.replaceChildren(...lines.map((line, index) =>
      make('li', make(`i.ink${line.ink}${line.style === 'dashed' ? '.dashed' : ''}`), visible(line.name), ' ', this.values[index])));
    this.plot.redraw();
    this.point(this.place);
  }

  get most() {
    if (!this.isStacked) return Math.max(0, ...this.lines.map(({ values }) => values.reduce((most, value) => Math.max(most, value ?? 0), 0)));
    return this.times.to_s.reduce((most, _, place) => Math.max(most, this.lines.reduce((sum, { values }) => sum + (values[place] ?? 0), 0)), 0);
  }

  paint(plot) {
    const { left, right, top, bottom } = plot.inner;
    const { from_s: from, to_s: to } = this.times;
    const [first, last] = [from[0] ?? 0, to.at(-1) ?? 1];
    const atX = linear(first, last, left, right);
    const ticks = this.isLogarithmic ? this.logarithmicTicks() : this.isStacked ? countsTo(this.most) : ticksOf(this.most, this.base);
    const atY = (this.isLogarithmic ? logarithmic : linear)(ticks[0], ticks.at(-1), bottom, top);
    plot.rows(ticks, atY, this.format);
    plot.columns(moments(first, last, right - left), atX, clock);
    for (const { at_s: at, text } of this.marks) {
      const line = plot.add('line', { x1: atX(at), x2: atX(at), y1: top, y2: bottom }, 'mark');
      line.append(Object.assign(draw('title', {}), { textContent: visible(text) }));
    }
    this.middles = to.map((end, place) => atX((from[place] + end) / 2));
    if (this.isStacked) this.paintBars(plot, atX, atY);
    else for (const line of this.lines) this.paintLine(plot, line, atY, bottom);
    this.cursor = plot.add('line', { y1: top, y2: bottom, x1: -9, x2: -9 }, 'cursor');
    this.point(this.place);
  }

  logarithmicTicks() {
    const values = this.lines.flatMap((line) => line.values).filter((value) => value > 0);
    return values.length ? logTicks(values.reduce((one, other) => Math.min(one, other)), this.most) : [1, 10];
  }

  paintLine(plot, { values, ink, style }, atY, bottom) {
    const path = pathOf(this.middles, values, atY);
    if (style === 'area' && !values.includes(null) && values.length) {
      plot.add('path', { d: `${path}V${bottom}H${this.middles[0].toFixed(1)}Z` }, `fill soft ink${ink}`);
    }
    plot.add('path', { d: path }, `line ink${ink}${style === 'dashed' ? ' dashed' : ''}`);
  }

  paintBars(plot, atX, atY) {
    const { from_s: from, to_s: to } = this.times;
    const heights = to.map(() => 0);
    for (const { values, ink } of this.lines) {
      let path = '';
      values.forEach((value, place) => {
        if (!value) return;
        const [x, width] = [atX(from[place]), Math.max(atX(to[place]) - atX(from[place]) - 0.4, 0.6)];
        const [low, high] = [atY(heights[place]), atY(heights[place] + value)];
        path += `M${x.toFixed(1)} ${low.toFixed(1)}V${high.toFixed(1)}h${width.toFixed(1)}V${low.toFixed(1)}Z`;
        heights[place] += value;
      });
      plot.add('path', { d: path }, `fill ink${ink}`);
    }
  }

  /** Tell what the lines are in that interval; null for none. */
  point(place) {
    this.place = place;
    const isAny = place !== null && place < this.times.to_s.length;
    this.moment.textContent = isAny ? clock(this.times.to_s[place]) : '';
    this.values.forEach((value, index) => {
      const at = isAny ? this.lines[index].values[place] : null;
      value.textContent = at === null || at === undefined ? '' : this.format(at);
    });
    if (!this.cursor || !this.middles) return;
    const x = isAny ? this.middles[place] : -9;
    this.cursor.setAttribute('x1', x);
    this.cursor.setAttribute('x2', x);
  }

  listen() {
    const area = this.plot.element;
    area.tabIndex = 0;
    const all = (place) => timeCharts.forEach((chart) => chart.point(place));
    area.addEventListener('pointermove', (event) => {
      if (!this.middles?.length) return;
      const x = event.clientX - area.getBoundingClientRect().left;
      let place = this.middles.findIndex((middle) => middle >= x);
      if (place < 0) place = this.middles.length - 1;
      if (place > 0 && x - this.middles[place - 1] < this.middles[place] - x) place -= 1;
      all(place);
    });
    area.addEventListener('pointerleave', () => all(null));
    area.addEventListener('blur', () => all(null));
    area.addEventListener('keydown', (event) => {
      const last = this.times.to_s.length - 1;
      const stride = Math.max(Math.round(last / 60), 1);
      const moves = { ArrowRight: (this.place ?? -1) + 1, ArrowLeft: (this.place ?? last + 1) - 1, Home: 0, End: last, PageDown: (this.place ?? -1) + stride, PageUp: (this.place ?? last + 1) - stride };
      if (!Object.hasOwn(moves, event.key) || last < 0) return;
      event.preventDefault();
      all(Math.min(Math.max(moves[event.key], 0), last));
    });
  }
}
