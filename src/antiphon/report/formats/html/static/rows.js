'use strict';
// What a line of the diagram shows, for each kind of thing that happens.

/** What is to be seen beside the chosen item: its request, its replies, its wait, its message. */
function relatedTo(item) {
  return [item.request, ...(item.replies ?? []), item.wait, item.message, item.nearest?.message, item.nearestOf].filter(Boolean);
}

function waitTold(wait) {
  const whole = wait.endedAt === null ? '' : ` ${duration(wait.endedAt - wait.begunAt)}`;
  const told = { satisfied: 'waited', failed: 'waited', cancelled: 'gave up after', pending: 'was still waiting' }[wait.outcome];
  return `${told}${whole} for ${wait.what}`;
}

const SIGNS = { passed: '✓', failed: '✗', cancelled: '–', pending: '…', satisfied: '✓' };

const DRAWERS = {
  message(item, row) {
    const isTaken = item.isSent || item.isProtocol || Boolean(item.wait ?? item.handled);
    row.classList.add(item.isSent ? 'sent' : 'received');
    if (item.request) row.classList.add('reply');
    if (!isTaken) row.classList.add('untaken');
    if (item.isInner || (item.handled && !item.wait)) row.classList.add('aside');
    if (item.wait && item.wait.outcome === 'failed') row.classList.add('wrong');
    const channels = item.actor.channels.filter((channel) => channel.sent.length || channel.received.length);
    this.arrow(row, item, item.name, `${item.isSent ? 'sent' : 'received'}${item.request ? '.reply' : ''}`);
    item.glance ??= glanceOf(item, this.story);
    let tag = item.request ? duration(item.at - item.request.at) : '';
    if (item.handled) tag = `↳ ${visible(item.handled[0].name)}`;
    if (channels.length > 1) tag = `${visible(item.channel.name)}${tag ? ` · ${tag}` : ''}`;
    const near = item.nearestOf?.nearest;
    if (near) row.classList.add('nearest');
    this.text(row, near ? near.found.map(misfitTold).join('; ') : item.glance, near ? 'nearest' : tag);
    row.setAttribute('aria-label', `${moment(item.at)} seconds, ${visible(item.actor.name)} `
      + `${item.isSent ? 'sent' : 'received'} ${visible(item.name)}${near ? ', nearest to what was awaited' : isTaken ? '' : ', not taken'}: ${item.glance}`);
  },
  http(item, row) {
    row.classList.add(item.status >= 200 && item.status < 400 ? 'sound' : 'wrong');
    this.arrow(row, item, item.name, 'http');
    this.text(row, item.status ? `${item.status}` : visible(item.error), duration(item.took));
  },
  step(item, row) {
    row.classList.add(item.outcome);
    const title = make('span.title');
    title.style.left = `${this.stepX(item)}px`;
    title.style.maxWidth = `${this.width - this.stepX(item) - 10}px`;
    const fold = make('span.fold', item.isFolded ? '▸' : '▾');
    fold.setAttribute('aria-hidden', 'true');
    const took = item.endedAt === null ? 'not ended' : duration(item.endedAt - item.at);
    title.append(fold);
    if (this.story.actors.length > 1 && item.actor) title.append(make(`span.who.hue${item.actor.hue}`, visible(item.actor.name)));
    title.append(make('b', visible(item.action)), make('span.arguments', `(${visible(item.arguments)})`));
    title.append(make('span.took', `${SIGNS[item.outcome] ?? ''} ${took}`));
    // What the run failed with is told where it happened, not by each step around that.
    const isTold = this.story.failing !== item && this.story.failure && item.error === this.story.failure.error;
    if (item.error && !isTold) title.append(make('span.error', visible(item.error)));
    if (item.isFolded && item.holds) title.append(make('span.took', `${counted(item.holds, 'line')} folded`));
    const source = this.story.sources[item.source];
    title.title = source ? `${visible(item.source)}: ${visible(source)}` : visible(item.source);
    row.append(title);
    row.setAttribute('aria-expanded', String(!item.isFolded));
  },
  wait(item, row) {
    row.classList.add(item.outcome);
    const error = item.error ? make('span.error', visible(item.error)) : null;
    this.remark(row, item, make('span.sign', SIGNS[item.outcome] ?? ''), visible(waitTold(item)), error);
  },
  handler(item, row) {
    this.remark(row, item, make('span.sign', '✗'), `the handler ${visible(item.name)} raised `, make('span.error', visible(item.text)));
  },
  opened(item, row) {
    this.remark(row, item, make('span.sign', '●'), `${visible(item.channel.name)} is open`, make('span.aside-text', visible(item.address)));
  },
  closed(item, row) {
    if (item.by !== 'us' || item.detail) row.classList.add('noted');
    this.remark(row, item, make('span.sign', '○'), closedTold(item));
  },
  reopening(item, row) {
    row.classList.add('noted');
    this.remark(row, item, make('span.sign', item.delay === null ? '✗' : '!'), reopeningTold(item));
  },
  reopened(item, row) {
    this.remark(row, item, make('span.sign', '●'), reopenedTold(item));
  },
  aside(item, row) {
    const [first, ...more] = item.text.split('\n');
    const told = more.length ? `${visible(first)}, and ${counted(more.length, 'more line')}` : visible(first);
    this.remark(row, item, make('span.sign', '·'), `${visible(item.channel.name)} ${visible(item.name)}`, make('span.aside-text', told));
  },
  called(item, row) {
    this.remark(row, item, make('span.sign', '='), visible(item.text));
  },
  signal(item, row) {
    this.remark(row, item, make('span.sign', '⚑'), `signal ${visible(item.name)}`, make('span.aside-text', visible(item.text)));
  },
  moment(item, row) {
    this.remark(row, item, make('span.sign', '◷'), item.text);
  },
  timer(item, row) {
    this.remark(row, item, make('span.sign', '⏱'), `timer ${visible(item.name)}`, make('span.aside-text', item.text));
  },
  note(item, row) {
    this.remark(row, item, make('span.sign', '!'), visible(item.text));
  },
  dropped(item, row) {
    this.remark(row, item, make('span.sign', '!'), item.text);
  },
  soft(item, row) {
    this.remark(row, item, make('span.sign', '✗'), `soft check: ${visible(item.text)}`);
  },
  failed(item, row) {
    this.remark(row, item, make('span.sign', '✗'), visible(item.text.split('\n', 1)[0]));
  },
  test(item, row) {
    row.classList.add('ended', `is-${item.outcome}`);
    const sign = ['failed', 'error'].includes(item.outcome) ? '✗' : '✓';
    this.remark(row, item, make('span.sign', sign), `${item.outcome}: the test ${visible(item.text)}`);
  },
  ended(item, row) {
    row.classList.add(`is-${item.verdict}`);
    this.remark(row, item, make('span.sign', item.verdict === 'passed' ? '✓' : '✗'), `${visible(item.verdict)} after ${duration(item.at)}`);
  },
};

function closedTold(item) {
  const who = { peer: `closed by ${item.channel.other}`, us: 'closed by us' }[item.by] ?? 'lost';
  const code = item.code === null || item.code === undefined ? '' : ` with ${item.code}`;
  const reason = item.reason ? ` '${visible(item.reason)}'` : '';
  return `${visible(item.channel.name)} is ${who}${code}${reason}${item.detail ? `: ${visible(item.detail)}` : ''}`;
}

function reopeningTold(item) {
  const name = visible(item.channel.name);
  if (item.delay === null) return `${name} is given up after attempt ${item.attempt}: ${visible(item.error)}`;
  const met = item.error ? `: ${visible(item.error)}` : '';
  return `${name} is to be opened again, attempt ${item.attempt} in ${duration(item.delay)}${met}`;
}

function reopenedTold(item) {
  return `${visible(item.channel.name)} is open again by attempt ${item.attempt}, after ${duration(item.away)}`;
}

function glanceOf(item, story) {
  if (item.size > LARGEST_GLANCED) return `${sizeOf(item.size)}, folded`;
  const entry = story.lines.entry(item.line);
  const text = messageText(entry);
  if (text !== null) return glance(text, item.name);
  const bytes = bytesOf(entry?.base64);
  return `${sizeOf(bytes.length)}: ${[...bytes.slice(0, 40)].map(hex).join(' ')}`;
}

function hex(byte) {
  return byte.toString(16).padStart(2, '0');
}
