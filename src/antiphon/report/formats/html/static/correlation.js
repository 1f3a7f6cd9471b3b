'use strict';
// What belongs together: a request and its replies, a message and the wait that took it, and why a wait did not.

/** Requests and the replies that carry their keys, on each channel and in each direction. */
class Exchanges {
  constructor() {
    this.open = new Map();
  }

  notice(message, asks, replyTo) {
    if (asks !== undefined && asks !== null) {
      const key = this.key(message, asks, message.isSent);
      const waiting = (this.open.get(key) ?? []).filter((request) => !request.replies);
      waiting.push(message);
      this.open.set(key, waiting);
    }
    if (replyTo !== undefined && replyTo !== null) {
      const requests = this.open.get(this.key(message, replyTo, !message.isSent));
      if (!requests) return;
      const request = requests.find((known) => !known.replies) ?? requests.at(-1);
      message.request = request;
      (request.replies ??= []).push(message);
    }
  }

  key(message, key, isSent) {
    return `${message.channel.actor.name}\0${message.channel.name}\0${isSent}\0${typeof key}\0${key}`;
  }
}

/** What names of heartbeats have in them: `ping`, `$/ping`, `resultPing`, but not `mapping`. */
const HEARTBEAT = /(?:^|[^A-Za-z]|[a-z](?=P))[Pp][io]ng(?![a-z])|\bP[IO]NG\b|[Hh]eart[-_]?[Bb]eat|[Kk]eep[-_]?[Aa]live/;

/** The waits of a channel that were there when a message came. */
function waitsAt(message) {
  return message.channel.waits.filter((wait) => wait.from < message.line && wait.to > message.line);
}

/** So many messages of a channel, the latest, are looked at for one that is nearly what was awaited. */
const MOST_NEAR = 64;

/**
 * Of a wait that failed, the message most like what was awaited, and where it differs: of that name, and with fields
 * that differ, but not all of those that are wanted; the latest of several. Null if there is none.
 */
function nearestTo(wait, lines) {
  if (wait.outcome !== 'failed' || wait.awaits !== 'message' || !wait.channel || wait.message) return null;
  const known = wait.channel.received.filter((message) => message && message.line < wait.to && wait.names.includes(message.name));
  let best = null;
  for (const message of known.slice(-MOST_NEAR)) {
    const text = message.size > LARGEST_GLANCED || (message.wait && message.wait !== wait) ? null : messageText(lines.entry(message.line));
    const found = text === null ? [] : misfits(wait.began, JsonReader.read(text));
    if (found.length && (!best || found.length <= best.found.length)) best = { message, found };
  }
  return best;
}

/** Why nobody took a received message: lines of {text, item}. */
function whyNotTaken(message, story) {
  const reasons = [];
  const present = waitsAt(message);
  const named = present.filter((wait) => isForName(wait, message.name));
  for (const wait of named.slice(0, 5)) reasons.push({ text: whyNotBy(wait, message, story), item: wait });
  const others = present.filter((wait) => !named.includes(wait));
  for (const wait of others.slice(0, 5 - reasons.length)) reasons.push({ text: `awaited was ${wait.what}`, item: wait });
  if (present.length > reasons.length) reasons.push({ text: `and ${counted(present.length - reasons.length, 'other wait')}` });
  if (!present.length) reasons.push({ text: 'nobody was waiting on this channel when it came' });
  const later = message.channel.waits.find((wait) => wait.from > message.line && wait.awaits === 'message'
    && wait.names.includes(message.name));
  if (later && !named.length) {
    const text = `one of this name was awaited ${duration(later.begunAt - message.at)} later, and did not take it`;
    reasons.push({ text, item: later });
  }
  if (message.request && message.request.isSent) {
    const reply = message.channel.waits.find((wait) => wait.awaits === 'reply' && wait.names.includes(message.request.name)
      && wait.from > message.request.line && wait.from <= message.request.line + 2 && wait.endedAt !== null);
    if (reply && reply.endedAt < message.at) {
      reasons.unshift({ text: `it came ${duration(message.at - reply.endedAt)} after the wait for it had ended`, item: reply });
    }
  }
  return reasons;
}

function whyNotBy(wait, message, story) {
  const found = mismatches(wait.began, messageText(story.lines.entry(message.line)));
  return found.length ? found.join('; ') : `it did not fit ${wait.what}`;
}

/** Whether the wait is for a message of that name, or for none of it to come. */
function isForName(wait, name) {
  return (wait.awaits === 'message' || wait.awaits === 'absence') && wait.names.includes(name);
}

/** The nearest value at that path, in the message or in the first of its members that has it. */
function field(value, path) {
  for (let level = [value], depth = 0; level.length && depth < 4; depth += 1) {
    for (const start of level) {
      const found = path.reduce((at, key) => at && at.items && at.items.find((item) => String(item.key) === key)?.value, start);
      if (found) return found;
    }
    level = level.flatMap((one) => (one.items ? one.items.map((item) => item.value).filter((inner) => inner.items) : []));
  }
  return null;
}

/** What a message's data is as text, or what its dialect read in it; null if it is none. */
function messageText(entry) {
  if (!entry) return null;
  if (typeof entry.text === 'string') return entry.text;
  if (typeof entry.body === 'string') return entry.body;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(entry.base64));
  } catch {
    return null;
  }
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64 ?? ''), (sign) => sign.charCodeAt(0));
}
