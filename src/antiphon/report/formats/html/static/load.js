'use strict';
// The report of a load: its parts in the order of the page, each filled from the data in it.

const data = JSON.parse(byId('data').textContent);
const { summary, times } = data;
const INKS = 8;
const MOST_STACKED = 6;
const LONGEST_TABLE = 200;
const MOST_MOVED = 12;
/** Half a microsecond: less is told as nothing. */
const LEAST_MS = 0.0005;

const VERDICTS = { passed: 'good', failed: 'bad' };

function contentOf(id) {
  byId(id).hidden = false;
  return byId(id).querySelector('.content');
}

function sumOver(lists) {
  return times.to_s.map((_, place) => {
    const values = lists.map((list) => list[place]).filter((value) => value !== null && value !== undefined);
    return values.length ? values.reduce((sum, value) => sum + value, 0) : null;
  });
}

const marks = [
  ...summary.changes.map(({ at_s, text }) => ({ at_s, text })),
  ...summary.lost_processes.map(({ at_s, process, text }) => ({ at_s, text: `process ${process} was lost: ${text}` })),
];

function chart(options) {
  return new TimeChart({ times, marks, ...options }).element;
}

// -- the head -------------------------------------------------------------------------------------------------------

function fillHead() {
  const verdict = byId('verdict');
  verdict.textContent = summary.verdict.toUpperCase();
  if (summary.is_valid && summary.verdict in VERDICTS) verdict.classList.add(VERDICTS[summary.verdict]);
  const worth = byId('worth');
  worth.textContent = summary.is_valid ? 'VALID' : 'INCONCLUSIVE';
  if (summary.is_valid) worth.classList.add('good');
  worth.hidden = worth.textContent === verdict.textContent;
  worth.title = summary.is_valid ? 'the numbers may be trusted' : 'the numbers may not be trusted';
  byId('name').textContent = visible(summary.name);
  const zero = new Date(summary.started_at);
  byId('facts').textContent = [
    summary.stand && `stand ${visible(summary.stand)}`,
    Number.isNaN(zero.getTime()) ? '' : `${zero.toISOString().slice(0, 19).replace('T', ' ')} UTC`,
    clock(summary.duration_s), `seed ${summary.seed}`, summary.shard && `shard ${visible(summary.shard)}`,
    counted(summary.processes, 'process').replace(/sss$/, 'sses'), `on ${counted(summary.cpus, 'core')}`, visible(summary.machine),
    `Python ${visible(summary.python)}`, `antiphon ${visible(summary.antiphon)}`,
  ].filter(Boolean).join(' · ');
  const crossed = summary.thresholds.filter((threshold) => !threshold.has_passed);
  const why = [
    ...summary.doubts.map((doubt) => make('li', visible(doubt))),
    ...(summary.error ? [make('li.bad', visible(summary.error))] : []),
    ...crossed.map(({ threshold, measured }) => make('li.bad', `crossed: ${visible(threshold)}; ${visible(measured)}`)),
  ];
  byId('why').replaceChildren(...why);
  byId('why').hidden = !why.length;
}

function fillNavigation() {
  const sections = [...document.querySelectorAll('main > section')].filter((section) => !section.hidden && section.querySelector('h2'));
  byId('nav').append(...sections.map((section) => {
    const link = make('a', section.querySelector('h2').textContent);
    link.href = `#${section.id}`;
    return link;
  }));
}

function fillOverview() {
  const { conversations: all, time, traffic } = summary;
  const whole = summary.series.filter(({ kind }) => kind === 'conversation').sort((one, other) => other.count - one.count)[0];
  const card = (title, value, remark, isBad = false) => make(isBad ? 'div.card.bad' : 'div.card', make('small', title), make('b', value), make('small', remark));
  const ends = [[all.interrupted, 'interrupted'], [all.lost, 'lost'], [all.dropped, 'never begun']].filter(([count]) => count);
  byId('overview').append(
    card('conversations', number(all.started), [`${number(all.passed)} passed`, ...ends.map(([count, what]) => `${number(count)} ${what}`)].join(', ')),
    card('began', rate(all.started_per_s), `${rate(all.due_per_s)} were due; ${number(all.late)} began late`, all.started < all.due * 0.98),
    card('failed', percent(all.failed_share), counted(all.failed, 'conversation'), all.failed > 0),
    card('at once, at most', number(all.most_live ?? 0), `over ${clock(summary.asking_s)} of asking`),
    ...(whole ? [card('a conversation, p50', took(whole.p50_ms), `p95 ${took(whole.p95_ms)}, p99 ${took(whole.p99_ms)}`)] : []),
    card('messages', number(traffic.sent + traffic.received), `${size(traffic.sent_bytes)} out, ${size(traffic.received_bytes)} in`),
    card('our CPU', `${number(time.cpu_s)} s`, `of ${clock(time.conversations_s)} of conversations; ${clock(time.late_s)} late`),
  );
}

// -- what had to hold, and the baseline -----------------------------------------------------------------------------

function fillThresholds() {
  if (!summary.thresholds.length) return;
  const ordered = [...summary.thresholds].sort((one, other) => one.has_passed - other.has_passed);
  contentOf('thresholds').append(table(['', 'threshold', 'measured'], ordered.map((judged) => [
    { text: judged.has_passed ? '✓ holds' : '✗ crossed', className: judged.has_passed ? 'good wait-word' : 'bad strong wait-word' },
    { text: visible(judged.threshold), className: 'named' },
    { text: visible(judged.measured) + (judged.ended_the_load ? '; it ended the load' : ''), className: 'sentence' },
  ])));
}

function figureTold({ figure }, value) {
  if (figure.endsWith('per second')) return rate(value);
  return figure.endsWith('share') ? percent(value) : took(value);
}

/** Where the ratio lies, and its interval, beside a line for no change; a third less at the left, half as much again at the right. */
function span({ ratio, low, high, direction }) {
  const svg = draw('svg', { viewBox: '0 0 150 18', 'aria-hidden': 'true' }, `span ink${{ worse: 5, better: 3 }[direction] ?? 8}`);
  const at = (value) => Math.min(Math.max(75 + (Math.log(value) / Math.log(1.5)) * 70, 3), 147);
  svg.append(draw('line', { x1: 75, x2: 75, y1: 0, y2: 18 }), draw('line', { x1: at(low), x2: at(high), y1: 9, y2: 9 }, 'between'),
    draw('circle', { cx: at(ratio), cy: 9, r: 3.5 }));
  return svg;
}

function fillBaseline() {
  const { baseline } = summary;
  if (!baseline) return;
  const content = contentOf('baseline');
  const order = ['worse', 'better', 'same', 'unknown'];
  const rank = ({ direction }) => order.indexOf(direction);
  const depth = ({ what }) => nameOf({ name: what }).depth;
  const figures = [...baseline.figures].sort((one, other) => rank(one) - rank(other) || depth(one) - depth(other));
  const count = (direction) => figures.filter((each) => each.direction === direction).length;
  const rows = (shown) => table(['', 'what', 'figure', { text: 'change', className: 'number' }, { text: 'before', className: 'number' }, { text: 'now', className: 'number' }, '95 % interval', ''], shown.map((moved) => [
    { text: { worse: '▲ worse', better: '▼ better', same: 'not moved', unknown: 'too little to tell' }[moved.direction], className: `wait-word ${{ worse: 'bad strong', better: 'good strong' }[moved.direction] ?? 'dim'}` },
    { text: visible(moved.what), className: 'named' }, { text: moved.figure, className: 'wait-word' },
    { text: moved.ratio === null ? '' : change(moved.ratio), className: 'number' },
    { text: figureTold(moved, moved.before), className: 'number' }, { text: figureTold(moved, moved.now), className: 'number' },
    { text: moved.low === null ? '' : `${change(moved.low)} to ${change(moved.high)}`, className: 'wait-word dim' },
    moved.low === null ? '' : span(moved),
  ]));
  const moved = figures.filter((each) => rank(each) < 2);
  content.append(
    make('p', 'The earlier load is ', make('code', visible(baseline.baseline)), `: ${counted(count('worse'), 'figure')} worse, ${number(count('better'))} better, ` +
      `${number(count('same'))} not moved${count('unknown') ? `, ${number(count('unknown'))} with too little to tell` : ''}.`),
    make('p.note', `What is told as moved has changed by more than 2 %, and 95 of 100 draws of blocks of ${clock(baseline.block_s)} agree on the direction; of figures that have not moved, some in a hundred are told all the same.`),
  );
  const box = make('div.content', moved.length ? rows(moved.slice(0, MOST_MOVED)) : make('p.dim', count('same') ? 'Nothing has moved.' : 'There is too little to tell: loads of less than half a minute have too few blocks.'));
  const all = button(`All ${figures.length} figures`, () => { box.replaceChildren(rows(figures)); all.hidden = true; });
  const remarks = [...baseline.remarks, ...baseline.new.map((name) => `new: ${name}`), ...baseline.gone.map((name) => `gone: ${name}`)];
  content.append(box, make('p.pick', all), remarks.length ? make('ul.remarks', ...remarks.map((remark) => make('li', visible(remark)))) : '');
}

// -- over time ------------------------------------------------------------------------------------------------------

function fillRate() {
  const content = byId('rate').querySelector('.content');
  const pick = byId('part');
  const names = Object.keys(summary.parts);
  pick.append(...['', ...names].map((name) => Object.assign(make('option', name ? visible(name) : 'all of them'), { value: name })));
  byId('rate').querySelector('.pick').hidden = names.length < 2;
  const areUsers = (name) => Array.isArray(summary.plan.parts) && summary.plan.parts.some((part) => part?.name === name && part.model === 'closed');
  const linesOf = (name) => {
    const parts = name ? [data.parts[name]] : Object.values(data.parts);
    const over = (figure) => sumOver(parts.map((part) => part[figure]));
    return {
      rates: [
        { name: 'began', values: over('started'), ink: 1, style: 'line' }, { name: 'due', values: over('due'), ink: 8, style: 'dashed' },
        { name: 'passed', values: over('passed'), ink: 3, style: 'line' }, { name: 'failed', values: over('failed'), ink: 5, style: 'line' },
      ],
      live: [
        { name: 'under way', values: over('live'), ink: 1, style: 'area' },
        ...(name && areUsers(name) ? [{ name: 'users asked for', values: over('asked'), ink: 8, style: 'dashed' }] : []),
      ],
    };
  };
  const rates = new TimeChart({ title: 'Conversations a second', times, marks, lines: linesOf('').rates, format: number });
  const live = new TimeChart({ title: 'Conversations at once', times, marks, lines: linesOf('').live, format: number });
  pick.addEventListener('change', () => {
    const lines = linesOf(pick.value);
    rates.show(lines.rates);
    live.show(lines.live);
  });
  content.append(rates.element, live.element);
  if (marks.length) {
    const told = [...marks].sort((one, other) => one.at_s - other.at_s).slice(0, 50);
    byId('rate').append(make('ul.remarks', ...told.map(({ at_s: at, text }) => make('li', `${clock(at)}: ${visible(text)}`))));
  }
}

// -- what was measured ----------------------------------------------------------------------------------------------

function fillMeasured() {
  if (!summary.series.length) {
    byId('steps').hidden = true;
    byId('latency').hidden = true;
    return;
  }
  const pick = byId('series');
  pick.append(...summary.series.map((series) => {
    const { depth, name } = nameOf(series);
    return Object.assign(make('option', `${'\u00a0\u00a0\u00a0'.repeat(depth)}${visible(name)}`), { value: series.name });
  }));
  const none = { p50: [], p95: [], p99: [], max: [], per_s: [], errors: [] };
  const linesOf = (name) => {
    const over = data.series[name] ?? none;
    return ['max', 'p99', 'p95', 'p50'].map((figure, index) => ({ name: figure, values: over[figure], ink: [8, 4, 2, 1][index], style: 'line' }));
  };
  const countsOf = (name) => [
    { name: 'done a second', values: (data.series[name] ?? none).per_s, ink: 1, style: 'line' },
    { name: 'failed a second', values: (data.series[name] ?? none).errors, ink: 5, style: 'line' },
  ];
  const first = summary.series[0].name;
  const latency = new TimeChart({ title: 'Percentiles over time', times, marks, lines: linesOf(first), format: took, isWide: true, height: 210 });
  const counts = new TimeChart({ title: 'How often', times, marks, lines: countsOf(first), format: number, height: 190 });
  const histogram = new Curve('How they are spread', (plot, { bars }) => paintHistogram(plot, bars));
  const percentiles = new Curve('Percentiles', (plot, { percentiles: curve }) => paintPercentiles(plot, curve));
  const choose = (name, jumps = true) => {
    const series = summary.series.find((each) => each.name === name);
    pick.value = name;
    steps.mark(name);
    latency.show(linesOf(name));
    counts.show(countsOf(name));
    histogram.show(data.curves[name], `${number(series.count)} from ${took(series.min_ms)} to ${took(series.max_ms)}`);
    percentiles.show(data.curves[name], `p50 ${took(series.p50_ms)}, p95 ${took(series.p95_ms)}, p99 ${took(series.p99_ms)}, max ${took(series.max_ms)}`);
    if (jumps) byId('latency').scrollIntoView({ block: 'nearest' });
  };
  const steps = new StepTable(summary.series, choose);
  byId('steps').querySelector('.content').append(steps.element);
  byId('latency').querySelector('.content').append(latency.element, histogram.element, percentiles.element, counts.element);
  pick.addEventListener('change', () => choose(pick.value, false));
  byId('log').addEventListener('change', (event) => { latency.isLogarithmic = event.target.checked; latency.plot.redraw(); });
  choose(first, false);
}

function fillSplit() {
  const shown = summary.series.filter(({ split_ms: split }) => Object.keys(split).length > 1);
  if (!shown.length) return;
  const longest = Math.max(...shown.map(({ mean_ms: mean }) => mean));
  const bars = shown.map((series) => {
    const waits = Object.entries(series.split_ms).filter(([what, ms]) => what && ms >= LEAST_MS).sort((one, other) => other[1] - one[1]);
    const parts = [...waits.map(([what, ms], index) => [visible(what), ms, (index % (INKS - 1)) + 1]), ...('' in series.split_ms ? [['ours', series.split_ms[''], INKS]] : [])];
    const bar = make('div.split-bar', ...parts.map(([what, ms, ink]) => {
      const piece = make(`span.ink${ink}`);
      piece.title = `${what} ${took(ms)}`;
      piece.style.flexGrow = String(ms);
      return piece;
    }));
    bar.style.width = `${Math.max((series.mean_ms / longest) * 100, 4)}%`;
    const legend = make('ul.legend', ...parts.map(([what, ms, ink]) => make('li', make(`i.ink${ink}`), what, ' ', make('b', took(ms)))));
    return make('div', make('p.split-name', `${visible(series.name)} `, make('b', took(series.mean_ms))), bar, legend);
  });
  contentOf('split').append(make('div.splits', ...bars));
}

// -- why conversations failed ---------------------------------------------------------------------------------------

function linkTo(kept, text) {
  const href = data.links[kept.conversation];
  return href ? Object.assign(make('a', text), { href }) : make('span', text);
}

function fillErrors() {
  const { causes, correctness } = summary;
  if (!causes.length && !Object.keys(correctness).length) return;
  const content = contentOf('errors');
  if (causes.length) {
    const title = (cause) => cause.error || 'various';
    const lines = causes.slice(0, MOST_STACKED).map((cause, index) => ({
      name: `${title(cause)}: ${[...cause.text].slice(0, 60).join('')}`, values: data.causes[index], ink: [5, 2, 4, 1, 6, 7][index],
    }));
    const rest = data.causes.slice(MOST_STACKED);
    if (rest.length) lines.push({ name: counted(rest.length, 'other cause'), values: sumOver(rest), ink: 8 });
    content.append(make('div.charts', chart({ title: `Failures in each ${clock((times.to_s[0] ?? 1) - (times.from_s[0] ?? 0))}`, lines, format: number, isStacked: true, isWide: true })));
    content.append(make('div.causes', ...causes.slice(0, LONGEST_TABLE).map(causeTold)));
  }
  const wrong = Object.entries(correctness).map(([what, count]) => `${number(count)} ${visible(what)}`);
  if (wrong.length) content.append(make('p.note', `Messages that were wrong although nobody waited in vain: ${wrong.join(', ')}.`));
}

function causeTold(cause) {
  const where = [cause.part, cause.step && !cause.text.includes(`in ${cause.step}`) && `in ${cause.step}`, percent(cause.share)].filter(Boolean).map(visible).join(', ');
  const told = make('span.told', make('b', visible(cause.error || 'various')), ` ${visible(cause.text)}`, make('small', where));
  const whose = cause.conversation ? make('p.links', make('span.dim', `the first was ${visible(cause.conversation)}`)) : '';
  const links = cause.kept.length
    ? make('p.links', make('span.dim', 'kept whole:'), ...cause.kept.map((kept) => linkTo(kept, visible(kept.conversation)))) : '';
  return make('details.cause', make('summary', make('span.count', number(cause.count)), told), make('pre', visibleLines(cause.example || cause.text)), whose, links);
}

function fillKept() {
  if (!summary.kept.length) return;
  const causeOf = new Map(summary.causes.flatMap((cause) => cause.kept.map((kept) => [kept.conversation, cause])));
  const content = contentOf('kept');
  content.append(table(['conversation', 'why', { text: 'due at', className: 'number' }, { text: 'took', className: 'number' }, 'failed with'], summary.kept.slice(0, LONGEST_TABLE).map((kept) => [
    { text: linkTo(kept, visible(kept.conversation)), className: 'named' }, kept.why,
    { text: clock(kept.due_s), className: 'number' }, { text: took(kept.took_ms), className: 'number' },
    { text: visible(causeOf.get(kept.conversation)?.text ?? ''), className: 'sentence long' },
  ])));
  if (summary.kept.length > LONGEST_TABLE) content.append(make('p.note', `and ${counted(summary.kept.length - LONGEST_TABLE, 'more')}; summary.json has them all`));
}

// -- the generator, messages, the plan ------------------------------------------------------------------------------

function fillGenerator() {
  const content = byId('generator').querySelector('.content');
  const processes = Object.entries(data.generators);
  if (!processes.length) {
    content.append(make('p.dim', 'Nothing is told of it.'));
    return;
  }
  const lines = (figure) => processes.slice(0, 32).map(([process, over], index) => ({ name: `process ${process}`, values: over[figure], ink: (index % INKS) + 1, style: 'line' }));
  const late = [{ name: 'late', values: sumOver(Object.values(data.parts).map((part) => part.late)), ink: 2 }];
  content.append(make('div.charts',
    chart({ title: 'CPU, % of a core', lines: lines('cpu'), format: (value) => `${number(value)} %` }),
    chart({ title: 'How late the event loop was', lines: lines('lag_ms'), format: took }),
    chart({ title: 'Conversations that began more than 50 ms late', lines: late, format: number, isStacked: true }),
    chart({ title: 'Memory', lines: lines('rss_mib'), format: (value) => `${number(value)} MiB` })));
  const head = ['process', { text: 'CPU', className: 'number' }, { text: 'busiest', className: 'number' }, { text: 'loop late at most', className: 'number' }, { text: 'began late, in all', className: 'number' }, { text: 'memory', className: 'number' }, ''];
  const lost = new Map(summary.lost_processes.map((each) => [each.process, each]));
  const box = table(head, summary.generators.map((each) => [
    { text: `${each.process}, pid ${each.pid}`, className: 'wait-word' },
    { text: `${number(each.cpu_s)} s, ${percent(each.cpu_share)}`, className: 'number' }, { text: percent(each.busiest_share), className: 'number' },
    { text: took(each.most_lag_ms), className: 'number' }, { text: took(each.late_ms), className: 'number' }, { text: size(each.most_rss_kib * 1024), className: 'number' },
    lost.has(each.process) ? { text: lostTold(lost.get(each.process)), className: 'sentence bad' } : '',
  ]));
  box.classList.add('generator-table');
  const { time } = summary;
  content.append(box, make('p.note', `All conversations together took ${clock(time.conversations_s)}: ${clock(time.late_s)} of that they began late, ` +
    `${clock(time.cpu_s)} our processes worked, and ${clock(time.rest_s)} are the system's, and what scenarios wait on purpose.`));
}

function lostTold(lost) {
  const live = Object.entries(lost.live).map(([part, count]) => `${number(count)} of ${visible(part)}`).join(', ');
  return `lost at ${clock(lost.at_s)}: ${visible(lost.text)}; last heard of at ${clock(lost.seen_s)}, under way were ${live || 'none'}`;
}

function fillTraffic() {
  const line = (name, values, ink) => ({ name, values, ink, style: 'line' });
  const { sent, received, sent_bytes: sentBytes, received_bytes: receivedBytes } = data.traffic;
  byId('traffic').querySelector('.content').append(
    chart({ title: 'Messages a second', lines: [line('sent', sent, 1), line('received', received, 4)], format: number }),
    chart({ title: 'Bytes a second', lines: [line('sent', sentBytes, 1), line('received', receivedBytes, 4)], format: size, base: 1024 }));
}

/** A value of the plan in words: what is in a list behind one another, what has names behind these. */
function told(value) {
  if (typeof value === 'string') return visible(value);
  if (Array.isArray(value)) return value.map(told).join(value.some((each) => each !== null && typeof each === 'object') ? '; ' : ', ');
  if (value === null || typeof value !== 'object') return String(value);
  return Object.entries(value).filter(([, each]) => each !== null).map(([name, each]) => `${visible(name)} ${told(each)}`).join(', ');
}

function isNothing(value) {
  return value === null || value === '' || (typeof value === 'object' && !Object.keys(value).length);
}

/** Names and values; what is itself of names and values is written behind their names. */
function factsOf(object) {
  const facts = [];
  for (const [name, value] of Object.entries(object)) {
    const isObject = value !== null && typeof value === 'object' && !Array.isArray(value);
    if (isObject) facts.push(...Object.entries(value).filter(([, each]) => !isNothing(each)).map(([inner, each]) => [`${name}.${inner}`, told(each)]));
    else if (!isNothing(value)) facts.push([name, told(value)]);
  }
  return make('dl.facts', ...facts.flatMap(([name, value]) => [make('dt', visible(name)), make('dd', value)]));
}

function fillPlan() {
  const content = byId('plan').querySelector('.content');
  // What `target` has is for performing it again: the same as it was written.
  const { parts, target, ...rest } = summary.plan;
  const isListed = Array.isArray(parts) && parts.every((part) => part !== null && typeof part === 'object');
  if (!Object.keys(summary.plan).length) content.append(make('p.dim', 'The record does not tell.'));
  content.append(factsOf(isListed ? rest : { ...rest, parts }));
  if (!isListed) return;
  content.append(make('div.plan-parts', ...parts.map(({ name, ...facts }) => make('div', make('h3', told(name ?? 'part')), factsOf(facts)))));
}

fillHead();
fillOverview();
fillThresholds();
fillBaseline();
fillRate();
fillMeasured();
fillSplit();
fillErrors();
fillKept();
fillGenerator();
fillTraffic();
fillPlan();
fillNavigation();
byId('theme').addEventListener('click', flipTheme);
document.addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof Element && event.target.closest('input, select');
  if (event.key === 't' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) flipTheme();
});
