/* Charts: drawn by the inlined library, named for screen readers, with their numbers as a table beneath. */

const SERIES = ['--s0', '--s1', '--s2', '--s3', '--s4', '--s5', '--s6', '--s7'];
const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond', 'roundRect', 'pin', 'arrow', 'emptyCircle'];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const narrow = () => window.innerWidth < 640;
/* Tooltips are read as markup. */
const escaped = (text) => echarts.format.encodeHTML(text);
let drawn = [];

function clearCharts() {
  for (const one of drawn) one.dispose();
  drawn = [];
}

/* `numbers` is the table that says the same. */
function chart(name, option, numbers, size, after) {
  const box = h('div', { class: 'chart' + (size === 'tall' ? ' tall' : ''), style: typeof size === 'number' ? 'height:' + size + 'px' : null, role: 'img', 'aria-label': name });
  const holder = h('figure', {}, box, numbers && h('details', {}, h('summary', {}, 'The numbers as a table'), numbers));
  if (!window.echarts) {
    box.replaceWith(h('p', { class: 'note' }, 'Charts are left out: the chart library was missing when this page was made (`make install` brings it). All numbers are in the tables.'));
    holder.querySelectorAll('details').forEach((details) => { details.open = true; });
    return holder;
  }
  queueMicrotask(() => {
    if (!box.isConnected) return;
    const instance = echarts.init(box, null, { renderer: 'svg' });
    const ink = colour('--ink');
    instance.setOption({
      animation: false, aria: { enabled: false }, textStyle: { fontFamily: 'inherit', color: ink },
      tooltip: { backgroundColor: colour('--paper'), borderColor: colour('--line'), textStyle: { color: ink, fontSize: 13 }, confine: true, renderMode: 'html' },
      ...option(box.clientWidth),
    });
    if (after) after(instance);
    box.chartInstance = instance;
    drawn.push(instance);
  });
  return holder;
}

const axis = (extra) => ({
  axisLine: { lineStyle: { color: colour('--line') } }, axisTick: { show: false },
  splitLine: { lineStyle: { color: colour('--faint') } }, axisLabel: { color: colour('--soft'), hideOverlap: true }, ...extra,
});

/* Ticks are round numbers: shares stay shares, all others are written short. */
const ticks = (tell) => (tell === share || tell(0.5) === PERCENT.format(0.5) ? (value) => PERCENT.format(value) : (value) => COMPACT.format(value));

/* Lines over days (an axis of plain numbers, whose marks can be chosen); every line is named at its end. `lines` are {name, values, colour index}. */
function lines(name, days, shown, tell, numbers) {
  const long = asDate(days[days.length - 1]) - asDate(days[0]) > 120 * 86400000;
  const tick = (at) => (long ? SHORT_MONTH : SHORT_DAY).format(at);
  const first = asDate(days[0]).getTime(), last = asDate(days[days.length - 1]).getTime(), wholeDays = (last - first) / 86400000;
  const marks = (width) => {
    const parts = Math.max(1, Math.min(wholeDays, width < 560 ? 2 : 4));
    return Array.from({ length: parts + 1 }, (_, part) => first + Math.round((wholeDays * part) / parts) * 86400000);
  };
  return chart(name, (width) => ({
    grid: { left: 8, right: narrow() ? 96 : 190, top: 16, bottom: 8, containLabel: true },
    xAxis: axis({ type: 'value', min: 'dataMin', max: 'dataMax', splitLine: { show: false }, axisLabel: { color: colour('--soft'), fontSize: 12, customValues: marks(width), alignMinLabel: 'left', alignMaxLabel: 'right', formatter: (value) => tick(new Date(value)) } }),
    yAxis: axis({ type: 'value', scale: true, axisLabel: { color: colour('--soft'), formatter: ticks(tell) } }),
    tooltip: { trigger: 'axis', backgroundColor: colour('--paper'), borderColor: colour('--line'), textStyle: { color: colour('--ink'), fontSize: 13 }, confine: true,
      formatter: (points) => [escaped(DAY.format(new Date(points[0].value[0]))), ...points.map((point) => point.marker + escaped(point.seriesName + ': ' + (point.value[1] === null || point.value[1] === undefined ? '–' : tell(point.value[1]))))].join('<br>') },
    series: shown.map((line, index) => ({
      type: 'line', name: line.name, data: days.map((at, place) => [asDate(at).getTime(), line.values[place]]), connectNulls: false,
      symbol: SYMBOLS[index % SYMBOLS.length], symbolSize: days.length > 40 ? 0 : 7, showSymbol: days.length <= 40,
      lineStyle: { width: 2, type: index < 4 ? 'solid' : 'dashed' }, itemStyle: { color: colour(SERIES[index % SERIES.length]) },
      endLabel: { show: true, formatter: '{a}', color: colour('--ink'), fontSize: 12, width: narrow() ? 84 : 176, overflow: narrow() ? 'truncate' : 'break', lineHeight: 13 },
    })),
  }), numbers, null, spreadNames);
}

/* Names at the ends of lines that would cover each other move apart. */
function spreadNames(instance) {
  const series = instance.getOption().series;
  const ends = series.map((line, index) => [index, line.data.reduce((end, point) => (point[1] === null || point[1] === undefined ? end : point[1]), null)]).filter((end) => end[1] !== null)
    .map(([index, value]) => [index, instance.convertToPixel({ yAxisIndex: 0 }, value)]).sort((a, b) => a[1] - b[1]);
  const offsets = series.map(() => 0);
  let lowest = -Infinity;
  for (const [index, at] of ends) {
    /* Half of what the name takes, in one line or two, and half of what the one above takes. */
    const half = !narrow() && series[index].name.length > 28 ? 14 : 7.5;
    const place = Math.max(at, lowest + half);
    offsets[index] = place - at;
    lowest = place + half;
  }
  instance.setOption({ series: offsets.map((down) => ({ endLabel: { offset: [0, down] } })) });
}

function bars(name, rows, tell, numbers, hint) {
  return chart(name, () => ({
    grid: { left: 8, right: 70, top: 8, bottom: 8, containLabel: true },
    xAxis: axis({ type: 'value', splitNumber: 4, minInterval: rows.every((row) => Number.isInteger(row[1] ?? 0)) ? 1 : 0, axisLabel: { color: colour('--soft'), hideOverlap: true, formatter: ticks(tell) } }),
    yAxis: axis({ type: 'category', inverse: true, data: rows.map((row) => row[0]), axisLabel: { color: colour('--ink'), width: narrow() ? 110 : 210, overflow: 'break', lineHeight: 14 } }),
    tooltip: { trigger: 'item', valueFormatter: tell, backgroundColor: colour('--paper'), borderColor: colour('--line'), textStyle: { color: colour('--ink') }, confine: true },
    series: [{ type: 'bar', name: hint || name, data: rows.map((row) => row[1]), barMaxWidth: 22, itemStyle: { color: colour('--accent'), borderRadius: 2 },
      label: { show: true, position: 'right', color: colour('--ink'), formatter: (point) => (point.value === null || point.value === undefined ? '' : tell(point.value)) } }],
  }), numbers, 56 + 30 * rows.length);
}

/* Differences with their intervals, one under the other, and the line of no difference. `rows` are [name, lower, difference, upper], `tick` writes the axis. */
function intervals(name, rows, tell, tick) {
  const whisker = (params, api) => {
    const [low, high] = [api.coord([api.value(0), api.value(2)]), api.coord([api.value(1), api.value(2)])];
    const style = { stroke: colour('--accent'), lineWidth: 2 };
    const line = (x1, y1, x2, y2) => ({ type: 'line', shape: { x1, y1, x2, y2 }, style });
    return { type: 'group', children: [line(low[0], low[1], high[0], high[1]), ...[low, high].map(([x, y]) => line(x, y - 5, x, y + 5))] };
  };
  return chart(name, () => ({
    grid: { left: 8, right: 24, top: 8, bottom: 8, containLabel: true },
    xAxis: axis({ type: 'value', min: (range) => Math.min(0, range.min), max: (range) => Math.max(0, range.max), splitNumber: 4, axisLabel: { color: colour('--soft'), hideOverlap: true, formatter: tick } }),
    yAxis: axis({ type: 'category', inverse: true, data: rows.map((row) => row[0]), axisLabel: { color: colour('--ink'), width: narrow() ? 110 : 200, overflow: 'truncate' } }),
    tooltip: { trigger: 'item', backgroundColor: colour('--paper'), borderColor: colour('--line'), textStyle: { color: colour('--ink') }, confine: true,
      formatter: (point) => { const [label, low, middle, high] = rows[point.dataIndex]; return escaped(label + ': ' + tell(middle) + ' (' + tell(low) + ' to ' + tell(high) + ')'); } },
    series: [
      { type: 'custom', name: 'Interval', renderItem: whisker, data: rows.map((row, index) => [row[1], row[3], index]), encode: { x: [0, 1], y: 2 } },
      { type: 'scatter', name, symbolSize: 10, data: rows.map((row, index) => [row[2], index]), itemStyle: { color: colour('--accent') },
        label: { show: true, position: 'top', color: colour('--ink'), formatter: (point) => tell(point.value[0]) },
        markLine: { silent: true, symbol: 'none', animation: false, lineStyle: { color: colour('--soft'), type: 'dashed' }, label: { show: false }, data: [{ xAxis: 0 }] } },
    ],
  }), null, 64 + 44 * rows.length);
}

function columns(name, rows, tell, numbers) {
  return chart(name, () => ({
    grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
    xAxis: axis({ type: 'category', data: rows.map((row) => row[0]) }),
    yAxis: axis({ type: 'value', axisLabel: { color: colour('--soft'), formatter: (value) => COMPACT.format(value) } }),
    tooltip: { trigger: 'item', valueFormatter: tell, backgroundColor: colour('--paper'), borderColor: colour('--line'), textStyle: { color: colour('--ink') }, confine: true },
    series: [{ type: 'bar', name, data: rows.map((row) => row[1]), barCategoryGap: '12%', itemStyle: { color: colour('--accent'), borderRadius: [2, 2, 0, 0] } }],
  }), numbers);
}

/* Black or white on a field, whichever can be read. */
function readable(part) {
  const ends = ['--faint', '--accent'].map((name) => echarts.color.parse(colour(name)));
  const mixed = [0, 1, 2].map((place) => (ends[0][place] + part * (ends[1][place] - ends[0][place])) / 255).map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * mixed[0] + 0.7152 * mixed[1] + 0.0722 * mixed[2] > 0.18 ? '#000000' : '#ffffff';
}

/* One hue from pale to full: order is told by lightness, which every eye sees. */
function heat(name, across, down, cells, tell, numbers, titles) {
  const most = Math.max(0, ...cells.map((cell) => cell[2] ?? 0));
  return chart(name, () => ({
    grid: { left: titles ? 36 : 8, right: 8, top: 8, bottom: titles ? 36 : 8, containLabel: true },
    xAxis: axis({ type: 'category', data: across, name: titles && titles[0], nameLocation: 'middle', nameGap: 32, nameTextStyle: { color: colour('--soft') }, splitArea: { show: false }, axisLabel: { color: colour('--ink'), interval: 0, rotate: across.length > 6 ? 40 : 0 } }),
    yAxis: axis({ type: 'category', data: down, name: titles && titles[1], nameLocation: 'middle', nameGap: 28, nameTextStyle: { color: colour('--soft') }, axisLabel: { color: colour('--ink'), width: 130, overflow: 'truncate' } }),
    visualMap: { show: false, min: 0, max: most || 1, inRange: { color: [colour('--faint'), colour('--accent')] } },
    tooltip: { trigger: 'item', backgroundColor: colour('--paper'), borderColor: colour('--line'), textStyle: { color: colour('--ink') }, confine: true,
      formatter: (point) => escaped(across[point.value[0]] + ' · ' + down[point.value[1]] + ': ' + tell(point.value[2], point.value[3])) },
    series: [{ type: 'heatmap', name, data: cells.map((cell) => ({ value: cell, label: { color: readable((cell[2] ?? 0) / (most || 1)) } })),
      label: { show: !narrow() || across.length <= 5, formatter: (point) => tell(point.value[2], null) }, itemStyle: { borderColor: colour('--paper'), borderWidth: 2 } }],
  }), numbers, 'tall');
}

function sankey(name, moves, label, numbers) {
  const sources = [...new Set(moves.map((move) => move[0]))], targets = [...new Set(moves.map((move) => move[1]))];
  const total = (place, code) => moves.filter((move) => move[place] === code).reduce((sum, move) => sum + move[2], 0);
  const codes = [...new Set([...sources, ...targets])];
  const tint = (code) => colour(SERIES[codes.indexOf(code) % SERIES.length]);
  const node = (side, code) => ({ name: side + code, depth: side === 'from:' ? 0 : 1, itemStyle: { color: tint(code), borderWidth: 0 },
    label: { position: side === 'from:' ? 'right' : 'left', color: colour('--ink'), formatter: label(code) + '  ' + WHOLE.format(total(side === 'from:' ? 0 : 1, code)) } });
  return chart(name, () => ({
    tooltip: { trigger: 'item', backgroundColor: colour('--paper'), borderColor: colour('--line'), textStyle: { color: colour('--ink') }, confine: true,
      formatter: (point) => escaped((point.dataType === 'edge' ? label(point.data.source.slice(5)) + ' → ' + label(point.data.target.slice(3)) : point.name.startsWith('from:') ? 'Left ' + label(point.name.slice(5)) : 'Entered ' + label(point.name.slice(3))) + ': ' + WHOLE.format(point.value)) },
    series: [{ type: 'sankey', name, left: 4, right: 4, top: 8, bottom: 8, nodeGap: 12, nodeWidth: 10, draggable: false, emphasis: { focus: 'adjacency' },
      data: [...sources.map((code) => node('from:', code)), ...targets.map((code) => node('to:', code))],
      links: moves.map(([from, to, count]) => ({ source: 'from:' + from, target: 'to:' + to, value: count, lineStyle: { color: tint(from), opacity: 0.35 } })),
      label: { fontSize: 12, width: narrow() ? 130 : 260, overflow: 'truncate' } }],
  }), numbers, Math.min(460, 70 + 52 * Math.max(sources.length, targets.length)));
}

/* A line without axes for a table; the numbers are in the row. */
function spark(values, days) {
  const known = values.map((value, index) => [index, isTold(value) ? value : null]);
  const told = known.filter((point) => point[1] !== null);
  if (told.length < 2) return h('span', { class: 'soft' }, '–');
  const low = Math.min(...told.map((point) => point[1])), high = Math.max(...told.map((point) => point[1]));
  const scale = high === low ? () => 50 : (value) => 92 - (84 * (value - low)) / (high - low);
  const begin = asDate(days[0]), span = asDate(days[days.length - 1]) - begin || 1;
  let path = '', pen = false;
  for (const [index, value] of known) {
    if (value === null) { pen = false; continue; }
    path += (pen ? 'L' : 'M') + ((100 * (asDate(days[index]) - begin)) / span).toFixed(1) + ' ' + scale(value).toFixed(1);
    pen = true;
  }
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 100 100');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
