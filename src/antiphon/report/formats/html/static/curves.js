'use strict';
// How the durations of one thing are spread: its histogram, and its curve of percentiles.

/** A chart of one series, which shows another when it is told to. */
class Curve {
  constructor(title, paint) {
    this.data = null;
    this.title = title;
    this.plot = new Plot(title, 190, (plot) => { if (this.data) paint(plot, this.data); });
    this.remark = make('span.dim');
    this.element = make('figure', make('figcaption', make('h3', title), this.remark), this.plot.element);
  }

  show(data, remark) {
    this.data = data;
    this.remark.textContent = remark;
    this.plot.element.setAttribute('aria-label', `${this.title}; ${remark}`);
    this.plot.redraw();
  }
}

/** Bars as `[from_ms, to_ms, count]`, each as much longer than the one before. */
function paintHistogram(plot, bars) {
  if (!bars.length) return;
  const { left, right, top, bottom } = plot.inner;
  const [least, most] = [bars[0][0], bars.at(-1)[1]];
  const atX = logarithmic(least, most > least ? most : least * 1.01, left, right);
  const ticks = ticksTo(Math.max(...bars.map(([, , count]) => count)));
  const atY = linear(0, ticks.at(-1), bottom, top);
  plot.rows(ticks, atY, number);
  let path = '';
  for (const [from, to, count] of bars) {
    if (!count) continue;
    const [x, width] = [atX(from), Math.max(atX(to) - atX(from) - 1, 1)];
    // One among thousands is what one looks for: it is a pixel high.
    path += `M${x.toFixed(1)} ${bottom}V${Math.min(atY(count), bottom - 1).toFixed(1)}h${width.toFixed(1)}V${bottom}Z`;
  }
  plot.add('path', { d: path }, 'fill ink1');
  plot.columns(roundBetween(least, most), atX, took);
}

/** 1, 2, 5, 10, … between two durations; where they are near one another, values as far apart as each other. */
function roundBetween(least, most) {
  const found = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most); power += 1) {
    for (const factor of [1, 2, 5]) {
      const value = Number((factor * 10 ** power).toPrecision(3));
      if (value >= least && value <= most) found.push(value);
    }
  }
  if (found.length > 2) return found;
  const stride = ticksTo(most - least)[1];
  const first = Math.ceil(least / stride);
  return Array.from({ length: Math.max(Math.floor(most / stride) - first + 1, 0) }, (_, place) => (first + place) * stride);
}

/** The curve as `[percent, ms]`: each nine more takes the same room, for what is beyond is what matters. */
function paintPercentiles(plot, curve) {
  if (!curve.length) return;
  const { left, right, top, bottom } = plot.inner;
  const nines = (percentile) => -Math.log10(1 - percentile / 100);
  const last = Math.max(nines(curve.at(-1)[0]), 1);
  const atX = linear(0, last, left, right);
  const ticks = ticksTo(curve.at(-1)[1]);
  const atY = linear(0, ticks.at(-1), bottom, top);
  plot.rows(ticks, atY, took);
  const [xs, values] = [curve.map(([percentile]) => atX(nines(percentile))), curve.map(([, ms]) => ms)];
  plot.add('path', { d: pathOf(xs, values, atY) }, 'line ink1');
  const named = [0, 50, 90, 99, 99.9, 99.99, 99.999].filter((percentile) => nines(percentile) <= last);
  plot.columns(named, (percentile) => atX(nines(percentile)), (percentile) => (percentile ? `p${percentile}` : 'min'));
}
