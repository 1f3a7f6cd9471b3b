'use strict';
// Which of the items are shown: by actor, by name, by text, by kind, and in which steps.

class Filters {
  constructor(story) {
    this.story = story;
    this.hiddenActors = new Set();
    this.hiddenNames = new Set();
    this.showsProtocol = false;
    this.showsWaits = false;
    this.showsStepsOnly = false;
    this.query = '';
    this.names = this.countNames();
    this.heartbeats = new Set(this.names.map(([name]) => name).filter((name) => HEARTBEAT.test(name)));
    // Seldom what one looks for, unless there is nothing else.
    this.showsHeartbeats = this.heartbeats.size === this.names.length;
  }

  /** How often each name was said: [name, count], the most frequent first. */
  countNames() {
    const counts = new Map();
    for (const item of this.story.items) {
      if ((item.kind === 'message' && !item.isProtocol) || item.kind === 'http') counts.set(item.name, (counts.get(item.name) ?? 0) + 1);
    }
    return [...counts].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
  }

  get heartbeatCount() {
    return this.names.reduce((sum, [name, count]) => sum + (this.heartbeats.has(name) ? count : 0), 0);
  }

  get showsHeartbeats() {
    return [...this.heartbeats].some((name) => !this.hiddenNames.has(name));
  }

  set showsHeartbeats(shows) {
    for (const name of this.heartbeats) {
      if (shows) this.hiddenNames.delete(name);
      else this.hiddenNames.add(name);
    }
  }

  get actors() {
    return this.story.actors.filter((actor) => !this.hiddenActors.has(actor));
  }

  /** The items to show, in order. A step is shown with what is shown in it. */
  items() {
    const { items } = this.story;
    const pattern = this.query ? patternOf(this.query) : null;
    const isNarrowed = pattern !== null || this.hiddenActors.size > 0;
    const kept = new Set();
    for (const step of this.story.steps.values()) step.holds = 0;
    for (const item of items) {
      const passes = this.passes(item, pattern);
      if (item.kind === 'step' ? passes && !isNarrowed : passes) kept.add(item);
      if (passes && isNarrowed) for (let step = item.kind === 'step' ? item : item.home; step; step = step.parent) kept.add(step);
      if (passes && item.kind !== 'step') for (let step = item.home; step; step = step.parent) step.holds += 1;
    }
    return items.filter((item) => kept.has(item) && (pattern !== null || !isFoldedAway(item)));
  }

  passes(item, pattern) {
    if (item.actor && this.hiddenActors.has(item.actor)) return false;
    if (item.isProtocol && !this.showsProtocol) return false;
    if (item === this.story.failure && item.kind === 'failed' && item !== this.story.failing) return false;
    if (item.kind === 'message' || item.kind === 'http') {
      if (this.showsStepsOnly && !pattern && !isTroubled(item)) return false;
      if (this.hiddenNames.has(item.name)) return false;
    } else if (item.kind === 'wait') {
      if (!this.showsWaits && item.outcome !== 'failed' && !(item.outcome === 'pending' && !this.story.ended)) return false;
    } else if (this.showsStepsOnly && (item.kind === 'called' || item.kind === 'moment')) return false;
    return pattern === null || this.matches(item, pattern);
  }

  matches(item, pattern) {
    if (item.kind === 'step') return pattern.test(JSON.stringify(`${item.action}(${item.arguments})`));
    if (item.kind === 'message') {
      if (pattern.test(JSON.stringify(item.name))) return true;
      const said = this.story.lines.text(item.line);
      if (!said.includes(',"base64":"')) return pattern.test(this.story.lines.said(item.line));
      return pattern.test(JSON.stringify(messageText(this.story.lines.entry(item.line)) ?? ''));
    }
    if (item.kind === 'http') return pattern.test(this.story.lines.text(item.line));
    return pattern.test(JSON.stringify([item.what, item.name, item.text, item.error, item.reason, item.address].join(' ')));
  }
}

function isFoldedAway(item) {
  for (let step = item.home; step; step = step.parent) if (step.isFolded) return true;
  return false;
}

function isTroubled(item) {
  return isWrong(item) || Boolean(item.wait && item.wait.outcome === 'failed');
}

/**
 * What finds this text, whatever its case, in a line of the journal, where text is written as JSON, and where a peer's
 * own JSON may have written a letter as an escape.
 */
function patternOf(query) {
  const source = [...JSON.stringify(query).slice(1, -1)].map((sign) => {
    const plain = sign === '<' ? '(?:<|\\\\u003[cC])' : sign.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    if (sign < '\x80') return plain;
    const spellings = new Set([sign.toLowerCase(), sign.toUpperCase()].filter((one) => [...one].length === 1));
    const escapes = [...spellings].map((one) => [...Array(one.length).keys()].map((index) =>
      `\\\\\\\\u${one.charCodeAt(index).toString(16).padStart(4, '0').replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)}`).join(''));
    return `(?:${[plain, ...escapes].join('|')})`;
  });
  return new RegExp(source.join(''), 'iu');
}
