'use strict';
// JSON as it stands in a message: the order of fields, fields that are there twice, and long numbers stay as they are.

/** A value: `kind` is object, array, string, number or word; a container has `items` of {key, value}, others `text`. */
class JsonReader {
  /** The value that the text is, null if it is no JSON (RFC 8259), or nested too deeply to be shown. */
  static read(text) {
    const reader = new JsonReader(text);
    try {
      const value = reader.value();
      reader.space();
      return reader.at === text.length ? value : null;
    } catch (error) {
      if (error instanceof NoJson || error instanceof RangeError) return null;
      throw error;
    }
  }

  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  value() {
    this.space();
    const sign = this.text[this.at];
    if (sign === '{') return this.container('object', '}');
    if (sign === '[') return this.container('array', ']');
    if (sign === '"') return { kind: 'string', text: this.string() };
    SCALAR.lastIndex = this.at;
    const found = SCALAR.exec(this.text);
    if (!found) throw new NoJson();
    this.at = SCALAR.lastIndex;
    return { kind: found[1] ? 'word' : 'number', text: found[0] };
  }

  container(kind, end) {
    const items = [];
    this.at += 1;
    this.space();
    if (this.text[this.at] === end) {
      this.at += 1;
      return { kind, items };
    }
    for (;;) {
      items.push(kind === 'object' ? this.member() : { key: items.length, value: this.value() });
      this.space();
      const sign = this.text[this.at];
      this.at += 1;
      if (sign === end) return { kind, items };
      if (sign !== ',') throw new NoJson();
    }
  }

  member() {
    this.space();
    if (this.text[this.at] !== '"') throw new NoJson();
    const key = this.string();
    this.space();
    if (this.text[this.at] !== ':') throw new NoJson();
    this.at += 1;
    return { key, value: this.value() };
  }

  string() {
    const begin = this.at;
    let end = begin;
    let escapes;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) throw new NoJson();
      escapes = 0;
      while (this.text[end - 1 - escapes] === '\\') escapes += 1;
    } while (escapes % 2);
    this.at = end + 1;
    try {
      return JSON.parse(this.text.slice(begin, end + 1));
    } catch {
      throw new NoJson();
    }
  }

  space() {
    SPACE.lastIndex = this.at;
    SPACE.exec(this.text);
    this.at = SPACE.lastIndex;
  }
}

class NoJson extends Error {}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /(true|false|null)|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

// -- at a glance ------------------------------------------------------------------------------------------------------

const LARGEST_GLANCED = 65536;
const LONGEST_TEXT = 40;
const DEEPEST_GLANCED = 3;
const TELLING = /^(result|state|status|error|code|event|method|type|text|message)$/i;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const ID_OR_TIME = /^(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-][\d:]+)?)$/i;
const BARE = /^[A-Za-z_+/@*][\w.:/@+*-]*$/;

/** A message's text on one line: `key=value`, what tells most first, without what only repeats the message's name. */
function glance(text, name, width = 240) {
  if (text.length > LARGEST_GLANCED) return `${visible(text.slice(0, 80))}… (${sizeOf(text.length)})`;
  const first = text.trimStart()[0];
  const value = first === '{' || first === '[' ? JsonReader.read(text) : null;
  return value ? members(withoutEnvelope(value, name), width) : visible(text.slice(0, width));
}

function withoutEnvelope(value, name) {
  if (value.kind !== 'object') return value;
  const rest = value.items.filter(({ key, value: item }) =>
    key !== 'jsonrpc' && !(item.kind === 'string' && item.text === name));
  const sole = rest.length === 1 ? rest[0].value : null;
  return sole && sole.items ? sole : { kind: 'object', items: rest };
}

function members(value, width) {
  const isObject = value.kind === 'object';
  const items = isObject ? [...value.items].sort((one, other) => rank(one) - rank(other)) : value.items;
  return joined(items, (item) => (isObject ? `${visible(item.key)}=` : '') + brief(item.value, 1), width);
}

function rank({ key, value }) {
  if (value.items) return 3;
  if (value.kind === 'string' && !TELLING.test(key)) {
    if (ID_OR_TIME.test(value.text)) return 2;
    return value.text.length > LONGEST_TEXT ? 3 : 1;
  }
  return TELLING.test(key) ? 0 : 1;
}

function brief(value, depth) {
  if (value.kind === 'string') return briefText(value.text);
  if (!value.items) return value.text;
  const [begin, end] = value.kind === 'object' ? '{}' : '[]';
  if (!value.items.length) return begin + end;
  if (depth >= DEEPEST_GLANCED) return `${begin}…${end}`;
  const tell = (item) => (value.kind === 'object' ? `${visible(item.key)}=` : '') + brief(item.value, depth + 1);
  return begin + joined(value.items, tell, 60) + end;
}

function briefText(text) {
  if (UUID.test(text)) return `${text.slice(0, 8)}…`;
  const short = text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`;
  if (ID_OR_TIME.test(short) || (BARE.test(short) && !/^(true|false|null)$/.test(short))) return short;
  return visible(JSON.stringify(short));
}

function joined(items, tell, width) {
  let text = '';
  for (const item of items) {
    if (text.length > width) return `${text} …`;
    text += (text ? ' ' : '') + tell(item);
  }
  return text;
}
