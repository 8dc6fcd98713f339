/* The views: each returns what is shown in the main part. */

const bySegmentation = new Map(DATA.segmentations.map((one) => [one.code, one]));
const LAST = DATA.days.length - 1;
const KPI = new Map(DATA.kpis.map((kpi) => [kpi.code, kpi]));
const FEATURE = new Map(DATA.features.map((feature) => [feature.code, feature]));
const placed = (one) => one.segments.some((segment) => !segment.is_unplaced && segment.sizes[LAST]);
const now = (segment) => segment.sizes[LAST];
const everybody = DATA.totals.length ? DATA.totals[DATA.totals.length - 1].customers : 0;
const partOf = (count, total) => (isTold(count) && total ? count / total : null);
const labelIn = (one, code) => (code === 'not_a_customer' ? 'Not a customer' : (one.segments.find((segment) => segment.code === code) || {}).label || words(code));
const kpiNow = (segment, code) => { const values = segment.kpis[code]; return values ? values[values.length - 1] : null; };
const dueSegments = (one) => one.segments.filter((segment) => segment.review && segment.review.is_due);

/* What sizes are compared with: the day before, or the last told day so many days ago. */
const SINCE = [['1', 'the recorded day before'], ['7', 'a week before'], ['30', '30 days before'], ['90', '90 days before']];
function earlier() {
  const wanted = Number(state('since', '1'));
  if (LAST < 1) return null;
  if (wanted === 1) return LAST - 1;
  const limit = asDate(DATA.days[LAST]).getTime() - wanted * 86400000;
  for (let place = LAST; place >= 0; place--) if (asDate(DATA.days[place]).getTime() <= limit) return place;
  return null;
}
/* Customers more or fewer than then; null where one of the two is not told. */
function moved(segment) {
  const then = earlier();
  if (then === null) return null;
  const before = segment.sizes[then], today = now(segment);
  if (!isTold(today) || before === FEW) return null;
  return before === null ? null : today - before;
}
function arrow(change) {
  if (change === null) return h('span', { class: 'soft' }, '–');
  if (change === 0) return h('span', { class: 'soft' }, '0');
  return h('span', {}, (change > 0 ? '▲ ' : '▼ ') + SIGNED.format(change));
}
function sinceWords() {
  const then = earlier();
  return then === null ? null : 'since ' + day(DATA.days[then]);
}

/* Said where the chosen day is not recorded: no change can be told, which is not the same as none. */
const nothingBefore = () => 'Recording began on ' + day(DATA.first_recorded_day) + ', so there is no earlier day to compare with.';

function headline(one) {
  const known = one.segments.filter((segment) => !segment.is_unplaced && isTold(now(segment)) && now(segment) > 0);
  if (!known.length) return 'Nobody can be placed: this source says nothing that decides it.';
  const first = known[0], part = partOf(now(first), everybody);
  const aside = one.segments.filter((segment) => segment.is_unplaced && isTold(now(segment))).reduce((sum, segment) => sum + now(segment), 0);
  let text = first.label + (part >= 0.5 ? ' is the majority: ' : aside > now(first) ? ' is the largest known group: ' : ' is the largest group: ') + share(part) + ' of all customers';
  if (aside > now(first)) text += ', while ' + share(partOf(aside, everybody)) + ' are in none';
  const changes = known.map((segment) => [segment, moved(segment)]).filter((pair) => pair[1]).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  if (changes.length) text += '. ' + changes[0][0].label + (changes[0][1] > 0 ? ' grew by ' : ' shrank by ') + WHOLE.format(Math.abs(changes[0][1])) + ' ' + sinceWords();
  return text + '.';
}

function strip(one) {
  const told = one.segments.filter((segment) => isTold(now(segment)) && now(segment) > 0);
  return h('div', { class: 'strip', 'aria-hidden': 'true' }, told.map((segment, index) => h('span', {
    class: segment.is_unplaced ? 'unplaced' : null, title: segment.label + ': ' + share(partOf(now(segment), everybody)),
    style: 'flex-grow:' + now(segment) + (segment.is_unplaced ? '' : ';opacity:' + Math.max(0.22, 1 - index * 0.13).toFixed(2)) })));
}

const REASONS = {
  is_drifting: (segment) => 'its share moved from ' + share(segment.review.base_share) + ' on ' + day(segment.review.base_date) + ' to ' + share(partOf(now(segment), everybody)) + ' (drift index of the segmentation ' + TWO.format(segment.review.population_stability_index) + ')',
  is_out_of_range: (segment) => share(partOf(now(segment), everybody)) + ' of all customers lies outside the expected ' + share(segment.expected_share_min) + ' to ' + share(segment.expected_share_max),
  is_kpi_stalled: (segment) => (KPI.get(segment.review.kpi) || { label: words(segment.review.kpi) }).label.toLowerCase() + ' is ' + figure(segment.review.kpi_value, (KPI.get(segment.review.kpi) || {}).kind) + ', no better than ' + figure(segment.review.base_kpi_value, (KPI.get(segment.review.kpi) || {}).kind) + ' on ' + day(segment.review.base_date),
  is_overdue: (segment) => 'its review was due on ' + day(segment.next_review),
};
const REASON_NAMES = { is_drifting: 'Size drifts', is_out_of_range: 'Out of range', is_kpi_stalled: 'Figure not improved', is_overdue: 'Review date passed' };
const reasonsOf = (segment) => Object.keys(REASONS).filter((reason) => segment.review && segment.review[reason]);
const matches = (query, ...texts) => texts.some((text) => text && text.toLowerCase().includes(query));

function overview() {
  const total = DATA.totals[DATA.totals.length - 1] || {};
  const year = DATA.totals.length > 12 ? DATA.totals[DATA.totals.length - 13] : null;
  const against = (code, kind) => (year && year[code] !== null ? h('small', {}, figure(year[code], kind) + ' on ' + shortDay(year.as_of_date)) : null);
  const query = state('q').trim().toLowerCase();
  const family = state('family');
  const shown = DATA.segmentations.filter((one) => (!family || one.family === family) && (!query || matches(query, one.label, one.code, one.question, ...one.segments.flatMap((segment) => [segment.label, segment.meaning, segment.rule]))));
  const told = shown.filter(placed), silent = shown.filter((one) => !placed(one));
  const due = DATA.segmentations.flatMap((one) => dueSegments(one));
  const changes = DATA.segmentations.flatMap((one) => one.segments.filter((segment) => !segment.is_unplaced).map((segment) => [one, segment, moved(segment)]))
    .filter((row) => row[2]).sort((a, b) => Math.abs(b[2]) - Math.abs(a[2])).slice(0, 6);
  const card = (one) => h('article', { class: 'card' }, h('h3', {}, h('a', { href: viewAddress({ view: 'segmentation', s: one.code }) }, one.label)),
    h('p', { class: 'question' }, one.question), strip(one), h('p', { class: 'finding' }, headline(one)),
    h('footer', {}, dueSegments(one).length ? h('span', { class: 'mark' }, plural(dueSegments(one).length, 'segment needs a look', 'segments need a look')) : null));
  return [
    h('p', { class: 'eyebrow' }, day(DATA.build.as_of_date)),
    h('h1', {}, customers(total.customers) + ' customers, of whom ' + share(partOf(total.active_customers, total.customers)) + ' bought in the last 90 days'),
    DATA.build.as_known_at && h('p', { class: 'note' }, 'This build describes the day as it was known at ' + moment(DATA.build.as_known_at) + '. Rows loaded later do not count.'),
    h('dl', { class: 'figures' },
      [['Net sales, 90 days', 'revenue', 'money'], ['Active customers', 'active_customers', 'number'], ['Came back (retention)', 'retention_rate', 'share'], ['Average order', 'average_order_value', 'money'], ['Orders, 90 days', 'orders', 'number']]
        .map(([name, code, kind]) => h('div', {}, h('dt', {}, name), h('dd', {}, figure(total[code], kind), against(code, kind))))),
    h('div', { class: 'pair' },
      panel('What changed', sinceWords() && 'The largest changes of size ' + sinceWords(),
        changes.length ? h('ul', { class: 'list' }, changes.map(([one, segment, change]) => h('li', {}, arrow(change), ' ', h('a', { href: viewAddress({ view: 'segmentation', s: one.code }) }, segment.label), h('span', { class: 'soft' }, ' in ' + one.label + ', now ' + customers(now(segment))))))
          : h('p', { class: 'quiet' }, LAST < 1 ? 'This is the first recorded day. From the second on, changes are told here.' : sinceWords() ? 'No segment changed its size ' + sinceWords() + '.' : nothingBefore())),
      panel('Needs a look', null, due.length
        ? [h('p', { class: 'lead' }, plural(due.length, 'segment is', 'segments are') + ' due for review.'), h('ul', { class: 'list' }, Object.keys(REASONS).map((reason) => [reason, due.filter((segment) => segment.review[reason]).length]).filter((row) => row[1]).map(([reason, count]) => h('li', {}, h('a', { href: viewAddress({ view: 'reviews', reason }) }, REASON_NAMES[reason]), h('span', { class: 'soft' }, ': ' + plural(count, 'segment', 'segments')))))]
        : h('p', { class: 'quiet' }, 'No segment drifts, leaves its expected range, or is past its review date.'),
        nightSentence())),
    h('div', { class: 'row' },
      select('Family', 'family', [['', 'All segmentations'], ...[...new Set(DATA.segmentations.map((one) => one.family))].map((name) => [name, name])], ''),
      LAST > 0 && select('Compare with', 'since', SINCE, '1')),
    told.length + silent.length === 0 && h('p', { class: 'quiet' }, 'No segmentation matches “' + query + '”.'),
    [...new Set(told.map((one) => one.family))].map((name) => h('section', { class: 'family' }, h('h2', {}, name), h('div', { class: 'cards' }, told.filter((one) => one.family === name).map(card)))),
    silent.length ? h('section', { class: 'family' }, h('h2', {}, 'Without evidence in this source'), h('p', { class: 'lead' }, 'Everybody is unknown here, because the source brings nothing to decide by.'),
      h('p', { class: 'quiet' }, silent.map((one, index) => [index ? ' · ' : '', h('a', { href: viewAddress({ view: 'segmentation', s: one.code }) }, one.label)]))) : null,
  ];
}

function nightSentence() {
  const failed = DATA.night.not_passed.length, checks = DATA.night.suites.reduce((sum, suite) => sum + suite.checks, 0);
  const aside = DATA.night.rows.reduce((sum, row) => sum + row.rows_quarantined, 0);
  return h('p', { class: 'quiet' }, h('a', { href: viewAddress({ view: 'quality' }) }, 'Last night'), ': ' + (failed ? plural(failed, 'check warned', 'checks warned') + ' of ' + WHOLE.format(checks) : 'all ' + WHOLE.format(checks) + ' checks passed') + '; ' + (aside ? plural(aside, 'row is', 'rows are') + ' in quarantine.' : 'no row is in quarantine.'));
}

function segmentation() {
  const one = bySegmentation.get(state('s'));
  if (!one) return absent('No such segmentation', 'This build does not publish “' + state('s') + '”. Choose one from the list of contents.');
  const named = new Set(state('show').split(',').filter(Boolean));
  const candidates = one.segments.filter((segment) => segment.sizes.some(isTold) && segment.sizes.some((size) => size > 0));
  const chosen = named.size ? candidates.filter((segment) => named.has(segment.code)) : candidates.filter((segment) => !segment.is_unplaced).slice(0, 5);
  const toggle = (code, on) => {
    const next = new Set(chosen.map((segment) => segment.code));
    if (on) next.add(code); else next.delete(code);
    change({ show: [...next].slice(0, SERIES.length).join(',') });
  };
  const highest = Math.max(1, ...one.segments.map((segment) => (isTold(now(segment)) ? now(segment) : 0)));
  const row = (segment) => [
    h('label', { class: 'pick' }, h('input', { type: 'checkbox', id: 'p-' + segment.code, checked: chosen.includes(segment), disabled: !candidates.includes(segment), onchange: (event) => toggle(segment.code, event.target.checked) }), segment.label),
    h('div', { class: 'bar' }, h('i', { class: segment.is_unplaced ? 'unplaced' : null, style: '--part:' + (isTold(now(segment)) ? now(segment) / highest : 0).toFixed(3) }), share(partOf(now(segment), everybody))),
    customers(now(segment)), arrow(moved(segment)), spark(segment.sizes, DATA.days),
    figure(kpiNow(segment, 'retention_rate'), 'share'), figure(kpiNow(segment, 'revenue_per_customer'), 'money'),
    reasonsOf(segment).length ? h('span', { class: 'mark' }, 'needs a look') : '',
  ];
  return [
    h('p', { class: 'eyebrow' }, one.family),
    h('h1', {}, one.label + ': ' + (one.question || 'who is in which segment')),
    h('p', { class: 'lead' }, headline(one)),
    h('div', { class: 'row' }, LAST > 0 && select('Compare with', 'since', SINCE, '1')),
    panel('Who is where', 'As of ' + day(DATA.build.as_of_date) + (sinceWords() ? ', change ' + sinceWords() : '') + '.' + (LAST > 0 && !sinceWords() ? ' ' + nothingBefore() : '') + ' Ticked segments are drawn in the charts below.',
      table('Segments of ' + one.label, [['Segment', ''], ['Share', ''], ['Customers', 'n'], ['Change', 'n'], ['Recorded days', 'narrow-off'], ['Came back', 'n'], ['Net sales each, 90 days', 'n'], ['Review', '']], one.segments.filter((segment) => segment.sizes.some((size) => size)).map(row)),
      alwaysEmpty(one.segments.filter((segment) => !segment.sizes.some((size) => size)).map((segment) => segment.label))),
    sizesPanel(one, chosen), movesPanel(one), kpiPanel(one, chosen), apartPanel(one), definitionsPanel(one),
  ];
}

/* Segments that nobody has been in; a catalogue of many names is opened by who asks for it. */
function alwaysEmpty(labels) {
  if (labels.length <= 12) return labels.length ? h('p', { class: 'quiet' }, 'Always empty: ' + labels.join(', ') + '.') : null;
  return h('details', {}, h('summary', {}, WHOLE.format(labels.length) + ' segments have always been empty'), h('p', { class: 'quiet' }, labels.join(', ') + '.'));
}

function sizesPanel(one, chosen) {
  if (LAST < 1) return panel('Sizes over time', null, h('p', { class: 'quiet' }, 'One day is recorded so far; curves begin with the second. `segments backfill` records days of the past.'));
  const measure = state('measure', 'customers');
  const totals = DATA.days.map((_, place) => one.segments.reduce((sum, segment) => sum + (isTold(segment.sizes[place]) ? segment.sizes[place] : 0), 0));
  const values = (segment) => segment.sizes.map((size, place) => (!isTold(size) ? null : measure === 'share' ? partOf(size, totals[place]) : size));
  const tell = measure === 'share' ? share : (value) => WHOLE.format(value);
  const places = DATA.days.map((_, place) => place).reverse();
  return panel(trendTitle(chosen), DATA.recorded_days > DATA.days.length ? 'The last days one by one, before them one of each week.' : 'Every recorded day.',
    h('div', { class: 'row' }, select('Show', 'measure', [['customers', 'Customers'], ['share', 'Share of customers']], 'customers')),
    lines('Sizes over time of the ticked segments of ' + one.label, DATA.days, chosen.map((segment) => ({ name: segment.label, values: values(segment) })), tell,
      table('Sizes by recorded day, the latest first', [['Day', ''], ...chosen.map((segment) => [segment.label, 'n'])], places.map((place) => [shortDay(DATA.days[place]), ...chosen.map((segment) => (measure === 'share' ? share(values(segment)[place]) : customers(segment.sizes[place])))]))));
}
function trendTitle(chosen) {
  const changes = chosen.map((segment) => { const told = segment.sizes.filter(isTold); return told.length > 1 ? [segment, told[told.length - 1] - told[0], told[0]] : null; }).filter((row) => row && row[1]);
  if (!changes.length) return 'Sizes have not moved since ' + day(DATA.days[0]);
  changes.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const [segment, by, from] = changes[0];
  return segment.label + (by > 0 ? ' has grown' : ' has shrunk') + ' by ' + WHOLE.format(Math.abs(by)) + ' from ' + WHOLE.format(from) + ' since ' + day(DATA.days[segment.sizes.findIndex(isTold)]);
}

const PERIODS = [['week', 'Week'], ['month', 'Month'], ['quarter', 'Quarter']];
function periodName(kind, start) {
  if (kind === 'month') return MONTH.format(asDate(start));
  if (kind === 'quarter') return 'Quarter from ' + shortDay(start);
  return 'Week from ' + shortDay(start);
}
function movesPanel(one) {
  const kind = state('period', 'month');
  const periods = one.moves[kind] || [];
  const picker = select('Period', 'period', PERIODS, 'month');
  if (!periods.length) return panel('Nobody has moved yet', null, h('div', { class: 'row' }, picker), h('p', { class: 'quiet' }, 'No move between segments is recorded in the last ' + { week: 'weeks', month: 'months', quarter: 'quarters' }[kind] + '.'));
  const chosen = periods.find((period) => period.start === state('at')) || periods[0];
  const newcomers = state('newcomers') === '1';
  const code = (place) => (typeof place === 'number' ? one.segments[place].code : place);
  const moves = chosen.moves.map(([from, to, count]) => [code(from), code(to), count]).filter((move) => newcomers || (move[0] !== 'not_a_customer' && move[1] !== 'not_a_customer'));
  /* In ways that few took: told as one number, or not at all where even that is a few. */
  const others = newcomers ? [chosen.others, chosen.others_arriving] : [chosen.others];
  const inOthers = others.filter(isTold).reduce((total, count) => total + count, 0), hidden = others.includes(FEW);
  const sum = moves.reduce((total, move) => total + move[2], 0) + inOthers;
  const label = (code) => labelIn(one, code);
  const at = periodName(kind, chosen.start);
  const title = at + ': ' + (moves.length ? 'most moved from ' + label(moves[0][0]) + ' to ' + label(moves[0][1]) : inOthers ? plural(inOthers, 'customer', 'customers') + ' moved, few of them on any one way' : hidden ? 'only a few customers moved between segments' : 'nobody moved between segments');
  return panel(title, moves.length ? (hidden ? 'At least ' : '') + plural(sum, 'customer', 'customers') + ' ended the period in another segment' + (newcomers ? ', new and gone customers included' : '') + '; ' + WHOLE.format(moves[0][2]) + ' of them on this way.' : null,
    h('div', { class: 'row' }, picker, select('Which', 'at', periods.map((period) => [period.start, periodName(kind, period.start)]), periods[0].start), checkbox('With new and gone customers', 'newcomers')),
    moves.length ? sankey('Moves between segments of ' + one.label + ', ' + at, moves, label,
      table('Moves, the largest first', [['From', ''], ['To', ''], ['Customers', 'n']], moves.map((move) => [label(move[0]), label(move[1]), WHOLE.format(move[2])]))) : null,
    moves.length && (inOthers || hidden) ? h('p', { class: 'quiet' }, inOthers ? WHOLE.format(inOthers) + ' of them took ways that few others took; these are not told one by one.' : 'A few more took ways that hardly anybody else took.') : null,
    newcomers && periodHolds(kind, chosen.start, DATA.first_recorded_day) ? h('p', { class: 'quiet' }, 'Recording began in this period: on ' + day(DATA.first_recorded_day) + ' everybody was seen for the first time.') : null);
}
function periodHolds(kind, start, at) {
  const end = asDate(start);
  if (kind === 'week') end.setUTCDate(end.getUTCDate() + 7); else end.setUTCMonth(end.getUTCMonth() + (kind === 'month' ? 1 : 3));
  return at >= start && asDate(at) < end;
}

function kpiPanel(one, chosen) {
  const known = DATA.kpis.filter((kpi) => one.segments.some((segment) => kpiNow(segment, kpi.code) !== null));
  if (!known.length) return panel('Key figures', null, h('p', { class: 'quiet' }, 'No segment is large enough to tell its figures.'));
  const first = known.some((kpi) => kpi.code === 'revenue_per_customer') ? 'revenue_per_customer' : known[0].code;
  const kpi = known.find((one) => one.code === state('kpi')) || KPI.get(first);
  const tell = (value) => figure(value, kpi.kind);
  const rows = one.segments.filter((segment) => kpiNow(segment, kpi.code) !== null).sort((a, b) => kpiNow(b, kpi.code) - kpiNow(a, kpi.code));
  const best = rows[0], last = rows[rows.length - 1];
  const title = rows.length > 1 ? kpi.label + ' runs from ' + tell(kpiNow(last, kpi.code)) + ' (' + last.label + ') to ' + tell(kpiNow(best, kpi.code)) + ' (' + best.label + ')' : kpi.label;
  const trend = DATA.months.length > 1 ? lines(kpi.label + ' by month of the ticked segments', DATA.months, chosen.filter((segment) => segment.kpis[kpi.code]).map((segment) => ({ name: segment.label, values: segment.kpis[kpi.code] })), tell,
    table(kpi.label + ' by month, the latest first', [['Day', ''], ...chosen.map((segment) => [segment.label, 'n'])], DATA.months.map((_, place) => place).reverse().map((place) => [shortDay(DATA.months[place]), ...chosen.map((segment) => tell((segment.kpis[kpi.code] || [])[place]))]))) : h('p', { class: 'quiet' }, 'The trend begins with the second recorded month.');
  return panel(title, kpi.meaning + '.',
    h('div', { class: 'row' }, select('Key figure', 'kpi', known.map((one) => [one.code, one.label]), first)),
    h('div', { class: 'pair' },
      h('div', {}, h('h3', {}, 'On ' + day(DATA.build.as_of_date)), bars(kpi.label + ' by segment', rows.map((segment) => [segment.label, kpiNow(segment, kpi.code)]), tell, table(kpi.label + ' by segment', [['Segment', ''], [kpi.label, 'n']], rows.map((segment) => [segment.label, tell(kpiNow(segment, kpi.code))])))),
      h('div', {}, h('h3', {}, 'On the last recorded day of each month'), trend)),
    h('details', {}, h('summary', {}, 'All key figures of all segments'), table('Key figures on ' + day(DATA.build.as_of_date), [['Segment', ''], ...known.map((one) => [one.label, 'n'])], one.segments.filter((segment) => isTold(now(segment)) && now(segment) > 0).map((segment) => [segment.label, ...known.map((one) => figure(kpiNow(segment, one.code), one.kind))]))));
}

function apartPanel(one) {
  const told = one.segments.filter((segment) => segment.apart.length);
  if (!told.length) return panel('What sets each segment apart', null, h('p', { class: 'quiet' }, 'No segment is large enough and far enough from everybody.'));
  return panel('What sets each segment apart', 'The averages that lie furthest from those of all customers. The bar shows how far, in standard deviations: to the right more, to the left less than everybody.',
    h('div', { class: 'apart' }, told.map((segment) => h('div', {}, h('h3', {}, segment.label), h('ul', {}, segment.apart.map(([code, mean, all, apart]) => {
      const feature = FEATURE.get(code), length = Math.min(50, Math.abs(apart) * 25);
      return h('li', {}, h('span', {}, feature.label), h('span', {}, figure(mean, feature.kind)), h('span', { class: 'soft' }, (apart > 0 ? 'more than ' : 'less than ') + figure(all, feature.kind) + ' of everybody'), h('span'),
        h('span', { class: 'lean', 'aria-hidden': 'true' }, h('i', { class: apart < 0 ? 'less' : null, style: (apart < 0 ? 'right:50%;' : 'left:50%;') + 'width:' + length.toFixed(1) + '%' })));
    }))))));
}

function definitionsPanel(one) {
  return panel('What the segments mean', null, table('Definitions of ' + one.label, [['Segment', ''], ['Meaning', 'words'], ['How a customer gets in', 'words'], ['Owner', ''], ['Reviewed', ''], ['Next review', ''], ['Expected share', ''], ['Review', 'words']],
    one.segments.map((segment) => [segment.label, segment.meaning, segment.rule, segment.owner, shortDay(segment.last_reviewed), shortDay(segment.next_review), share(segment.expected_share_min) + ' to ' + share(segment.expected_share_max),
      reasonsOf(segment).length ? reasonsOf(segment).map((reason, index) => [index ? '; ' : '', REASONS[reason](segment)]) : segment.review ? h('span', { class: 'mark fine' }, 'not due') : '–'])));
}

function reviews() {
  const all = DATA.segmentations.flatMap((one) => one.segments.map((segment) => [one, segment])).filter(([, segment]) => segment.review);
  if (!all.length) return absent('Reviews', 'This build publishes no table segment_reviews.');
  const reason = state('reason'), owner = state('owner'), query = state('q').trim().toLowerCase();
  const due = all.filter(([, segment]) => segment.review.is_due);
  const shown = due.filter(([one, segment]) => (!reason || segment.review[reason]) && (!owner || segment.owner === owner) && (!query || matches(query, one.label, segment.label, segment.meaning)));
  return [
    h('h1', {}, due.length ? plural(due.length, 'segment needs', 'segments need') + ' a look' : 'No segment needs a look'),
    h('p', { class: 'lead' }, 'A segment is due when its size drifts, its share leaves the expected range, its key figure is no better than at the last review, or its review date has passed.'),
    h('div', { class: 'row' }, select('Reason', 'reason', [['', 'All reasons'], ...Object.entries(REASON_NAMES)], ''), select('Owner', 'owner', [['', 'All owners'], ...[...new Set(all.map(([, segment]) => segment.owner))].sort().map((name) => [name, words(name)])], '')),
    shown.length ? h('section', { class: 'panel' }, table('Segments due for review', [['Segment', ''], ['Segmentation', ''], ['Why', 'words'], ['Customers', 'n'], ['Owner', ''], ['Last reviewed', '']], shown.map(([one, segment]) => [h('a', { href: viewAddress({ view: 'segmentation', s: one.code }) }, segment.label), one.label, h('ul', {}, reasonsOf(segment).map((name) => h('li', {}, h('span', { class: 'mark' }, REASON_NAMES[name]), ' ', REASONS[name](segment)))), customers(now(segment)), segment.owner, shortDay(segment.last_reviewed)]))) : due.length ? h('p', { class: 'quiet' }, 'None for this choice.') : null,
  ];
}

function rfm() {
  if (!DATA.rfm || !DATA.rfm.cells.length) return absent('RFM map', 'No customer has bought yet, so there are no recency and frequency scores to show.');
  const value = state('value', 'customers');
  const cells = DATA.rfm.cells, scores = [1, 2, 3, 4, 5];
  const cell = (recency, frequency) => cells.find((row) => row[0] === recency && row[1] === frequency);
  const told = cells.filter((row) => isTold(row[2]));
  const largest = told.slice().sort((a, b) => b[2] - a[2])[0];
  const tell = (shown) => (shown === null ? '–' : (value === 'customers' ? WHOLE : MONEY_SHORT).format(shown));
  const shown = told.map((row) => [row[0] - 1, row[1] - 1, value === 'customers' ? row[2] : row[3]]);
  const cuts = DATA.rfm.cut_points;
  const between = (measure, score) => {
    const points = cuts[measure] || [];
    const low = measure === 'recency_days' ? points[5 - score - 1] : points[score - 2], high = measure === 'recency_days' ? points[5 - score] : points[score - 1];
    const tell = (value) => figure(value, measure === 'monetary_value' ? 'money' : 'number');
    if (!points.length) return '';
    return low === undefined ? 'up to ' + tell(high) : high === undefined ? 'over ' + tell(low) : 'over ' + tell(low) + ' to ' + tell(high);
  };
  return [
    h('h1', {}, largest ? 'The fullest field: ' + customers(largest[2]) + ' buyers score ' + largest[0] + ' in recency and ' + largest[1] + ' in frequency' : 'Recency and frequency of the buyers'),
    h('p', { class: 'lead' }, 'Score 5 is best: bought last, bought most often. Fields with fewer than ' + DATA.minimum_group_size + ' customers are left empty.'),
    h('div', { class: 'row' }, select('Show', 'value', [['customers', 'Customers'], ['money', 'Mean monetary value']], 'customers')),
    h('section', { class: 'panel' }, heat('Customers by recency and frequency score', scores.map(String), scores.map(String), shown, tell,
      table(value === 'customers' ? 'Customers by score' : 'Mean monetary value by score', [['Frequency score', ''], ...scores.map((recency) => ['Recency ' + recency, 'n'])], scores.slice().reverse().map((frequency) => [String(frequency), ...scores.map((recency) => { const found = cell(recency, frequency); return !found ? '0' : value === 'customers' ? customers(found[2]) : figure(found[3], 'money'); })])), ['Recency score', 'Frequency score'])),
    Object.keys(cuts).length ? panel('Where scores change', 'The cut points of this day’s buyers; equal values always get equal scores.', table('Cut points', [['Score', ''], ['Days since last order', ''], ['Orders', ''], ['Monetary value', '']], scores.slice().reverse().map((score) => [String(score), between('recency_days', score), between('order_count', score), between('monetary_value', score)]))) : null,
  ];
}

function lifetime() {
  const told = DATA.lifetime;
  if (!told) return absent('Lifetime value', 'This build publishes no predicted lifetime values (table customer_lifetime_values).');
  if (told.customers === 0) return absent('Lifetime value', 'No lifetime value is predicted: nobody has bought, or no fit of the models is in force yet.');
  const top = told.deciles.length ? told.deciles[0] : null;
  const bins = told.bins.map(([from, to, count]) => [to === null ? 'over ' + MONEY_SHORT.format(from) : MONEY_SHORT.format(from), isTold(count) ? count : null, count, from, to]);
  return [
    h('h1', {}, top ? 'The most valuable tenth of the customers holds ' + share(top) + ' of the predicted value' : 'Predicted lifetime value'),
    h('dl', { class: 'figures' }, [['Customers predicted', customers(told.customers)], ['Predicted value', figure(told.total, 'money')], ['Mean', figure(told.mean, 'money')], ['Median', figure(told.median, 'money')]].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
    h('div', { class: 'pair' },
      panel('How value is spread', 'Customers by predicted value; the last bar holds all above.', bins.length ? columns('Customers by predicted lifetime value', bins, (value) => (value === null ? '–' : WHOLE.format(value)), table('Customers by predicted value', [['From', ''], ['To', ''], ['Customers', 'n']], bins.map((bin) => [figure(bin[3], 'money'), bin[4] === null ? 'and above' : figure(bin[4], 'money'), customers(bin[2])]))) : h('p', { class: 'quiet' }, 'Too few customers to tell.')),
      panel('Who holds it', 'Share of all predicted value by tenths of the customers, the most valuable first.', told.deciles.length ? bars('Share of predicted value by tenth', told.deciles.map((part, index) => [WHOLE.format(index + 1) + '. tenth', part]), share, table('Share of predicted value', [['Tenth', ''], ['Share', 'n']], told.deciles.map((part, index) => [WHOLE.format(index + 1), share(part)]))) : h('p', { class: 'quiet' }, 'Too few customers to tell.'))),
    validationPanels(told.validations),
    Object.entries(told.models).map(([name, model]) => (name === 'model_reviews' ? modelReviews(model) : panel('What was fitted', null, model.rows.length ? table(words(name), model.columns.map((column) => [words(column), '']), model.rows.map((row) => row.map(asItIs))) : h('p', { class: 'quiet' }, 'No model has been fitted yet.')))),
  ];
}

function modelReviews(model) {
  if (!model.rows.length) return panel('No model needs a look', null, h('p', { class: 'quiet' }, 'No fit has failed, and none foretells too poorly.'));
  const wanted = [['model', 'Model', ''], ['meaning', 'Why', 'words'], ['what_to_do', 'What to do', 'words'], ['since', 'Since', ''], ['owner', 'Owner', '']].filter((column) => model.columns.includes(column[0]));
  return panel(plural(new Set(model.rows.map((row) => row[model.columns.indexOf('model')])).size, 'model needs', 'models need') + ' a look', null,
    table('Models that need a look', wanted.map(([, title, kind]) => [title, kind]), model.rows.map((row) => wanted.map(([name]) => { const value = row[model.columns.indexOf(name)]; return name === 'model' ? MODEL_NAMES[value] || words(value) : asItIs(value); }))));
}

/* What the models foretold for a time they had not seen, beside what happened. */
function validationPanels(rows) {
  if (!rows.length) return h('p', { class: 'note' }, 'This build does not say how well the models foretell.');
  const models = [...new Set(rows.map((row) => row.model))];
  const model = models.includes(state('model')) ? state('model') : models[0];
  const of = (measure) => rows.filter((row) => row.model === model && row.measure === measure);
  const [total] = of('total'), weeks = of('week'), classes = of('frequency'), name = MODEL_NAMES[model] || words(model);
  const title = !total || total.relative_error === null ? 'How well ' + name + ' foretells' : name + ' foretold ' + share(Math.abs(total.relative_error)) + (total.relative_error > 0 ? ' more' : ' fewer') + ' purchases than happened in the holdout';
  const first = weeks.find((week) => week.is_holdout);
  const tell = (value) => figure(value, 'number');
  return panel(title, 'Fitted to the time before the holdout, and held against what happened after it' + (first ? ', from ' + day(first.starts_on) + ' on' : '') + '. Purchase days after the first one.',
    models.length > 1 ? h('div', { class: 'row' }, select('Model', 'model', models.map((code) => [code, MODEL_NAMES[code] || words(code)]), models[0])) : null,
    weeks.length > 1 ? lines('Purchases by week, observed and predicted', weeks.map((week) => week.starts_on), [{ name: 'Observed', values: weeks.map((week) => week.observed) }, { name: 'Predicted', values: weeks.map((week) => week.predicted) }], tell,
      table('Purchases by week, the latest first', [['Week from', ''], ['Observed', 'n'], ['Predicted', 'n'], ['Part', '']], weeks.slice().reverse().map((week) => [shortDay(week.starts_on), tell(week.observed), tell(week.predicted), week.is_holdout ? 'holdout' : 'fitted']))) : null,
    classes.length ? table('By repeat purchases made before the holdout', [['Purchases before', ''], ['Customers', 'n'], ['Observed', 'n'], ['Predicted', 'n'], ['Error', 'n']], classes.map((row) => [row.position === 7 ? '7 and more' : WHOLE.format(row.position), customers(row.customers), tell(row.observed), tell(row.predicted), share(row.relative_error)])) : null);
}
const MODEL_NAMES = { bg_nbd: 'BG/NBD', pareto_nbd: 'Pareto/NBD', gamma_gamma: 'Gamma-Gamma' };

const HABITS = { holiday: ['Holidays', 'Part of the spend that falls into holiday windows', 'spend in holiday windows'], payment: ['Payment', 'Part of the orders paid by the leading method', 'orders by the leading method'], channel: ['Channels', 'Part of the orders and visits through the leading channel', 'contacts through the leading channel'] };
function habits() {
  const view = HABITS[state('habit', 'holiday')] ? state('habit', 'holiday') : 'holiday';
  const told = DATA.habits[view], [title, meaning, short] = HABITS[view];
  const picker = h('div', { class: 'row' }, select('Habit', 'habit', Object.entries(HABITS).map(([code, names]) => [code, names[0]]), 'holiday'));
  const one = told && bySegmentation.get(told.segmentation);
  if (!told || !one || !placed(one)) return [h('h1', {}, title), picker, h('p', { class: 'note' }, 'Everybody is unknown here: the source brings nothing to tell ' + { holiday: 'holiday buying', payment: 'how customers pay', channel: 'which channels they use' }[view] + ' by.')];
  const loyalty = bySegmentation.get('loyalty_status');
  const groups = told.groups.filter((row) => isTold(row[1]) && row[1] > 0);
  const across = loyalty.segments.filter((segment) => told.by_loyalty.some((row) => row[1] === segment.code)).map((segment) => segment.code);
  const down = groups.map((row) => row[0]);
  const total = (code) => (groups.find((row) => row[0] === code) || [])[1];
  const cells = told.by_loyalty.filter((row) => isTold(row[2]) && down.includes(row[0]) && across.includes(row[1])).map((row) => [across.indexOf(row[1]), down.indexOf(row[0]), row[2] / total(row[0])]);
  const lead = groups.filter((row) => !one.segments.find((segment) => segment.code === row[0])?.is_unplaced).sort((a, b) => (b[2] ?? 0) - (a[2] ?? 0))[0];
  const named = (code) => labelIn(one, code);
  const tenths = told.histogram.map((count, index) => [PERCENT.format(index / 10) + '–' + PERCENT.format((index + 1) / 10), isTold(count) ? count : null, count]);
  return [
    h('h1', {}, title + ': ' + (lead ? '‘' + named(lead[0]) + '’ spend most, ' + figure(lead[2], 'money') + ' each in 12 months' : one.question)), picker,
    panel('Who they are and what they are worth', null, table('Groups of ' + one.label, [['Group', ''], ['Customers', 'n'], ['Net sales each, 12 months', 'n'], ['Orders each, 12 months', 'n'], [words(short), 'n']], told.groups.filter((row) => row[1]).map((row) => [h('a', { href: viewAddress({ view: 'segmentation', s: one.code }) }, named(row[0])), customers(row[1]), figure(row[2], 'money'), figure(row[3], 'number'), share(row[4])]))),
    h('div', { class: 'pair' },
      panel('How much of it', meaning + '.', columns('Customers by ' + short, tenths, (value) => (value === null ? '–' : WHOLE.format(value)), table('Customers by ' + short, [['Share', ''], ['Customers', 'n']], tenths.map((row) => [row[0], customers(row[2])])))),
      told.leading.length ? panel('What they use most', null, bars('Customers by what they use most', told.leading.filter((row) => isTold(row[1])).map((row) => [words(row[0]), row[1]]), (value) => WHOLE.format(value), table('Customers by what they use most', [['', ''], ['Customers', 'n'], ['Net sales each, 12 months', 'n']], told.leading.map((row) => [words(row[0]), customers(row[1]), figure(row[2], 'money')])))) : null),
    panel('Where they stand in loyalty', 'Of each group, the part in each loyalty status.', heat('Loyalty status within groups of ' + one.label, across.map((code) => labelIn(loyalty, code)), down.map(named), cells, (value) => (value === null || value === undefined ? '–' : share(value)),
      table('Loyalty status within groups', [['Group', ''], ...across.map((code) => [labelIn(loyalty, code), 'n'])], down.map((code) => [named(code), ...across.map((status) => { const cell = cells.find((one) => one[0] === across.indexOf(status) && one[1] === down.indexOf(code)); return cell ? share(cell[2]) : '–'; })])))),
  ];
}

function budget() {
  if (!DATA.budget) return absent('Value and budget', 'This build publishes no sales and growth figures of customers.');
  const choices = DATA.segmentations.filter(placed);
  if (!choices.length) return absent('Value and budget', 'No segmentation places anybody yet.');
  const one = choices.find((each) => each.code === state('s')) || choices.find((each) => each.code === 'value_tier') || choices[0];
  const told = DATA.budget[one.code] || {};
  const rows = one.segments.filter((segment) => told[segment.code]).map((segment) => ({ segment, sales: told[segment.code][0], gap: told[segment.code][1], cost: kpiNow(segment, 'campaign_cost'), back: kpiNow(segment, 'campaign_return') }));
  const most = rows.filter((row) => row.gap !== null).sort((a, b) => b.gap - a.gap)[0];
  const spent = rows.filter((row) => row.cost).sort((a, b) => b.cost - a.cost)[0];
  return [
    h('h1', {}, most ? most.segment.label + ' could grow most: ' + figure(most.gap, 'money') + ' are missing to what similar customers spend' : 'Value, growth and campaign cost by segment'),
    spent ? h('p', { class: 'lead' }, 'Most campaign money of the last 90 days went to ' + spent.segment.label + ': ' + figure(spent.cost, 'money') + (spent.back === null ? '' : ', with a return of ' + figure(spent.back, 'ratio') + ' on it') + '.') : h('p', { class: 'lead' }, 'The source names no campaign cost, or no campaign ran in the last 90 days.'),
    h('div', { class: 'row' }, select('Segmentation', 's', choices.map((each) => [each.code, each.label]), (choices.find((each) => each.code === 'value_tier') || choices[0]).code)),
    panel('Where value is, and where money went', 'Net sales and growth are of 12 months, campaign figures of 90 days. Growth is what customers would add if each reached the upper quarter of similar customers.',
      table('Value and budget by segment of ' + one.label, [['Segment', ''], ['Customers', 'n'], ['Net sales', 'n'], ['Room to grow', 'n'], ['Campaign cost', 'n'], ['Return on it', 'n']], rows.map((row) => [row.segment.label, customers(now(row.segment)), figure(row.sales, 'money'), figure(row.gap, 'money'), figure(row.cost, 'money'), figure(row.back, 'ratio')]))),
    rows.some((row) => row.gap !== null) ? panel('Room to grow', null, bars('Room to grow by segment', rows.filter((row) => row.gap !== null).sort((a, b) => b.gap - a.gap).map((row) => [row.segment.label, row.gap]), (value) => figure(value, 'money'))) : null,
  ];
}

function audiences() {
  const told = DATA.audiences;
  if (!told || !told.audiences.length) return absent('Audiences', 'This build publishes no audiences (table audiences).');
  const query = state('q').trim().toLowerCase();
  const members = (one) => told.memberships[one.audience_id] || {};
  const sizeOf = (one) => members(one).members ?? one.size ?? one.customers ?? null;
  const contactableOf = (one) => members(one).contactable ?? one.contactable_size ?? null;
  const shown = told.audiences.filter((one) => !query || matches(query, one.name, one.audience_id, one.description)).sort((a, b) => (sizeOf(b) ?? 0) - (sizeOf(a) ?? 0));
  const largest = shown.find((one) => isTold(sizeOf(one)) && sizeOf(one) > 0);
  const names = new Map(told.audiences.map((one) => [one.audience_id, one.name || words(one.audience_id)]));
  const chosen = shown.find((one) => one.audience_id === state('a')) || largest || shown[0];
  const inCombinations = [...new Set(told.combinations.flatMap((row) => row[0]))].sort();
  return [
    h('h1', {}, largest ? names.get(largest.audience_id) + ' is the largest audience: ' + customers(sizeOf(largest)) + ', of whom ' + customers(contactableOf(largest)) + ' may be contacted' : 'Audiences'),
    panel('Every audience', null, shown.length ? table('Audiences', [['Audience', ''], ['What it is for', 'words'], ['Members', 'n'], ['Contactable', 'n'], ['Held out', 'n'], ['Owner', '']], shown.map((one) => [h('a', { href: address({ view: 'audiences', a: one.audience_id }) }, names.get(one.audience_id)), one.description || '', customers(sizeOf(one)), customers(contactableOf(one)), customers(members(one).holdout ?? one.holdout_size), one.owner || '–'])) : h('p', { class: 'quiet' }, 'None matches.')),
    chosen && told.funnels[chosen.audience_id] ? panel(names.get(chosen.audience_id) + ': from all customers to members', null, conditionFunnel(told.funnels[chosen.audience_id])) : null,
    chosen ? panel(names.get(chosen.audience_id) + ': from members to contactable', chosen.description || null, funnel(chosen, sizeOf(chosen), contactableOf(chosen), members(chosen))) : null,
    liftPanel(told.lift, names),
    told.combinations.length ? panel('Who is in several', 'People who are in exactly these audiences, the largest combinations first.', table('Combinations of audiences', [['Audience', ''], ...told.combinations.map((row) => [WHOLE.format(row[1]), ''])], inCombinations.map((id) => [names.get(id) || words(id), ...told.combinations.map((row) => h('span', { class: row[0].includes(id) ? 'on' : 'off' }, h('span', { class: 'unseen' }, row[0].includes(id) ? 'in' : 'not in')))]), 'dots')) : null,
    told.overlaps.length ? overlapPanel(told.overlaps, names) : null,
  ];
}
const LIMITS = (one) => [
  ['At most', plural(one.messages_per_day, 'message', 'messages') + ' a day, on ' + plural(one.contact_days_per_week, 'day', 'days') + ' of any seven, by ' + words(one.channel).toLowerCase()],
  ['Not between', one.quiet_from && one.quiet_from !== one.quiet_until ? one.quiet_from + ' and ' + one.quiet_until + ', by the clock of the business' : null],
  ['Nobody, with fewer than', one.minimum_size ? plural(one.minimum_size, 'member', 'members') : null],
].filter((limit) => limit[1]);
/* From members to those who may be contacted: a bar for each reason that takes enough people away, in words for the others. */
function funnel(one, size, contactable, members) {
  const reasons = (members.reasons || []).map(([names, count]) => [EITHER.format(names.map((name) => (name === 'audience_too_small' && one.minimum_size ? 'fewer than ' + WHOLE.format(one.minimum_size) + ' members' : words(name).toLowerCase()))), count]);
  const rows = [['Members', size], ...reasons.map(([reason, count]) => ['− ' + reason + (isTold(count) ? '' : ' (' + customers(count) + ')'), count]), ['Contactable', contactable]].map(([name, count]) => [name, isTold(count) ? count : null]);
  return [one.messages_per_day === undefined ? null : h('p', { class: 'quiet' }, 'How often: ' + LIMITS(one).map(([name, value]) => name.toLowerCase() + ' ' + value).join('; ') + '.'),
    rows.some((row) => row[1]) ? bars('Members and contactable members', rows, (value) => (value === null ? '–' : WHOLE.format(value)),
      table('Why members are not contactable', [['', ''], ['People', 'n']], [['Members', customers(size)], ...reasons.map(([reason, count]) => [words(reason), customers(count)]), ['Contactable', customers(contactable)]]))
      : h('p', { class: 'quiet' }, size === 0 ? 'Nobody is in it today.' : customers(size) + ' members: too few to tell more.')];
}
/* What each condition leaves of those the ones before it left; a number that would give a few customers away is left out. */
function conditionFunnel(steps) {
  const bar = (count) => h('span', { class: 'bar' }, isTold(count) && everybody ? h('i', { style: '--part:' + count / everybody }) : null, customers(count));
  return table('What each condition leaves', [['Condition', 'words'], ['Customers left', ''], ['Taken away by it', 'n'], ['Meet it in all', 'n']],
    [['All customers', bar(everybody), '', ''], ...steps.map(([condition, meeting, left, removed], place) => [h('span', { class: 'plain' }, (place + 1) + '. ' + sentence(condition)), bar(left), customers(removed), customers(meeting)])]);
}
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1).replaceAll('_', ' ');

const VERDICTS = { positive: 'More than without', negative: 'Less than without', no_difference: 'No difference to be seen', not_enough_yet: 'Not enough yet', not_comparable: 'Not comparable' };
const NO_VERDICT = {
  no_holdout: 'nobody of this audience is held out', members_not_recorded: 'no night recorded who was in it on the first day', window_open: 'the days that count are not over',
  nobody_eligible: 'nobody could be contacted', too_few_customers: 'too few customers on one side', too_few_responses: 'too few purchases', sides_differed_before: 'the two sides differed before anything was sent',
};
/* Of the campaigns with a verdict a chart; of the others the reason why there is none. */
function liftPanel(lift, names) {
  if (!lift.length) return panel('What contacting brought', null, h('p', { class: 'quiet' }, 'No lift is measured yet: it needs a campaign whose target audience is one of these, with a holdout.'));
  const told = lift.filter((row) => row.response_difference !== null);
  const tick = (value) => POINTS.format(100 * value), points = (value) => tick(value) + ' points';
  const money = (value) => figure(value, 'money');
  const soft = (...text) => h('span', { class: 'soft under' }, text);
  const side = (row, name) => (row.treated_customers || row.holdout_customers ? [customers(row[name + '_customers']), row[name + '_response_rate'] === null ? null : soft(share(row[name + '_response_rate']) + ' bought')] : '–');
  const between = (row, name, tell, end) => (row[name + '_difference'] === null ? '–' : [tell(row[name + '_difference']), soft(end(row[name + '_difference_lower']) + ' to ' + end(row[name + '_difference_upper']))]);
  const title = (row) => (row.campaign_name || row.campaign_id) + ', ' + shortDay(row.starts_on);
  const numbers = table('Campaigns to audiences', [['Campaign', 'words'], ['Did more buy?', 'words'], ['Could be contacted', 'n'], ['Held out', 'n'], ['Difference in buyers', 'n'], ['In net sales per customer', 'n']],
    lift.map((row) => [[title(row), soft(names.get(row.audience_id) || words(row.audience_id))], [VERDICTS[row.verdict] || words(row.verdict), row.verdict_reason ? soft(NO_VERDICT[row.verdict_reason] || words(row.verdict_reason)) : null], side(row, 'treated'), side(row, 'holdout'), between(row, 'response', points, tick), between(row, 'revenue', money, money)]));
  const lead = 'Members who could be contacted beside members held out, both from the morning of the first day, over the same days. The line is the interval that holds the truth 95 times in 100; where it crosses zero, chance explains the difference.';
  return panel('What contacting brought', lead, told.length ? intervals('Difference of the shares that bought', told.map((row) => [title(row), row.response_difference_lower, row.response_difference, row.response_difference_upper]), points, tick) : h('p', { class: 'quiet' }, 'No campaign has enough to be told yet; the table says why.'), numbers);
}
/* The pairs that have most in common first. */
function overlapPanel(pairs, names) {
  const once = pairs.filter((pair) => pair.audience_id < pair.other_audience_id).map(({ as_of_date, ...pair }) => pair);
  if (!once.length) return null;
  const measure = 'jaccard' in once[0] ? 'jaccard' : Object.keys(once[0]).find((column) => typeof once[0][column] === 'number');
  const sorted = once.sort((a, b) => (b[measure] ?? 0) - (a[measure] ?? 0));
  return panel('Which two have most in common', 'Jaccard is the part of the customers of either who are in both.', generic('Pairs of audiences', sorted.slice(0, 12), names),
    sorted.length > 12 ? h('details', {}, h('summary', {}, plural(sorted.length - 12, 'more pair', 'more pairs')), generic('Further pairs of audiences', sorted.slice(12), names)) : null);
}
function generic(caption, rows, names) {
  const columns = Object.keys(rows[0]);
  const tell = (column, value) => (typeof value === 'number' && /share|rate|jaccard/.test(column) ? share(value) : names.get(value) || asItIs(value));
  const titles = { audience_id: 'Audience', other_audience_id: 'The other one', campaign_id: 'Campaign' };
  return table(caption, columns.map((column) => [titles[column] || words(column), typeof rows[0][column] === 'number' ? 'n' : '']), rows.map((row) => columns.map((column) => tell(column, row[column]))));
}

const reasonTable = (caption, rows) => table(caption, [['Raw table', ''], ['Reason', 'words'], ['Rows', 'n']], rows.map((row) => [row.table_name, row.reason, WHOLE.format(row.rows)]));

function quality() {
  const night = DATA.night, checks = night.suites.reduce((sum, suite) => sum + suite.checks, 0), failed = night.not_passed.length;
  const rows = night.rows.filter((row) => row.rows_in), missing = night.rows.filter((row) => !row.rows_in);
  const sum = (name) => rows.reduce((total, row) => total + row[name], 0);
  const query = state('q').trim().toLowerCase();
  const reasons = night.quarantine.filter((row) => !query || matches(query, row.table_name, row.reason));
  const seconds = DATA.build.finished_at ? (asDate(DATA.build.finished_at) - asDate(DATA.build.started_at)) / 1000 : null;
  return [
    h('p', { class: 'eyebrow' }, 'Build ' + DATA.build.build_id),
    h('h1', {}, (failed ? plural(failed, 'check warned', 'checks warned') : 'All ' + WHOLE.format(checks) + ' checks passed') + '; ' + (sum('rows_quarantined') ? plural(sum('rows_quarantined'), 'row was', 'rows were') + ' put aside' : 'every row could be used')),
    h('dl', { class: 'figures' }, [['Checks passed', WHOLE.format(checks - failed) + ' of ' + WHOLE.format(checks)], ['Rows used', WHOLE.format(sum('rows_used')), share(sum('rows_in') ? sum('rows_used') / sum('rows_in') : null) + ' of what came in'], ['In quarantine', WHOLE.format(sum('rows_quarantined')), share(sum('rows_in') ? sum('rows_quarantined') / sum('rows_in') : null)], ['Knew rows up to', night.freshness ? shortDay(night.freshness.known_to && night.freshness.known_to.slice(0, 10)) : '–', night.freshness && night.freshness.known_to ? 'loaded ' + moment(night.freshness.known_to) : ''], ['Took', seconds === null ? '–' : plural(Math.round(seconds), 'second', 'seconds'), 'ended ' + moment(DATA.build.finished_at)]]
      .map(([name, value, detail]) => h('div', {}, h('dt', {}, name), h('dd', {}, value, detail && h('small', {}, detail))))),
    failed ? panel('Checks that warned', null, table('Checks that did not pass', [['Table', ''], ['Check', ''], ['Expected', 'words'], ['Observed', 'words'], ['Severity', '']], night.not_passed.map((row) => [row.suite, words(row.expectation) + (row.column_name ? ' (' + row.column_name + ')' : ''), row.expected, row.error || row.observed, row.severity]))) : null,
    panel('Why rows were put aside', 'Rows that could not be used, by table and reason. The rows themselves are in staging.quarantine of the working database.', reasons.length ? [
      bars('Rows in quarantine by table', [...new Set(reasons.map((row) => row.table_name))].map((name) => [name, reasons.filter((row) => row.table_name === name).reduce((total, row) => total + row.rows, 0)]).sort((a, b) => b[1] - a[1]), (value) => WHOLE.format(value)),
      reasonTable('The most frequent reasons', reasons.slice(0, 12)),
      reasons.length > 12 ? h('details', {}, h('summary', {}, plural(reasons.length - 12, 'more reason', 'more reasons')), reasonTable('Further reasons', reasons.slice(12))) : null] : h('p', { class: 'quiet' }, query ? 'No reason matches.' : 'No row is in quarantine.')),
    panel('Rows by raw table', missing.length ? 'Absent, so what depends on them alone is unknown: ' + missing.map((row) => row.table_name).join(', ') + '.' : null, table('Rows of the raw tables', [['Raw table', ''], ['Came in', 'n'], ['Used', 'n'], ['Superseded', 'n'], ['In quarantine', 'n']], rows.map((row) => [row.table_name, ...['rows_in', 'rows_used', 'rows_superseded', 'rows_quarantined'].map((name) => WHOLE.format(row[name]))]))),
    panel('Recorded days', night.freshness ? plural(night.freshness.recorded_days, 'day is', 'days are') + ' recorded' + (night.freshness.outdated_days ? '; ' + plural(night.freshness.outdated_days, 'of them is', 'of them are') + ' outdated by rows that came later (`segments backfill --outdated` records them again).' : ', none outdated by rows that came later.') : null,
      table('Builds of the last days', [['Day', ''], ['Build', ''], ['Status', ''], ['Ended', ''], ['Rows used', 'n'], ['In quarantine', 'n']], night.builds.map((row) => [shortDay(row.as_of_date), row.build_id, row.status, moment(row.finished_at), row.rows_used === null ? '–' : WHOLE.format(row.rows_used), row.rows_quarantined === null ? '–' : WHOLE.format(row.rows_quarantined)]))),
    panel('Checks by table', null, h('details', {}, h('summary', {}, plural(night.suites.length, 'table was', 'tables were') + ' checked'), table('Checks by table', [['Table', ''], ['Checks', 'n'], ['Passed', 'n']], night.suites.map((row) => [row.suite, WHOLE.format(row.checks), WHOLE.format(row.passed)])))),
  ];
}
