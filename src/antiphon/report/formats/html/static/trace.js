'use strict';
// The page: reads the journal in it, shows it, and listens to keys and clicks.

class Page {
  constructor() {
    const blocks = [...document.querySelectorAll('script.journal')].map((block) => block.textContent);
    this.story = new Story(new Lines(blocks));
    this.story.sources = JSON.parse(byId('sources').textContent);
    this.filters = new Filters(this.story);
    this.details = new Details(this.story, { go: (item) => this.go(item), onClose: () => this.closeDetails() });
    this.diagram = new Diagram(this.story, {
      onChoose: (item) => this.choose(item), onFold: (step) => this.fold(step), onDraw: () => this.strip?.draw(),
    });
    this.strip = new Strip(this.story, this.diagram, (item) => this.choose(item, { center: true }));
    this.troubleShown = -1;
    this.tellRun();
    this.tellFailure();
    this.fillActors();
    this.listen();
    this.refresh();
    this.begin();
  }

  // -- the head of the page -------------------------------------------------------------------------------------------

  tellRun() {
    const { story } = this;
    const { started, verdict, own, counts } = story;
    const badge = byId('verdict');
    badge.textContent = verdict;
    badge.classList.add(`is-${verdict}`);
    const parameters = Object.entries(started?.parameters ?? {}).map(([name, value]) =>
      make('span', make('span.parameter', `${visible(name)}=`), visible(JSON.stringify(value) ?? '')));
    byId('scenario').append(visible(started?.scenario ?? 'a run'), make('span.parameters', '(', ...commas(parameters), ')'));
    const facts = [
      own === verdict ? '' : `the run itself: ${own}`, story.test ? `of the test ${story.test.text}` : '',
      started?.stand ? `on ${started.stand}` : '', `took ${duration(story.lastAt)}`,
      story.origin >= 1e6 ? `the actors were there after ${duration(story.origin)}` : '', started ? whenOf(started.started_at) : '',
      counted(counts.steps, 'step'), `${counts.sent.toLocaleString('en')} sent`, `${counts.received.toLocaleString('en')} received`,
      counts.http ? counted(counts.http, 'HTTP request') : '',
    ];
    byId('facts').append(...facts.filter(Boolean).map((fact) => make('span', visible(fact))));
    if (started) byId('facts').title = visible(`antiphon ${started.antiphon}, Python ${started.python}, process ${started.pid}`);
    document.title = `${verdict}: ${visible(started?.scenario ?? 'a run')} · antiphon trace`;
  }

  tellFailure() {
    const { failure, ended, problems, test, isExpected } = this.story;
    const text = failure ? failure.text ?? failure.error
      : !ended ? 'The run was cut off: its journal has no end. It was killed, or is still going on.'
        : test && !isExpected ? `The run passed, and its test did not: ${test.text}`
        : problems.length ? `The run passed, but ${counted(problems.length, 'thing')} in it went wrong.` : '';
    if (!text) return;
    const told = failure && isExpected ? `No failure of its test (${test.outcome}): ${text}` : text;
    const [first, ...rest] = visibleLines(told).split('\n');
    const section = byId('failure');
    section.hidden = false;
    section.classList.toggle('mild', isExpected || (!failure && !test));
    const shown = byId('failure-text');
    shown.querySelector('summary').textContent = first;
    shown.querySelector('pre').textContent = rest.join('\n');
    shown.classList.toggle('short', !rest.length);
    shown.open = !matchMedia('(max-width: 560px)').matches; // there the first line has to do until somebody asks
    byId('jump').hidden = !problems.length;
  }

  fillActors() {
    const { story, filters } = this;
    if (story.actors.length < 2) return;
    byId('actors').append(...story.actors.map((actor) => {
      const chip = button('', () => {
        if (filters.hiddenActors.has(actor)) filters.hiddenActors.delete(actor);
        else filters.hiddenActors.add(actor);
        chip.setAttribute('aria-pressed', String(!filters.hiddenActors.has(actor)));
        this.refresh();
      }, `chip hue${actor.hue}`);
      chip.append(make('span', visible(actor.name)));
      chip.title = 'Show this actor; with Shift only this one';
      chip.setAttribute('aria-pressed', 'true');
      chip.addEventListener('click', (event) => { if (event.shiftKey) this.onlyActor(actor); });
      return chip;
    }));
  }

  onlyActor(actor) {
    const { actors } = this.story;
    this.filters.hiddenActors = new Set(actors.filter((other) => other !== actor));
    [...byId('actors').children].forEach((chip, index) => chip.setAttribute('aria-pressed', String(actors[index] === actor)));
    this.refresh();
  }

  // -- what is shown --------------------------------------------------------------------------------------------------

  refresh() {
    const { filters, story } = this;
    const rows = filters.items();
    this.diagram.show(rows, filters.actors);
    const isMessage = (item) => item.kind === 'message' && !item.isProtocol;
    const shown = rows.filter(isMessage).length;
    const all = story.counts.sent + story.counts.received;
    byId('count').textContent = shown === all ? counted(all, 'message') : `${shown.toLocaleString('en')} of ${counted(all, 'message')}`;
    const hidden = filters.names.filter(([name]) => filters.hiddenNames.has(name) && !filters.heartbeats.has(name)).length;
    byId('names-button').textContent = hidden ? `Names (${hidden} hidden)` : 'Names';
    const heartbeats = byId('heartbeats');
    heartbeats.hidden = !filters.heartbeatCount;
    heartbeats.textContent = `Heartbeats ${filters.heartbeatCount.toLocaleString('en')}`;
    heartbeats.setAttribute('aria-pressed', String(filters.showsHeartbeats));
    const protocol = byId('protocol');
    protocol.hidden = !story.counts.protocol;
    protocol.textContent = `Protocol ${story.counts.protocol.toLocaleString('en')}`;
    protocol.setAttribute('aria-pressed', String(filters.showsProtocol));
    byId('waits').setAttribute('aria-pressed', String(filters.showsWaits));
    byId('fold').setAttribute('aria-pressed', String(filters.showsStepsOnly));
    byId('main').classList.toggle('is-empty', rows.length === 0);
    if (!byId('names').hidden) this.fillNames();
  }

  fillNames() {
    const { filters } = this;
    const wanted = byId('names-search').value.toLowerCase();
    const names = filters.names.filter(([name]) => name.toLowerCase().includes(wanted));
    byId('names-list').replaceChildren(...names.slice(0, 300).map(([name, count]) => {
      const box = make('input');
      box.type = 'checkbox';
      box.checked = !filters.hiddenNames.has(name);
      box.addEventListener('change', () => {
        if (box.checked) filters.hiddenNames.delete(name);
        else filters.hiddenNames.add(name);
        this.refresh();
      });
      const only = button('only', () => {
        filters.hiddenNames = new Set(filters.names.map(([other]) => other).filter((other) => other !== name));
        this.refresh();
      }, 'link');
      const label = make('label', box, make('span', visible(name) || '(no name)'), make('small', count.toLocaleString('en')));
      return make('li', label, only);
    }), names.length > 300 ? make('li.nothing', `and ${names.length - 300} more`) : '');
  }

  begin() {
    const line = Number(/^#L(\d+)$/.exec(location.hash)?.[1]) - 1;
    const item = Number.isNaN(line) ? null : this.story.items.find((known) => known.line === line);
    if (item) this.go(item);
    else if (this.story.failing && this.story.own !== 'passed' && !this.story.isExpected) this.showTrouble();
  }

  /** Choose an item and show its details. */
  choose(item, options) {
    this.diagram.choose(item, options);
    this.details.open(item);
    try {
      history.replaceState(null, '', `#L${item.line + 1}`);
    } catch {
      // some places where the page is shown have no history
    }
    this.diagram.choose(item, options); // the details have taken some of the width, or the height
  }

  /** Choose an item that may be filtered away. */
  go(item) {
    if (this.diagram.indexOf(item) < 0) {
      for (let step = item.home; step; step = step.parent) step.isFolded = false;
      if (this.filters.showsStepsOnly) this.filters.showsStepsOnly = false;
      if (item.name !== undefined) this.filters.hiddenNames.delete(item.name);
      this.refresh();
    }
    this.choose(item, { center: true });
  }

  closeDetails() {
    this.details.close();
    this.diagram.choose(null);
    byId('scroller').focus({ preventScroll: true });
  }

  showTrouble() {
    const { problems } = this.story;
    if (!problems.length) return;
    this.troubleShown = (this.troubleShown + 1) % problems.length;
    this.go(problems[this.troubleShown]);
  }

  fold(step) {
    step.isFolded = !step.isFolded;
    this.refresh();
  }

  move(by, test = () => true) {
    const { rows, chosen } = this.diagram;
    const start = chosen ? this.diagram.indexOf(chosen) : -1;
    let index = start < 0 ? (by > 0 ? Math.floor(this.diagram.scroller.scrollTop / ROW) - 1 : rows.length) : start;
    do index += by; while (index >= 0 && index < rows.length && !test(rows[index]));
    if (index >= 0 && index < rows.length) this.choose(rows[index]);
  }

  movePage(by) {
    const { rows, chosen } = this.diagram;
    const page = Math.floor(this.diagram.scroller.clientHeight / ROW) - 2;
    const index = clamp((chosen ? this.diagram.indexOf(chosen) : 0) + by * page, 0, rows.length - 1);
    if (rows[index]) this.choose(rows[index]);
  }

  hideName() {
    const { chosen, rows } = this.diagram;
    if (!chosen || (chosen.kind !== 'message' && chosen.kind !== 'http')) return;
    const index = this.diagram.indexOf(chosen);
    const next = rows.slice(index).find((item) => item.name !== chosen.name) ?? null;
    this.filters.hiddenNames.add(chosen.name);
    this.refresh();
    if (next) this.choose(next);
  }

  flipTheme() {
    flipTheme();
    this.strip.draw();
  }

  flip(which) {
    this.filters[which] = !this.filters[which];
    this.refresh();
  }

  // -- listening ------------------------------------------------------------------------------------------------------

  listen() {
    let timer = 0;
    byId('search').addEventListener('input', (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.filters.query = event.target.value;
        this.refresh();
      }, 120);
    });
    const clicks = {
      heartbeats: () => this.flip('showsHeartbeats'),
      protocol: () => this.flip('showsProtocol'),
      waits: () => this.flip('showsWaits'),
      fold: () => this.flip('showsStepsOnly'),
      jump: () => this.showTrouble(),
      theme: () => this.flipTheme(),
      'help-button': () => byId('help').showModal(),
      'help-close': () => byId('help').close(),
      'names-button': () => this.toggleNames(),
      'names-all': () => { this.filters.hiddenNames.clear(); this.refresh(); },
      'names-none': () => { this.filters.hiddenNames = new Set(this.filters.names.map(([name]) => name)); this.refresh(); },
    };
    for (const [id, action] of Object.entries(clicks)) byId(id).addEventListener('click', action);
    byId('names-search').addEventListener('input', () => this.fillNames());
    document.addEventListener('keydown', (event) => this.key(event));
    document.addEventListener('click', (event) => {
      if (!byId('names').hidden && !event.target.closest('.names') && event.target.isConnected) this.toggleNames();
    });
    window.addEventListener('hashchange', () => this.begin());
  }

  toggleNames() {
    const names = byId('names');
    names.hidden = !names.hidden;
    byId('names-button').setAttribute('aria-expanded', String(!names.hidden));
    if (names.hidden) return;
    this.fillNames();
    byId('names-search').focus();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return;
    const { target } = event;
    const isTyping = target instanceof HTMLInputElement && target.type !== 'checkbox';
    if (event.key === 'Escape') this.escape(isTyping, target);
    else if (isTyping) {
      if (event.key === 'Enter' && target.id === 'search') byId('scroller').focus();
      return;
    } else if (!this.pressed(event.key, target)) return;
    event.preventDefault();
  }

  escape(isTyping, target) {
    if (!byId('names').hidden) {
      this.toggleNames();
      byId('names-button').focus();
    } else if (isTyping && target.id === 'search' && target.value) {
      target.value = '';
      this.filters.query = '';
      this.refresh();
    } else if (isTyping) byId('scroller').focus();
    else if (this.details.isOpen) this.closeDetails();
  }

  /** Whether the key means something here. */
  pressed(key, target) {
    const isOnButton = target instanceof HTMLButtonElement || target.tagName === 'SUMMARY';
    if (isOnButton && (key === 'Enter' || key === ' ')) return false;
    const isInDetails = byId('details').contains(target);
    const { chosen } = this.diagram;
    const scrolls = {
      ArrowDown: () => this.move(1), ArrowUp: () => this.move(-1), PageDown: () => this.movePage(1), PageUp: () => this.movePage(-1),
      Home: () => this.diagram.rows.length && this.choose(this.diagram.rows[0]),
      End: () => this.diagram.rows.length && this.choose(this.diagram.rows.at(-1)),
    };
    const keys = {
      j: () => this.move(1), k: () => this.move(-1),
      ']': () => this.move(1, (item) => item.kind === 'step'), '[': () => this.move(-1, (item) => item.kind === 'step'),
      f: () => this.showTrouble(), h: () => this.flip('showsHeartbeats'), p: () => this.flip('showsProtocol'),
      w: () => this.flip('showsWaits'),
      s: () => this.flip('showsStepsOnly'), t: () => this.flipTheme(), x: () => this.hideName(),
      r: () => chosen && relatedTo(chosen)[0] && this.go(relatedTo(chosen)[0]),
      c: () => this.details.copyable && copy(this.details.copyable(), byId('details').querySelector('.copy')),
      '/': () => { byId('search').focus(); byId('search').select(); },
      '?': () => byId('help').showModal(),
      Enter: () => this.details.isOpen && byId('details').focus(),
      ' ': () => chosen?.kind === 'step' && this.fold(chosen),
      ...(isInDetails ? {} : scrolls),
    };
    if (!Object.hasOwn(keys, key)) return false;
    keys[key]();
    return true;
  }
}

function commas(parts) {
  return parts.flatMap((part, index) => (index ? [', ', part] : [part]));
}

function whenOf(iso) {
  const when = new Date(iso);
  return Number.isNaN(when.getTime()) ? iso : `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

const page = new Page();
