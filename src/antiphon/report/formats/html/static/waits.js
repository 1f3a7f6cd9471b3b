'use strict';
// What a wait is for, and what a step was given, in the words of the other reports, and where a message does not fit it.

/** Under these names stands in a wait's `where` the description of what JSON cannot hold, and the name of a predicate. */
const DESCRIBED = '$pattern';
const PREDICATE = '$predicate';
/** And under this one, of a step's argument, how it is shown. */
const SHOWN = '$shown';
const WORDS = { true: 'True', false: 'False', null: 'None' };

/** What is waited for, of the line of the journal where the wait begins. Numbers stay as they are written there. */
function awaitedTold(line) {
  const entry = JsonReader.read(line);
  const given = (key) => member(entry, key)?.text;
  const name = namesTold(member(entry, 'name'));
  return {
    message: () => selectionTold(name, member(entry, 'where')),
    absence: () => `no ${selectionTold(name, member(entry, 'where'))}`,
    reply: () => `the reply to ${oneLine(name ?? '')}`,
    close: () => `the close of the connection${given('code') === undefined ? '' : ` with code ${given('code')}`}`,
    until: () => `until ${name || 'it'}${given('place') ? ` at ${given('place')}` : ''} is true`,
    signal: () => `the signal ${asPython(name ?? '')}${given('times') === undefined ? '' : `, given ${given('times')} times`}`,
  }[given('awaits')]?.() ?? 'something';
}

/** A step's arguments as they were written, of the line of the journal where it begins; numbers as above. */
function argumentsTold(line) {
  const given = member(JsonReader.read(line), 'arguments')?.items ?? [];
  return given.map(({ value: argument }) => {
    const name = member(argument, 'name')?.text;
    const value = argument.items.find(({ key }) => key === 'value').value;
    return (name ? `${name}=` : '') + (sole(value, SHOWN) ?? cutMiddle(valueTold(value), 120));
  }).join(', ');
}

/** A value as Python shows it. */
function valueTold(value) {
  if (value.kind === 'array') return `[${value.items.map((item) => valueTold(item.value)).join(', ')}]`;
  if (value.kind === 'object') {
    return `{${value.items.map((item) => `${asPython(item.key)}: ${valueTold(item.value)}`).join(', ')}}`;
  }
  if (value.kind === 'word') return WORDS[value.text];
  return value.kind === 'string' ? asPython(value.text) : value.text;
}

/** A message's name, or several as `accepted, busy or rejected`. */
function namesTold(names) {
  if (names?.kind !== 'array') return names?.text;
  const several = names.items.map((item) => item.value.text);
  return `${several.slice(0, -1).join(', ')} or ${several.at(-1)}`;
}

function selectionTold(name, where) {
  const what = name === undefined ? 'any message' : oneLine(name);
  if (!where) return what;
  const predicate = sole(where, PREDICATE);
  return predicate === null ? `${what} where ${oneLine(cutMiddle(patternTold(where), 200))}` : `${what} that ${oneLine(predicate)} accepts`;
}

function patternTold(pattern) {
  if (pattern.kind === 'array') return `[${pattern.items.map((item) => patternTold(item.value)).join(', ')}]`;
  if (pattern.kind === 'object') {
    return sole(pattern, DESCRIBED) ?? `{${pattern.items.map(({ key, value }) => `${key}: ${patternTold(value)}`).join(', ')}}`;
  }
  return cutMiddle(valueTold(pattern), 120);
}

/** The text of an object's only member, if that has this name; else null. */
function sole(pattern, key) {
  const isSole = pattern.kind === 'object' && pattern.items.length === 1 && pattern.items[0].key === key;
  return isSole ? pattern.items[0].value.text : null;
}

/** An object's member; undefined if it has none of that name, or a null. */
function member(value, key) {
  const found = value?.items?.find((item) => item.key === key)?.value;
  return found && !(found.kind === 'word' && found.text === 'null') ? found : undefined;
}

/** A text as Python shows it, which is how the other reports tell it. */
function asPython(text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const told = text.replace(/[\\\p{C}\p{Z}]|['"]/gu, (sign) => {
    if (sign === ' ' || ((sign === "'" || sign === '"') && sign !== quote)) return sign;
    const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\', [quote]: `\\${quote}` }[sign];
    if (short) return short;
    const code = sign.codePointAt(0).toString(16);
    if (code.length <= 2) return `\\x${code.padStart(2, '0')}`;
    return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`;
  });
  return `${quote}${told}${quote}`;
}

function oneLine(text) {
  const signs = [...text.split(/\s+/u).filter(Boolean).join(' ')];
  return signs.length <= 160 ? signs.join('') : `${signs.slice(0, 159).join('')}…`;
}

function cutMiddle(text, limit) {
  const signs = [...text];
  const half = Math.floor((limit - 1) / 2);
  return signs.length <= limit ? text : `${signs.slice(0, half).join('')}…${signs.slice(-half).join('')}`;
}

/**
 * Where a message differs from the plain fields of a wait's `where`: `{path, wanted, value}`, `value` being null where
 * there is none. `line` is that where the wait begins, `body` the message's data, read.
 */
function misfits(line, body) {
  const where = member(JsonReader.read(line), 'where');
  if (!where || !body) return [];
  return plainFields(where, []).flatMap(([path, wanted]) => {
    const value = field(body, path);
    return value && value.kind === wanted.kind && value.text === wanted.text ? [] : [{ path: path.join('.'), wanted: patternTold(wanted), value }];
  });
}

function foundTold(value) {
  if (!value) return 'not there';
  return visible(value.kind === 'string' ? `'${value.text.slice(0, 60)}'` : brief(value, 2));
}

/** The same in words, of the message's text. */
function mismatches(line, text) {
  return misfits(line, text === null ? null : JsonReader.read(text)).map(misfitTold);
}

function misfitTold({ path, wanted, value }) {
  return value ? `${path} is ${foundTold(value)}, wanted ${wanted}` : `it has no field ${path}, wanted ${wanted}`;
}

/** The fields of a pattern that want one plain value, with their paths. */
function plainFields(pattern, path) {
  if (pattern.kind === 'array' || sole(pattern, DESCRIBED) !== null || sole(pattern, PREDICATE) !== null) return [];
  if (!pattern.items) return path.length ? [[path, pattern]] : [];
  return pattern.items.flatMap(({ key, value }) => plainFields(value, [...path, key]));
}
