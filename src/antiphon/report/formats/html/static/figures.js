'use strict';
// How the figures of a load are written. Times of what was measured are milliseconds.

/** `812 µs`, `8.1 ms`, `812 ms`, `1.234 s`. */
function took(ms) {
  if (ms === null || ms === undefined) return '';
  if (ms === 0) return '0';
  if (ms < 0.9995) return `${Math.round(ms * 1e3)} µs`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return ms < 99999.5 ? `${(ms / 1e3).toFixed(ms < 9999.5 ? 3 : 1)} s` : `${Math.round(ms / 1e3)} s`;
}

/** A moment of the load, or how long it was: `62 s`, `12 min 5 s`. */
function clock(s) {
  if (s < 120) return `${Number(s.toFixed(s < 10 ? 1 : 0))} s`;
  const whole = Math.round(s);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours ? `${hours} h ${minutes} min` : `${minutes} min${whole % 60 ? ` ${whole % 60} s` : ''}`;
}

function number(value) {
  return value === null || value === undefined ? '' : Number(value).toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });
}

/** How often: seldom things by the minute. */
function rate(perS) {
  if (perS === null || perS === undefined) return '';
  const [value, unit] = perS >= 1 || perS === 0 ? [perS, 's'] : [perS * 60, 'min'];
  return `${value.toLocaleString('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })}/${unit}`;
}

/** What is not nothing is not told as nothing, nor what is not all as all. */
function percent(share) {
  if (share > 0 && share < 0.0005) return '< 0.1 %';
  if (share >= 0.9995 && share < 1) return '> 99.9 %';
  return `${(share * 100).toFixed(1)} %`;
}

function size(bytes) {
  if (bytes === null || bytes === undefined) return '';
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  while (value >= 1000 && units.length > 1) { value /= 1024; units.shift(); }
  return `${units[0] === 'B' ? Math.round(value) : value.toFixed(1)} ${units[0]}`;
}

/** A ratio as the change that it is. */
function change(ratio) {
  if (ratio >= 3) return `× ${ratio.toFixed(1)}`;
  return `${ratio < 1 ? '−' : '+'}${Math.abs((ratio - 1) * 100).toFixed(1)} %`;
}

/** The last parts of a series' name, and how deep it stands: part, step, what is in it. */
function nameOf(series) {
  // A request's path has slashes of its own, behind the method; outside of a step it stands below the part.
  const at = series.name.indexOf(' /');
  const [named, path] = at < 0 ? [series.name, ''] : [series.name.slice(0, at), series.name.slice(at)];
  const [part, step, ...rest] = named.split('/');
  if (step === undefined) return { depth: 0, name: part };
  return rest.length ? { depth: 2, name: rest.join('/') + path } : { depth: 1, name: step + path };
}
