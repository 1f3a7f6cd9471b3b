'use strict';
// What is known of the chosen item: its data, its times, and what it belongs to.

/** A longer body, in characters, stays folded until somebody opens it. */
const LARGEST_OPEN = 131072;
const LARGEST_RAW = 200000;
const LARGEST_DUMP = 16384;
const CHILDREN = 100;
const LONGEST_STRING = 1000;

class Details {
  /** `go(item)` chooses another item. */
  constructor(story, { go, onClose }) {
    this.story = story;
    this.go = go;
    this.onClose = onClose;
    this.panel = byId('details');
    this.copyable = null;
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  close() {
    this.panel.hidden = true;
    this.panel.replaceChildren();
  }

  open(item) {
    this.copyable = null;
    const entry = this.story.lines.entry(item.line);
    const { title, kind, lead = null, facts = [], parts = [] } = TELLERS[item.kind].call(this, item, entry);
    const close = button('×', this.onClose, 'close');
    close.setAttribute('aria-label', 'Close the details');
    this.panel.hidden = false;
    this.panel.replaceChildren(
      make('header', make('p.kind', kind), make('h2', visible(title)), close),
      lead ?? '',
      factsList(facts.filter(Boolean)),
      ...parts.filter(Boolean),
    );
    this.panel.scrollTop = 0;
  }

  // -- pieces ---------------------------------------------------------------------------------------------------------

  link(item, text) {
    return button(visible(text ?? titleOf(item)), () => this.go(item), 'link');
  }

  at(item, ns = item.at) {
    const zero = Date.parse(this.story.started?.started_at ?? '');
    const utc = Number.isNaN(zero) ? '' : `${new Date(zero + ns / 1e6).toISOString().slice(11, 23)} UTC`;
    const ofRun = this.story.origin ? `${(ns / 1e9).toFixed(3)} s of the run` : '';
    const more = [ofRun, utc].filter(Boolean).join(', ');
    return ['at', `${moment(ns, 6)} s${more ? ` (${more})` : ''}`];
  }

  /** Where it is written, and what. */
  source(item) {
    const line = this.story.sources[item.source];
    return ['source', make('code', visible(item.source)), line ? make('pre.source', visible(line)) : ''];
  }

  inStep(item) {
    return item.home ? ['step', this.link(item.home)] : null;
  }

  /** Data with its tabs: readable, raw. `raw()` is what is copied. */
  data(title, text, raw, bytes, mark) {
    const size = bytes ? bytes.length : new TextEncoder().encode(text).length;
    const body = new Body(text, bytes, size, mark);
    const views = { Body: () => body.readable(), Raw: () => (bytes ? body.dump() : body.raw()) };
    this.copyable ??= raw;
    const content = make('div.content');
    const tabs = Object.keys(views).map((name) => button(name, () => choose(name), 'tab'));
    const choose = (name) => {
      tabs.forEach((tab) => tab.setAttribute('aria-pressed', String(tab.textContent === name)));
      content.replaceChildren(views[name]());
      search.hidden = name !== 'Body';
    };
    const search = body.searchBox(() => content);
    const copyButton = button('Copy', () => copy(raw(), copyButton), 'copy');
    const part = make('section.data', make('div.data-head', make('h3', title), make('small', sizeOf(size)), ...tabs, search, copyButton), content);
    choose(text === null ? 'Raw' : 'Body');
    return part;
  }

  headers(title, headers) {
    const names = Object.keys(headers ?? {});
    if (!names.length) return null;
    const rows = names.map((name) => make('tr', make('th', visible(name)), make('td', visible(String(headers[name])))));
    return make('section.data', make('div.data-head', make('h3', title)), make('table.headers', make('tbody', ...rows)));
  }

  text(title, text) {
    if (!text) return null;
    this.copyable ??= () => text;
    const copyButton = button('Copy', () => copy(text, copyButton), 'copy');
    return make('section.data', make('div.data-head', make('h3', title), copyButton), make('pre.plain-text', visibleLines(text)));
  }

  /** What a message has, and beside it what was wanted of it. */
  misfits(title, found, item) {
    const cells = found.map(({ path, wanted, value }) =>
      make('tr', make('th', visible(path)), make('td.got', foundTold(value)), make('td.wanted', visible(wanted))));
    const head = make('tr', make('th', 'field'), make('th', 'got'), make('th', 'wanted'));
    return make('section.data', make('div.data-head', make('h3', title), item ? this.link(item) : null),
      make('table.misfits', make('thead', head), make('tbody', ...cells)));
  }

  /** Items to go to; `remark(item)` is what stands behind one. */
  list(title, items, nothing = '', remark = () => '') {
    if (!items.length) return nothing ? make('section.data', make('div.data-head', make('h3', title)), make('p.nothing', nothing)) : null;
    const shown = items.slice(0, 50).map((item) => make('li', make('span.at', moment(item.at)), this.link(item), make('small', remark(item))));
    const more = items.length > 50 ? make('li.nothing', `and ${counted(items.length - 50, 'more')}`) : null;
    return make('section.data', make('div.data-head', make('h3', title)), make('ul.items', ...shown, more));
  }
}

function isWithin(item, step) {
  for (let home = item.home; home; home = home.parent) if (home === step) return true;
  return false;
}

function factsList(facts) {
  return make('dl', ...facts.flatMap(([name, ...values]) => [make('dt', name), make('dd', ...values.map((value) =>
    (typeof value === 'string' ? visible(value) : value)))]));
}

function titleOf(item) {
  return { step: `${item.action}(${item.arguments})`, wait: item.what, failed: item.error }[item.kind] ?? item.name ?? item.kind;
}

const TELLERS = {
  message(item, entry) {
    const raw = typeof entry.text === 'string' ? entry.text : null;
    const bytes = raw === null ? bytesOf(entry.base64) : null;
    const way = item.isSent ? [item.actor.name, item.peer.name] : [item.peer.name, item.actor.name];
    const facts = [
      ['way', `${way[0]} → ${way[1]}`, make('small', ` ${visible(item.channel.name)}, ${item.isSent ? 'sent' : 'received'} ${item.number}`)],
      this.at(item),
      this.inStep(item),
      item.request && ['reply to', this.link(item.request), make('small', ` ${duration(item.at - item.request.at)} before`)],
      item.replies && ['replies', ...item.replies.slice(0, 20).flatMap((reply) =>
        [this.link(reply), make('small', ` after ${duration(reply.at - item.at)} `)])],
      entry.asks !== undefined && ['key', `${entry.asks}`],
      entry.reply_to !== undefined && ['key', `${entry.reply_to}`],
      ...(item.handled ?? []).map((handler) => ['handler', handler.name, make('small', ` took ${duration(handler.took)}`),
        handler.error ? make('span.error', visible(handler.error)) : '']),
      item.isProtocol ? ['said by', 'the protocol itself'] : item.isSent ? null : this.taken(item),
    ];
    const text = raw ?? messageText(entry);
    const wait = item.nearestOf;
    const mark = wait ? (value) => { for (const each of misfits(wait.began, value)) if (each.value) each.value.wanted = each.wanted; } : null;
    const data = this.data('Data', text, () => raw ?? hexDump(bytes), bytes, mark);
    const near = wait ? this.misfits('Nearest to what was awaited', wait.nearest.found, wait) : null;
    return { title: item.name, kind: item.isSent ? 'sent' : 'received', lead: near, facts, parts: [data] };
  },
  http(item, entry) {
    const facts = [
      ['url', entry.url], ['who', `${item.actor.name}`, make('small', ` ${visible(item.channel.name)}, request ${entry.number}`)],
      this.at(item, item.begunAt), ['took', duration(item.took)], this.inStep(item),
      entry.status ? ['status', `${entry.status}`] : ['error', make('span.error', visible(entry.error ?? ''))],
    ];
    const parts = [
      entry.response_body ? this.data('Answer', entry.response_body, () => entry.response_body) : null,
      this.headers('Headers of the answer', entry.response_headers),
      entry.request_body ? this.data('Request', entry.request_body, () => entry.request_body) : null,
      this.headers('Headers of the request', entry.request_headers),
    ];
    return { title: item.name, kind: 'request over HTTP', facts, parts };
  },
  step(item) {
    const inside = this.story.items.filter((other) => other.kind === 'message' && isWithin(other, item));
    const facts = [
      ['who', item.actorName || 'the scenario'], this.at(item),
      ['took', item.endedAt === null ? 'it had not ended when the journal ends' : duration(item.endedAt - item.at)],
      ['outcome', make(`span.outcome.${item.outcome}`, item.outcome === 'pending' ? 'not ended' : item.outcome), item.error ? make('span.error', ` ${visible(item.error)}`) : ''],
      this.source(item), item.parent && ['in', this.link(item.parent)],
    ];
    return { title: titleOf(item), kind: 'step', facts, parts: [this.list('Messages', inside, 'Nothing was said in it.')] };
  },
  wait(item) {
    const facts = [
      ['who', item.actor ? item.actor.name : 'the scenario', item.channel ? make('small', ` ${visible(item.channel.name)}`) : ''],
      ['outcome', make(`span.outcome.${item.outcome}`, item.outcome === 'pending' ? 'not ended' : item.outcome), item.error ? make('span.error', ` ${visible(item.error)}`) : ''],
      ['since', `${moment(item.begunAt, 6)} s`],
      item.endedAt !== null && ['waited', duration(item.endedAt - item.begunAt)],
      ['deadline', item.deadline == null ? 'none' : `${duration(item.deadline - item.begunAt)}`],
      item.source && this.source(item),
      this.inStep(item),
      item.message && [item.outcome === 'satisfied' ? 'took' : 'was given', this.link(item.message)],
    ];
    const isVain = item.outcome !== 'satisfied';
    const near = item.nearest ? this.misfits('Nearest', item.nearest.found, item.nearest.message) : null;
    return { title: item.what, kind: 'wait', lead: near, facts, parts: [isVain && item.channel ? this.cameInstead(item) : null] };
  },
  handler(item) {
    const facts = [['who', item.actor.name], this.at(item), item.message && ['saw', this.link(item.message)], this.inStep(item)];
    return { title: item.name, kind: 'handler that raised', facts, parts: [this.text('What it raised', item.text)] };
  },
  opened(item, entry) {
    const facts = [
      ['who', item.actor.name], ['address', item.address], this.at(item), entry.subprotocol && ['subprotocol', entry.subprotocol],
    ];
    return { title: `${item.channel.name} is open`, kind: 'channel', facts, parts: [this.headers('Headers of the opening', entry.headers)] };
  },
  closed(item, entry) {
    const facts = [
      ['who', item.actor.name], this.at(item), ['by', { us: 'us', peer: item.channel.other, wire: 'nobody: it was lost' }[entry.by] ?? `${entry.by}`],
      entry.code !== null && ['code', `${entry.code}`], entry.reason && ['reason', entry.reason], entry.detail && ['detail', entry.detail],
      item.channel.openedAt !== undefined && ['was open for', duration(item.at - item.channel.openedAt)],
    ];
    return { title: closedTold(item), kind: 'channel', facts };
  },
  reopening(item) {
    const facts = [
      ['who', item.actor.name], this.at(item), ['attempt', `${item.attempt}`],
      item.delay !== null && ['begins in', duration(item.delay)], item.took !== null && ['the one before took', duration(item.took)],
    ];
    return { title: reopeningTold(item), kind: 'channel', facts, parts: [this.text('What the attempt before met', item.error)] };
  },
  reopened(item) {
    const facts = [
      ['who', item.actor.name], this.at(item), ['attempt', `${item.attempt}`], ['was away for', duration(item.away)],
    ];
    return { title: reopenedTold(item), kind: 'channel', facts };
  },
  aside(item) {
    const facts = [['who', item.actor.name], ['channel', item.channel.name], this.at(item)];
    return { title: item.name, kind: 'beside the messages', facts, parts: [this.text('Text', item.text)] };
  },
  called(item, entry) {
    const facts = [this.at(item), this.inStep(item), entry.save_as && ['saved as', entry.save_as]];
    return { title: entry.function, kind: 'function', facts, parts: [this.text('Result', entry.result)] };
  },
  signal(item, entry) {
    const facts = [['given by', item.actor ? item.actor.name : 'the scenario'], this.at(item), this.inStep(item)];
    return { title: entry.name, kind: 'signal', facts, parts: [this.text('Value', entry.value)] };
  },
  moment(item, entry) {
    const facts = [['due at', `${moment(entry.due_ns, 6)} s`], ['begun', item.text.slice(6)], this.at(item), this.inStep(item)];
    return { title: 'at()', kind: 'moment', facts };
  },
  timer(item) {
    return { title: item.name, kind: 'timer', facts: [['took', item.text], this.at(item), this.inStep(item)] };
  },
  note(item) {
    return { title: 'Note', kind: 'note', facts: [this.at(item)], parts: [this.text('Text', item.text)] };
  },
  dropped(item) {
    return { title: item.text, kind: 'mailbox', facts: [['who', item.actor.name], ['channel', item.channel.name], this.at(item)] };
  },
  soft(item) {
    return { title: 'Soft check', kind: 'failure', facts: [this.at(item)], parts: [this.text('What is wrong', item.text)] };
  },
  failed(item) {
    return { title: item.error, kind: 'failure', facts: [this.at(item)], parts: [this.text('Why', item.text)] };
  },
  test(item) {
    return { title: item.outcome, kind: 'end of the test', facts: [this.at(item)], parts: [this.text('Test', item.text)] };
  },
  ended(item) {
    return { title: item.verdict, kind: 'end of the run', facts: [this.at(item)], parts: [this.text('Why', item.error)] };
  },
};

/** Which wait took a received message, or why none did. */
Details.prototype.taken = function taken(message) {
  const { wait } = message;
  if (wait && wait.outcome === 'satisfied') {
    const since = wait.begunAt <= message.at ? `after ${duration(message.at - wait.begunAt)} of waiting`
      : `${duration(wait.begunAt - message.at)} after it came`;
    return ['taken by', this.link(wait), make('small', ` ${since}`)];
  }
  if (wait) return ['failed', this.link(wait), make('span.error', ` ${visible(wait.error)}`)];
  if (message.handled && !waitsAt(message).some((known) => known.awaits === 'message' && known.names.includes(message.name))) return null;
  const reasons = whyNotTaken(message, this.story);
  return ['not taken', make('ul.reasons', ...reasons.map(({ text, item }) =>
    make('li', visible(text), item ? ' ' : '', item ? this.link(item, '→') : '')))];
};

/** The messages that came on its channel while somebody waited in vain. */
Details.prototype.cameInstead = function cameInstead(wait) {
  const { received } = wait.channel;
  const came = received.filter((message) => message.line > wait.from && message.line < wait.to && !HEARTBEAT.test(message.name));
  const remark = (message) => (isForName(wait, message.name) && message !== wait.message ? visible(whyNotBy(wait, message, this.story)) : '');
  const title = wait.message ? 'What came meanwhile' : 'What came instead';
  return this.list(title, came, 'Nothing came on this channel while it waited, but for heartbeats.', remark);
};

function hexDump(bytes) {
  const lines = [];
  for (let offset = 0; offset < bytes.length; offset += 16) {
    const piece = [...bytes.slice(offset, offset + 16)];
    const shown = piece.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${offset.toString(16).padStart(6, '0')}  ${piece.map(hex).join(' ').padEnd(47)}  ${shown}`);
  }
  return lines.join('\n');
}
