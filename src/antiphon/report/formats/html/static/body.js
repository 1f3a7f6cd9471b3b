'use strict';
// A message's data, readable: JSON as a tree that opens and is searched, other text as it is, bytes as a dump.

class Body {
  /** `text` is null for bytes that are no text; `mark(value)` notes in what was read which parts differ from what was wanted. */
  constructor(text, bytes, size, mark = null) {
    this.mark = mark;
    this.text = text;
    this.bytes = bytes;
    this.size = size;
    this.found = [];
    this.at = -1;
  }

  readable() {
    if (this.size > LARGEST_OPEN && !this.isOpened) return this.folded();
    this.value ??= this.text === null ? null : JsonReader.read(this.text);
    if (!this.value) return this.raw();
    this.mark?.(this.value);
    const tree = make('div.tree');
    tree.append(branch({ value: this.value }, 0, this.value.items && this.value.items.length > 40 ? 1 : 3));
    return tree;
  }

  folded() {
    const box = make('div.folded', make('p', `${sizeOf(this.size)}, not read yet.`));
    box.append(button('Open it', () => {
      this.isOpened = true;
      box.replaceWith(this.readable());
    }));
    return box;
  }

  raw() {
    if (this.text === null) return this.dump();
    const pre = make('pre.raw', visibleLines(this.text.slice(0, LARGEST_RAW)));
    return this.text.length > LARGEST_RAW ? this.cut(pre, () => { pre.textContent = visibleLines(this.text); }) : pre;
  }

  dump() {
    const pre = make('pre.raw.dump', hexDump(this.bytes.slice(0, LARGEST_DUMP)));
    return this.bytes.length > LARGEST_DUMP ? this.cut(pre, () => { pre.textContent = hexDump(this.bytes); }) : pre;
  }

  cut(pre, showAll) {
    const more = button(`Show all ${sizeOf(this.size)}`, () => {
      showAll();
      more.remove();
    });
    return make('div', pre, more);
  }

  // -- search ---------------------------------------------------------------------------------------------------------

  /** A field that finds in the tree that `content()` holds. */
  searchBox(content) {
    const input = make('input');
    input.type = 'search';
    input.placeholder = 'Find in it';
    input.setAttribute('aria-label', 'Find in this body');
    const told = make('small.found');
    input.addEventListener('input', () => {
      this.search(input.value);
      this.step(1, content(), told);
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.step(event.shiftKey ? -1 : 1, content(), told);
      if (event.key === 'Escape' && input.value) {
        input.value = '';
        this.search('');
        this.step(1, content(), told);
        event.stopPropagation();
      }
    });
    return make('span.body-search', input, told);
  }

  search(query) {
    this.found = [];
    this.at = -1;
    this.query = query.toLowerCase();
    if (query && this.value) this.walk(this.value, []);
  }

  walk(value, path) {
    if (this.found.length >= 1000) return;
    if (!value.items) {
      if (value.text.toLowerCase().includes(this.query)) this.found.push(path);
      return;
    }
    value.items.forEach(({ key, value: inner }, index) => {
      const here = [...path, index];
      const isKey = value.kind === 'object' && key.toLowerCase().includes(this.query);
      if (isKey) this.found.push(here);
      if (!(isKey && !inner.items)) this.walk(inner, here);
    });
  }

  step(by, content, told) {
    for (const old of content.querySelectorAll('.hit')) old.classList.remove('hit');
    const { length } = this.found;
    told.textContent = this.query ? (length ? '' : 'none') : '';
    if (!length) return;
    this.at = (this.at + by + length) % length;
    told.textContent = `${this.at + 1} of ${length}${length >= 1000 ? ' or more' : ''}`;
    const tree = content.querySelector('.tree');
    if (!tree) return;
    let at = tree.firstElementChild;
    for (const index of this.found[this.at]) at = at.child(index);
    at.classList.add('hit');
    at.scrollIntoView({ block: 'nearest' });
  }
}

/** A value of JSON as an element; `child(index)` gives that of an item, opened if it was not. */
function branch({ key, value }, depth, openTo) {
  const label = typeof key === 'string' ? [make('span.key', visible(JSON.stringify(key))), ': '] : [];
  if (!value.items) {
    const wanted = value.wanted === undefined ? null : make('span.wanted', `wanted ${visible(value.wanted)}`);
    const leaf = make('div.leaf', ...label, ...leafText(value), wanted);
    leaf.classList.toggle('differs', Boolean(wanted));
    leaf.child = () => leaf;
    return leaf;
  }
  const [begin, end] = value.kind === 'object' ? '{}' : '[]';
  const count = value.items.length;
  const told = count ? ` ${counted(count, value.kind === 'object' ? 'field' : 'item')} ` : '';
  const summary = make('summary', ...label, make('span.brace', begin), make('span.count', told), make('span.brace.end', end));
  const node = lazily(summary, (place) => fill(place, value, 0, count, depth + 1, openTo));
  node.append(make('div.brace.closing', end));
  if (count && depth < openTo && (depth === 0 || count <= 40)) node.show();
  return node;
}

/** A part of the tree that is built when it is opened: `build(place)` gives the way to each of its items. */
function lazily(summary, build) {
  const place = make('div.children');
  const node = make('details.node', summary, place);
  let find = null;
  node.show = () => {
    find ??= build(place);
    node.open = true;
  };
  node.child = (index) => {
    node.show();
    return find(index);
  };
  node.addEventListener('toggle', () => { if (node.open) node.show(); });
  return node;
}

/** Put items of a container into `place`: a hundred as they are, more as ranges that open. Gives the way to each. */
function fill(place, value, from, to, depth, openTo) {
  if (to - from <= CHILDREN) {
    const built = value.items.slice(from, to).map((item) => branch(value.kind === 'object' ? item : { value: item.value }, depth, openTo));
    place.append(...built);
    return (index) => built[index - from];
  }
  let step = CHILDREN;
  while (to - from > step * CHILDREN) step *= CHILDREN;
  const ranges = [];
  for (let start = from; start < to; start += step) {
    const end = Math.min(start + step, to);
    const summary = make('summary', make('span.count', `${start.toLocaleString('en')} … ${(end - 1).toLocaleString('en')}`));
    summary.classList.add('range');
    ranges.push(lazily(summary, (inner) => fill(inner, value, start, end, depth, openTo)));
  }
  place.append(...ranges);
  return (index) => ranges[Math.floor((index - from) / step)].child(index);
}

function leafText(value) {
  if (value.kind !== 'string') return [make(`span.${value.kind}`, value.text)];
  const isLong = value.text.length > LONGEST_STRING;
  const shown = make('span.string', quoted(isLong ? value.text.slice(0, LONGEST_STRING) : value.text));
  if (!isLong) return [shown];
  const more = button(`… ${counted(value.text.length, 'character')}`, () => {
    shown.textContent = quoted(value.text);
    more.remove();
  }, 'more');
  return [shown, more];
}

/** A string as JSON writes it, on lines of its own where it has lines. */
function quoted(text) {
  return visible(JSON.stringify(text)).replace(/\\\\|\\r\\n|\\n/g, (end) => (end === '\\\\' ? end : `${end}\n`));
}
