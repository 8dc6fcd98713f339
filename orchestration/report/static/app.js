/* Which view is shown, the contents, search, colours. */

const VIEWS = { overview, segmentation, reviews, rfm, lifetime, habits, budget, audiences, quality };
const SEARCHED = new Set(['overview', 'reviews', 'audiences', 'quality']);
const OTHER_VIEWS = [['rfm', 'Recency and frequency map'], ['lifetime', 'Lifetime value'], ['habits', 'Holidays, payment, channels'], ['budget', 'Value and budget'], ['audiences', 'Audiences'], ['quality', 'Data quality of the night']];

function contents() {
  const view = VIEWS[state('view', 'overview')] ? state('view', 'overview') : 'overview';
  const due = DATA.segmentations.reduce((sum, one) => sum + dueSegments(one).length, 0);
  const link = (name, text, extra, count) => h('li', {}, h('a', { href: viewAddress({ view: name, ...extra }), class: extra && extra.thin ? 'thin' : null,
    'aria-current': view === name && (!extra || extra.s === state('s')) ? 'page' : null }, h('span', {}, text), count ? h('span', { class: 'count' }, WHOLE.format(count)) : null));
  const families = [...new Set(DATA.segmentations.map((one) => one.family))];
  document.getElementById('nav').replaceChildren(
    h('ul', {}, link('overview', 'Overview'), link('reviews', 'Needs a look', null, due)),
    h('h2', {}, 'Views'), h('ul', {}, OTHER_VIEWS.map(([name, text]) => link(name, text))),
    ...families.flatMap((family) => [h('h2', {}, family), h('ul', {}, DATA.segmentations.filter((one) => one.family === family).map((one) => link('segmentation', one.label, { s: one.code })))]));
}

/* `fresh`: another view than before, which begins at its top; otherwise the focus stays where it was. */
function render(fresh) {
  const focused = document.activeElement && document.activeElement.id;
  const theme = state('theme') || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  document.documentElement.dataset.theme = printing ? 'light' : theme;
  document.getElementById('theme').value = state('theme');
  const search = document.getElementById('search');
  if (document.activeElement !== search) search.value = state('q');
  clearCharts();
  contents();
  const name = VIEWS[state('view', 'overview')] ? state('view', 'overview') : 'overview';
  const main = document.getElementById('main');
  main.replaceChildren(...[VIEWS[name]()].flat(Infinity).filter(Boolean));
  const title = main.querySelector('h1').textContent;
  document.title = title + ' · Customer segments';
  if (fresh) {
    scrollTo(0, 0);
    closeMenu();
    main.focus({ preventScroll: true });
    document.getElementById('said').textContent = title;
  } else if (focused && document.getElementById(focused)) document.getElementById(focused).focus({ preventScroll: true });
}

function closeMenu() {
  document.getElementById('nav').classList.remove('open');
  document.getElementById('menu').setAttribute('aria-expanded', 'false');
}

let printing = false, waiting = 0;
document.getElementById('brand-detail').textContent = DATA.build.source.replaceAll('_', ' ') + ', ' + day(DATA.build.as_of_date);
document.getElementById('footer').textContent = 'Build ' + DATA.build.build_id + ', made ' + moment(DATA.build.finished_at) + ' by version ' + DATA.build.code_version + ' from its published tables. Figures of fewer than ' + WHOLE.format(DATA.minimum_group_size) + ' customers are withheld.';
document.getElementById('menu').addEventListener('click', (event) => {
  const open = document.getElementById('nav').classList.toggle('open');
  event.currentTarget.setAttribute('aria-expanded', String(open));
});
document.getElementById('skip').addEventListener('click', (event) => { event.preventDefault(); document.getElementById('main').focus(); });
document.getElementById('theme').addEventListener('change', (event) => change({ theme: event.target.value }));
document.getElementById('print').addEventListener('click', () => print());
document.getElementById('search').addEventListener('input', (event) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const view = state('view', 'overview');
    if (SEARCHED.has(view)) change({ q: event.target.value });
    else { history.pushState(null, '', viewAddress({ q: event.target.value })); render(false); }
  }, 150);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => render(false));
addEventListener('hashchange', () => render(true));
addEventListener('popstate', () => render(true));
addEventListener('resize', () => { clearTimeout(waiting); waiting = setTimeout(() => { for (const one of drawn) one.resize(); }, 100); });
addEventListener('beforeprint', () => { printing = true; render(false); for (const one of drawn) one.resize({ width: 680 }); });
addEventListener('afterprint', () => { printing = false; render(false); });
render(false);
