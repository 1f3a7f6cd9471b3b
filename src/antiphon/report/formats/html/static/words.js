'use strict';
// Words for what is shown: times, sizes, text that cannot do anything to the page, and elements made of it.

/** Control characters, those that turn the direction of text, those that cannot be seen, and lone surrogates. */
const UNSEEN = new RegExp('[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e' +
  '\\u2060-\\u206f\\ufe00-\\ufe0e\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e0fff}]|\\p{Cs}', 'gu');

/** The text on one line, with whatever cannot be seen written as an escape. */
function visible(text) {
  return text.replace(UNSEEN, escaped);
}

/** The same, but lines and tabs stay. */
function visibleLines(text) {
  return text.replace(UNSEEN, (sign) => (sign === '\n' || sign === '\t' ? sign : escaped(sign)));
}

function escaped(sign) {
  const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[sign];
  if (short) return short;
  const code = sign.codePointAt(0);
  const [letter, digits] = code < 0x100 ? ['x', 2] : code < 0x10000 ? ['u', 4] : ['U', 8];
  return `\\${letter}${code.toString(16).padStart(digits, '0')}`;
}

/** A duration with the unit that suits it. */
function duration(ns) {
  const size = Math.abs(ns);
  if (size < 1e3) return `${ns} ns`;
  if (size < 1e6) return `${Math.round(ns / 1e3)} µs`;
  if (size < 1e7) return `${(ns / 1e6).toFixed(1)} ms`;
  if (size < 1e9) return `${Math.round(ns / 1e6)} ms`;
  if (size < 6e10) return `${(ns / 1e9).toFixed(3)} s`;
  const seconds = Math.round(ns / 1e9);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** From when the page counts, in nanoseconds since the run began: from when the actors were there. */
const sinceArrival = { origin: 0 };

/** A moment of the run, as the rows show it: before the actors were there it is negative. */
function moment(ns, digits = 3) {
  return ((ns - sinceArrival.origin) / 1e9).toFixed(digits).replace('-', '−');
}

/** `n` things: "1 message", "20,000 messages". */
function counted(n, thing) {
  return `${n.toLocaleString('en')} ${thing}${n === 1 ? '' : 's'}`;
}

function sizeOf(bytes) {
  if (bytes < 1024) return counted(bytes, 'byte');
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
}

/** An element: `make('td.dim', 'text', child)`. Strings become text, never markup. */
function make(what, ...content) {
  const [tag, ...classes] = what.split('.');
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(' ');
  element.append(...content.filter((part) => part !== null && part !== undefined && part !== ''));
  return element;
}

function button(text, action, className = '') {
  const element = make('button', text);
  element.type = 'button';
  if (className) element.className = className;
  element.addEventListener('click', action);
  return element;
}

const byId = (id) => document.getElementById(id);

/** Put text on the clipboard, and say so on the button for a moment. */
async function copy(text, from) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make('textarea.offscreen');
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand('copy');
    area.remove();
  }
  if (!from) return;
  const label = from.dataset.label ?? (from.dataset.label = from.textContent);
  from.textContent = done ? 'Copied' : 'Could not copy';
  setTimeout(() => { from.textContent = label; }, 1200);
}
