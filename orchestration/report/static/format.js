'use strict';
/* Numbers and dates in the reader's locale, elements, and what the address says. */

const DATA = JSON.parse(document.getElementById('data').textContent);
const LOCALE = navigator.languages && navigator.languages.length ? navigator.languages : undefined;
const FEW = DATA.withheld;

const digits = (most, least) => new Intl.NumberFormat(LOCALE, { maximumFractionDigits: most, minimumFractionDigits: least || 0 });
const WHOLE = digits(0), ONE = digits(1), TWO = digits(2, 2);
const PERCENT = new Intl.NumberFormat(LOCALE, { style: 'percent', maximumFractionDigits: 1 });
const POINTS = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1, signDisplay: 'exceptZero' });
const SIGNED = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0, signDisplay: 'exceptZero' });
const MONEY = (most) => new Intl.NumberFormat(LOCALE, {
  ...(DATA.currency ? { style: 'currency', currency: DATA.currency } : {}), maximumFractionDigits: most, minimumFractionDigits: most });
const MONEY_WHOLE = MONEY(0), MONEY_FINE = MONEY(2);
const PRECISE = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 4 });
const COMPACT = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumFractionDigits: 1 });
const MONEY_SHORT = new Intl.NumberFormat(LOCALE, {
  ...(DATA.currency ? { style: 'currency', currency: DATA.currency } : {}), notation: 'compact', maximumSignificantDigits: 3 });
const DAY = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'long', timeZone: 'UTC' });
const SHORT_DAY = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const SHORT_MONTH = new Intl.DateTimeFormat(LOCALE, { month: 'short', year: 'numeric', timeZone: 'UTC' });
const MONTH = new Intl.DateTimeFormat(LOCALE, { month: 'long', year: 'numeric', timeZone: 'UTC' });
const MOMENT = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
const EITHER = new Intl.ListFormat('en', { type: 'disjunction' });

const asDate = (text) => new Date(text.length > 10 ? text + 'Z' : text + 'T00:00:00Z');
const day = (text) => (text ? DAY.format(asDate(text)) : '–');
const shortDay = (text) => (text ? SHORT_DAY.format(asDate(text)) : '–');
const moment = (text) => (text ? MOMENT.format(asDate(text)) + ' UTC' : '–');
const customers = (count) => (count === null || count === undefined ? '–' : count === FEW ? '< ' + WHOLE.format(DATA.minimum_group_size) : WHOLE.format(count));
const share = (value) => (value === null || value === undefined ? '–' : PERCENT.format(value));
const isTold = (count) => count !== null && count !== undefined && count !== FEW;

function figure(value, kind) {
  if (value === null || value === undefined) return '–';
  if (kind === 'share' || kind === 'ratio') return PERCENT.format(value);
  if (kind === 'money') return (Math.abs(value) < 1000 ? MONEY_FINE : MONEY_WHOLE).format(value);
  return (Math.abs(value) >= 100 || Number.isInteger(value) ? WHOLE : Math.abs(value) >= 10 ? ONE : TWO).format(value);
}

const words = (code) => (code ? code.charAt(0).toUpperCase() + code.slice(1).replaceAll('_', ' ') : '–');
/* A value of a table that is shown as it is. */
function asItIs(value) {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return Number.isInteger(value) ? WHOLE.format(value) : PRECISE.format(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return /^\d{4}-\d{2}-\d{2}$/.test(value) ? shortDay(value) : String(value);
}
const plural = (count, one, many) => WHOLE.format(count) + ' ' + (count === 1 ? one : many);

/* An element: h('p', {class: 'lead'}, 'text', other). Texts are texts: nothing is ever read as markup. */
function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'style') element.style.cssText = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

/* What is shown is in the address, so that a link shows it again. */
const read = () => new URLSearchParams(location.hash.replace(/^#/, ''));
const state = (name, otherwise) => read().get(name) ?? otherwise ?? '';

function address(changes, from) {
  const next = new URLSearchParams(from || read());
  for (const [name, value] of Object.entries(changes)) {
    if (value === '' || value === null || value === undefined) next.delete(name); else next.set(name, value);
  }
  return '#' + next.toString();
}
/* Other views keep the colours and what sizes are compared with, and nothing else. */
function viewAddress(changes) {
  const kept = new URLSearchParams();
  for (const name of ['theme', 'since']) if (read().get(name)) kept.set(name, read().get(name));
  return address(changes, kept);
}
function change(changes) {
  history.replaceState(null, '', address(changes));
  render(false);
}

function select(label, name, choices, otherwise) {
  const current = state(name, otherwise);
  const box = h('select', { id: 'f-' + name, onchange: (event) => change({ [name]: event.target.value === otherwise ? '' : event.target.value }) },
    choices.map(([value, text]) => h('option', { value, selected: value === current }, text)));
  return h('label', { class: 'field' }, h('span', {}, label), box);
}
function checkbox(label, name) {
  return h('label', { class: 'check' },
    h('input', { type: 'checkbox', id: 'f-' + name, checked: state(name) === '1', onchange: (event) => change({ [name]: event.target.checked ? '1' : '' }) }), label);
}

/* A table: columns are [title, 'n' for numbers or 'words' or '']; the first cell of a row heads it. */
function table(caption, columns, rows, extra) {
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption }, h('table', { class: extra },
    h('caption', {}, caption),
    h('thead', {}, h('tr', {}, columns.map(([title, kind]) => h('th', { scope: 'col', class: kind }, title)))),
    h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((cell, index) =>
      h(index ? 'td' : 'th', index ? { class: columns[index][1] } : { scope: 'row', class: columns[index][1] }, cell)))))));
}
const panel = (title, lead, ...content) => h('section', { class: 'panel' }, h('h2', {}, title), lead && h('p', { class: 'lead' }, lead), content);
const absent = (title, sentence) => [h('h1', {}, title), h('p', { class: 'note' }, sentence)];
