'use strict';
// The journal in the page: its lines are read once for what the diagram needs, and again when one is opened.

/** A longer line, in characters, is not read for the diagram: what was said in it is left out of what is parsed. */
const LONG_LINE = 16384;

/** The lines of the journal. They stay text; an entry is parsed when it is asked for. */
class Lines {
  constructor(blocks) {
    this.blocks = blocks;
    this.starts = [];
    this.blockOf = [];
    blocks.forEach((block, index) => {
      let start = 0;
      for (let end = block.indexOf('\n'); end >= 0; end = block.indexOf('\n', start)) {
        this.starts.push(start);
        this.blockOf.push(index);
        start = end + 1;
      }
    });
  }

  get count() {
    return this.starts.length;
  }

  text(line) {
    const block = this.blocks[this.blockOf[line]];
    return block.slice(this.starts[line], block.indexOf('\n', this.starts[line]));
  }

  /** The whole entry; null if the line is none. */
  entry(line) {
    try {
      return JSON.parse(this.text(line));
    } catch {
      return null;
    }
  }

  /** The entry without what was said, if that is long. */
  head(line) {
    const text = this.text(line);
    if (text.length > LONG_LINE && text.startsWith('{"kind":"said"')) {
      const end = text.lastIndexOf('","at_ns":');
      const isText = text.includes(',"text":"');
      const data = text.indexOf(isText ? ',"text":"' : ',"base64":"');
      const body = text.indexOf(',"body":"');
      const begin = body > 0 ? body : data;
      // In a string of JSON a quotation mark has a backslash before it, so these can only be the fields themselves.
      if (begin > 0 && end > begin) {
        const size = Math.round((end - data) * (isText ? 1 : 0.75));
        return { ...JSON.parse(text.slice(0, begin) + text.slice(end + 1)), size };
      }
    }
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  /** What a message's line says of its data, as it is written there: escaped. */
  said(line) {
    const text = this.text(line);
    const begin = Math.max(text.indexOf(',"text":"'), text.indexOf(',"base64":"'));
    return begin < 0 ? text : text.slice(begin + 9, text.lastIndexOf('","at_ns":'));
  }
}

/**
 * What happened, in order: `items`, each with the `line` of the journal at which it stands. Steps, waits, messages and
 * requests know each other. Times are nanoseconds since the run began.
 */
class Story {
  constructor(lines) {
    this.lines = lines;
    this.items = [];
    this.steps = new Map();
    this.waits = [];
    this.actors = [];
    this.peers = [];
    this.started = null;
    this.ended = null;
    this.test = null;
    this.failure = null;
    this.problems = [];
    this.lastAt = 0;
    this.counts = { sent: 0, received: 0, protocol: 0, http: 0, steps: 0 };
    this.channels = new Map();
    this.sources = {};
    this.openWaits = new Map();
    this.openRequests = new Map();
    this.openSteps = [];
    this.exchanges = new Exchanges();
    for (let line = 0; line < lines.count; line += 1) this.read(line);
    this.conclude();
  }

  read(line) {
    const entry = this.lines.head(line);
    if (!entry || typeof entry !== 'object') {
      this.add({ kind: 'note', line, at: this.lastAt, text: `line ${line + 1} of the journal cannot be read` });
      return;
    }
    this.lastAt = Math.max(this.lastAt, entry.at_ns || 0);
    const tell = READERS[entry.kind];
    if (tell) tell.call(this, entry, line);
    else this.add({ kind: 'note', line, at: entry.at_ns || 0, text: `${entry.kind}` });
  }

  add(item) {
    this.items.push(item);
    return item;
  }

  // -- who and where --------------------------------------------------------------------------------------------------

  actor(name) {
    let actor = this.actors.find((known) => known.name === name);
    if (!actor) {
      actor = { name, hue: this.actors.length % 8, channels: [], waiting: [] };
      this.actors.push(actor);
    }
    return actor;
  }

  channel(actorName, name) {
    const key = `${actorName}\0${name}`;
    let channel = this.channels.get(key);
    if (!channel) {
      const actor = this.actor(actorName);
      channel = { actor, name, peer: null, received: [], sent: [], waits: [], current: null, since: [], other: 'the server' };
      actor.channels.push(channel);
      this.channels.set(key, channel);
    }
    return channel;
  }

  /** The peer at the other end of a channel: what has the same host and port is one. */
  meet(channel, address) {
    const label = authority(address) || channel.name;
    let peer = this.peers.find((known) => known.name === label);
    if (!peer) {
      peer = { name: label, channels: [] };
      this.peers.push(peer);
    }
    if (!peer.channels.includes(channel.name)) peer.channels.push(channel.name);
    channel.peer = peer;
    return peer;
  }

  peerOf(channel) {
    return channel.peer || this.meet(channel, '');
  }

  // -- steps ----------------------------------------------------------------------------------------------------------

  stepAt(number) {
    const step = this.steps.get(number);
    return step && step.endedAt === null ? step : null;
  }

  // -- the end --------------------------------------------------------------------------------------------------------

  conclude() {
    const last = Math.max(this.lines.count - 1, 0);
    for (const wait of this.openWaits.values()) {
      Object.assign(wait, { outcome: 'pending', line: last, to: last });
      this.items.push(wait);
    }
    for (const step of this.openSteps) Object.assign(step, { outcome: 'pending', to: last });
    const unanswered = [...this.openRequests.values()];
    for (const [entry, line] of unanswered) {
      READERS.http.call(this, { ...entry, took_ns: 0, error: 'the journal ends before it was answered' }, line);
    }
    const order = (item) => (this.ended && item.kind === 'wait' ? item.line - 0.5 : item.line);
    if (this.openWaits.size || unanswered.length) this.items.sort((one, other) => order(one) - order(other));
    for (const channel of this.channels.values()) this.peerOf(channel);
    this.origin = sinceArrival.origin = arrivalIn(this);
    this.laneStarts = laneStartsOf(this.steps.values());
    for (const wait of this.waits) {
      wait.nearest = nearestTo(wait, this.lines);
      if (wait.nearest) wait.nearest.message.nearestOf = wait;
    }
    this.problems = problemsOf(this);
    this.failing = this.problems[0] ?? null;
  }

  /** The verdict in its author's own word: that of the test which made the run has the last say. */
  get verdict() {
    return this.test ? this.test.outcome : this.own;
  }

  /** What the run itself says. */
  get own() {
    return this.ended ? this.ended.verdict : 'unfinished';
  }

  /** Whether what went wrong in the run failed nothing. */
  get isExpected() {
    return Boolean(this.test) && !['failed', 'error'].includes(this.test.outcome);
  }
}

/** What is wrong, the place of the run's failure first. */
function problemsOf(story) {
  const wrong = story.items.filter((item) => isWrong(item));
  if (!story.failure) {
    const open = story.ended ? null : story.items.filter((item) => item.outcome === 'pending').at(-1);
    return open ? [open, ...wrong.filter((item) => item !== open)] : wrong;
  }
  const before = wrong.filter((item) => item.line <= story.failure.line);
  const last = (test) => before.filter(test).at(-1);
  const place = last((item) => item.kind === 'wait' && item.error === story.failure.error)
    ?? last((item) => item.kind === 'handler')
    ?? last((item) => item.kind === 'http')
    ?? last((item) => item.kind === 'wait')
    ?? last((item) => item.kind === 'step')
    ?? story.failure;
  // What failed is told once, where it happened; the run's own word for it says nothing more.
  return [place, ...wrong.filter((item) => item !== place && item !== story.failure)];
}

/** When the actors were there: the last channel that was opened before the first of them did or awaited something. */
function arrivalIn(story) {
  let arrived = 0;
  for (const item of story.items) {
    if (item.kind === 'step' || (item.kind === 'wait' && !item.channel) || (item.kind === 'message' && item.isSent && !item.isProtocol)) break;
    if (item.kind === 'opened') arrived = item.at;
  }
  return arrived;
}

/** Where each lane of steps begins, counted in steps that stand in each other; the last is where they all end. */
function laneStartsOf(steps) {
  const lanes = [];
  for (const step of steps) {
    const lane = (lanes[step.lane] ??= { least: step.depth, most: step.depth });
    lane.least = Math.min(lane.least, step.depth);
    lane.most = Math.max(lane.most, step.depth);
  }
  let start = 0;
  return [...lanes, null].map((lane) => {
    const begun = { start, least: lane?.least ?? 0 };
    if (lane) start += lane.most - lane.least + 1;
    return begun;
  });
}

function isWrong(item) {
  if (item.kind === 'wait' || item.kind === 'step') return item.outcome === 'failed';
  if (item.kind === 'http') return item.status === 0;
  return item.kind === 'failed' || item.kind === 'soft' || item.kind === 'handler' || item.kind === 'dropped';
}

function requestKey(entry) {
  return `${entry.actor}\0${entry.channel}\0${entry.number}`;
}

function authority(address) {
  const found = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(address);
  return found ? found[1] || address : address;
}

const READERS = {
  'run-started'(entry, line) {
    this.started = { ...entry, line };
    for (const [actor, channels] of Object.entries(entry.actors || {})) {
      this.actor(actor);
      for (const channel of channels) this.channel(actor, channel);
    }
  },
  'run-ended'(entry, line) {
    this.ended = this.add({
      kind: 'ended', line, at: entry.at_ns, verdict: entry.verdict, error: entry.error || '',
    });
    if (this.ended.error && !this.failure && entry.verdict !== 'interrupted') this.failure = this.ended;
  },
  'test-ended'(entry, line) {
    this.test = this.add({ kind: 'test', line, at: entry.at_ns, outcome: entry.outcome, text: entry.test });
  },
  said(entry, line) {
    const channel = this.channel(entry.actor, entry.channel);
    const isProtocol = Boolean(entry.is_protocol);
    const message = this.add({
      kind: 'message', line, at: entry.at_ns, channel, actor: channel.actor, peer: this.peerOf(channel),
      isSent: entry.is_sent, isProtocol, number: entry.number, name: entry.name, home: null, wait: null, handled: null,
      request: null, replies: null, size: entry.size ?? 0, isInner: false, inner: [],
    });
    message.home = this.stepAt(entry.step);
    this.counts[isProtocol ? 'protocol' : message.isSent ? 'sent' : 'received'] += 1;
    if (isProtocol) return; // no part of the conversation: nobody waits for it, answers it or is answered by it
    if (message.isSent) {
      channel.sent[message.number] = message;
      if (!entry.step && channel.current) channel.since.push(message);
    } else {
      channel.received[message.number] = message;
      channel.current = message;
      channel.since = [];
    }
    this.exchanges.notice(message, entry.asks, entry.reply_to);
  },
  handled(entry, line) {
    const channel = this.channel(entry.actor, entry.channel);
    const message = channel.received[entry.message];
    if (message) (message.handled ??= []).push({ name: entry.handler, took: entry.took_ns, error: entry.error || '' });
    if (message && channel.current === message) {
      for (const said of channel.since) Object.assign(said, { isInner: true, home: message.home });
      message.inner = channel.since;
      channel.current = null;
    }
    if (entry.error) {
      this.add({
        kind: 'handler', line, at: entry.at_ns, channel, actor: channel.actor, name: entry.handler, text: entry.error,
        message, home: this.stepAt(entry.step),
      });
    }
  },
  'wait-started'(entry, line) {
    const { lines } = this;
    const channel = entry.channel ? this.channel(entry.actor, entry.channel) : null;
    const actor = entry.actor ? this.actor(entry.actor) : null;
    const wait = {
      kind: 'wait', line, from: line, to: line, at: entry.at_ns, begunAt: entry.at_ns, endedAt: null, channel, actor,
      number: entry.number, awaits: entry.awaits, names: [entry.name ?? []].flat(),
      step: entry.step, home: this.stepAt(entry.step), deadline: entry.deadline_ns, source: entry.source,
      outcome: 'pending', message: null, error: '', level: 0,
      get began() { return lines.text(line); },
      get what() { return this.told ??= awaitedTold(this.began); },
    };
    if (actor) {
      while (actor.waiting[wait.level]) wait.level += 1;
      actor.waiting[wait.level] = wait;
    }
    if (channel) channel.waits.push(wait);
    this.waits.push(wait);
    this.openWaits.set(entry.number, wait);
  },
  'wait-ended'(entry, line) {
    const wait = this.openWaits.get(entry.number);
    if (!wait) return;
    this.openWaits.delete(entry.number);
    Object.assign(wait, {
      line, to: line, at: entry.at_ns, endedAt: entry.at_ns, outcome: entry.outcome, error: entry.error || '',
    });
    if (wait.actor) wait.actor.waiting[wait.level] = undefined;
    const message = entry.message && wait.channel ? wait.channel.received[entry.message] : null;
    if (message) {
      wait.message = message;
      message.wait = wait;
      if (entry.step !== undefined) for (const each of [message, ...message.inner]) each.home = this.stepAt(entry.step);
    }
    this.add(wait);
  },
  'step-started'(entry, line) {
    const { lines } = this;
    const parent = this.stepAt(entry.parent);
    const step = this.add({
      kind: 'step', line, from: line, to: line, at: entry.at_ns, endedAt: null, number: entry.number, parent,
      actorName: entry.actor, actor: entry.actor ? this.actor(entry.actor) : null, action: entry.action,
      source: entry.source, outcome: 'pending', error: '', home: parent, lane: 0, depth: parent ? parent.depth + 1 : 0,
      isFolded: false, holds: 0,
      get arguments() { return this.told ??= argumentsTold(lines.text(line)); },
    });
    // What goes on side by side has a lane each: in one of them stands only what is in each other.
    const around = new Set();
    for (let outer = parent; outer; outer = outer.parent) around.add(outer);
    const taken = new Set(this.openSteps.filter((open) => !around.has(open)).map((open) => open.lane));
    step.lane = parent ? parent.lane : 0;
    while (taken.has(step.lane)) step.lane += 1;
    this.openSteps.push(step);
    this.steps.set(step.number, step);
    this.counts.steps += 1;
  },
  'step-ended'(entry, line) {
    const step = this.steps.get(entry.number);
    if (!step) return;
    Object.assign(step, { to: line, endedAt: entry.at_ns, outcome: entry.outcome, error: entry.error || '' });
    this.openSteps.splice(this.openSteps.indexOf(step), 1);
  },
  'http-requested'(entry, line) {
    this.openRequests.set(requestKey(entry), [entry, line]);
  },
  http(entry, line) {
    this.openRequests.delete(requestKey(entry));
    const channel = this.channel(entry.actor, entry.channel);
    this.counts.http += 1;
    this.add({
      kind: 'http', line, at: entry.at_ns + entry.took_ns, begunAt: entry.at_ns, took: entry.took_ns, channel,
      actor: channel.actor, peer: this.meet(channel, entry.url), home: this.stepAt(entry.step),
      name: `${entry.method} ${pathOf(entry.url)}`, status: entry.status || 0, error: entry.error || '',
    });
  },
  opened(entry, line) {
    const channel = this.channel(entry.actor, entry.channel);
    const peer = this.meet(channel, entry.address);
    channel.openedAt = entry.at_ns;
    // Whoever came to us has no address.
    channel.other = entry.address ? 'the server' : 'the client';
    this.add({
      kind: 'opened', line, at: entry.at_ns, channel, actor: channel.actor, peer, address: entry.address, home: null,
    });
  },
  closed(entry, line) {
    const channel = this.channel(entry.actor, entry.channel);
    this.add({
      kind: 'closed', line, at: entry.at_ns, channel, actor: channel.actor, peer: this.peerOf(channel), home: null,
      code: entry.code, reason: entry.reason, by: entry.by, detail: entry.detail || '',
    });
  },
  reopening(entry, line) {
    const channel = this.channel(entry.actor, entry.channel);
    this.add({
      kind: 'reopening', line, at: entry.at_ns, channel, actor: channel.actor, peer: this.peerOf(channel), home: null,
      attempt: entry.attempt, delay: entry.in_ns, took: entry.took_ns ?? null, error: entry.error || '',
    });
  },
  reopened(entry, line) {
    const channel = this.channel(entry.actor, entry.channel);
    this.add({
      kind: 'reopened', line, at: entry.at_ns, channel, actor: channel.actor, peer: this.peerOf(channel), home: null,
      attempt: entry.attempt, away: entry.away_ns,
    });
  },
  aside(entry, line) {
    const channel = this.channel(entry.actor, entry.channel);
    const said = [entry.text || '', ...Object.entries(entry.headers || {}).map(([name, value]) => `${name}: ${value}`)];
    this.add({
      kind: 'aside', line, at: entry.at_ns, channel, actor: channel.actor, peer: this.peerOf(channel), home: null,
      name: `${entry.is_sent ? 'we have ' : ''}${entry.name}`, text: said.filter(Boolean).join('\n'),
    });
  },
  called(entry, line) {
    const home = this.stepAt(entry.number);
    this.add({
      kind: 'called', line, at: entry.at_ns, actor: home ? home.actor : null, home, name: entry.function,
      text: `${entry.save_as || entry.function} = ${entry.result}`,
    });
  },
  signal(entry, line) {
    this.add({
      kind: 'signal', line, at: entry.at_ns, actor: entry.actor ? this.actor(entry.actor) : null,
      home: this.stepAt(entry.step), name: entry.name, text: entry.value || '',
    });
  },
  moment(entry, line) {
    const home = this.stepAt(entry.step);
    this.add({
      kind: 'moment', line, at: entry.at_ns, actor: home ? home.actor : null, home,
      text: `begun ${duration(Math.abs(entry.error_ns))} ${entry.error_ns >= 0 ? 'late' : 'early'}`,
    });
  },
  timer(entry, line) {
    const home = this.stepAt(entry.step);
    this.add({
      kind: 'timer', line, at: entry.at_ns, actor: home ? home.actor : null, home, name: entry.name,
      text: duration(entry.took_ns),
    });
  },
  note(entry, line) {
    this.add({ kind: 'note', line, at: entry.at_ns, text: entry.text });
  },
  dropped(entry, line) {
    const channel = this.channel(entry.actor, entry.channel);
    const limit = entry.limit_bytes == null ? entry.limit : `${entry.limit_bytes} bytes`;
    this.add({
      kind: 'dropped', line, at: entry.at_ns, channel, actor: channel.actor, home: this.stepAt(entry.step),
      text: `${counted(entry.count, 'older message')} fell out of the mailbox (its limit is ${limit})`,
    });
  },
  'soft-check-failed'(entry, line) {
    this.add({ kind: 'soft', line, at: entry.at_ns, text: entry.text });
  },
  failed(entry, line) {
    this.failure = this.add({ kind: 'failed', line, at: entry.at_ns, error: entry.error, text: entry.text });
  },
};

function pathOf(url) {
  const found = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i.exec(url);
  return found ? found[1] || '/' : url;
}
