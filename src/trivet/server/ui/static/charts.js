// Draws the charts of a page from its JSON twin, in the colours of the tokens.

let echarts = null;
const drawn = new Map();
const REFRESH_AFTER_MS = 15_000;
let refreshed = Date.now();

export async function drawCharts(root) {
  const figures = [...root.querySelectorAll("figure[data-chart]")].filter((f) => f.querySelector(".plot"));
  if (!figures.length) return;
  echarts ??= await loadLibrary();
  await Promise.all([...bySource(figures)].map(([source, group]) => drawGroup(source, group)));
}

export async function refreshCharts() {
  for (const [figure, chart] of drawn) {
    if (!figure.isConnected) {
      chart.dispose();
      drawn.delete(figure);
    }
  }
  const isNew = [...document.querySelectorAll("figure[data-chart] .plot")].some((plot) => !drawn.has(plot.closest("figure")));
  if (!isNew && Date.now() - refreshed < REFRESH_AFTER_MS) return;
  refreshed = Date.now();
  await drawCharts(document);
}

export function restyleCharts() {
  for (const figure of drawn.keys()) delete figure.dataset.shown;
  refreshed = 0;
  void refreshCharts();
}

function loadLibrary() {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/static/vendor/echarts/echarts.min.js";
    script.onload = () => resolve(window.echarts);
    script.onerror = reject;
    document.head.append(script);
  });
}

function bySource(figures) {
  const groups = new Map();
  for (const figure of figures) {
    const source = figure.dataset.source;
    groups.set(source, [...(groups.get(source) ?? []), figure]);
  }
  return groups;
}

async function drawGroup(source, figures) {
  const answer = await fetch(source, { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const page = await answer.json();
  for (const figure of figures) {
    const chart = figure.dataset.chart.split(".").reduce((value, name) => value?.[name], page);
    if (chart) draw(figure, chart);
  }
}

function draw(figure, chart) {
  const plot = figure.querySelector(".plot");
  let instance = drawn.get(figure);
  if (!instance) {
    instance = echarts.init(plot, null, { renderer: "canvas" });
    drawn.set(figure, instance);
    new ResizeObserver(() => instance.resize()).observe(plot);
  }
  const wanted = JSON.stringify(chart) + document.documentElement.dataset.theme + matchMedia("(prefers-color-scheme: dark)").matches;
  if (figure.dataset.shown === wanted) return; // what is pointed at stays pointed at
  figure.dataset.shown = wanted;
  instance.setOption(toOption(chart, JSON.parse(figure.dataset.names), plot), { notMerge: true });
}

function toOption(chart, names, plot) {
  const style = getComputedStyle(plot);
  const token = (name) => style.getPropertyValue(`--${name}`).trim();
  const text = { color: token("ink-2"), fontFamily: style.fontFamily, fontSize: 11.5 };
  const quiet = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const few = chart.series.length <= 4;
  const longest = Math.max(0, ...chart.series.map((s) => (names[s.name] ?? s.name).length));
  const narrow = plot.clientWidth < 420;
  const labelled = few && chart.kind === "line" && chart.series.length > 1 && !narrow;
  return {
    useUTC: true,
    animation: !quiet,
    animationDuration: 250,
    textStyle: text,
    grid: { left: 6, right: labelled ? Math.min(140, 22 + longest * 6.6) : 14, top: chart.marks.length ? 8 + 14 * markRows(chart, plot.clientWidth) : narrow && few && chart.series.length > 1 ? 34 : 12, bottom: 4, containLabel: true },
    legend: labelled || chart.series.length === 1 ? undefined : { top: 0, left: 0, itemWidth: 14, itemHeight: 3, textStyle: text, type: "scroll" },
    tooltip: { trigger: "axis", renderMode: "richText", backgroundColor: token("surface"), borderColor: token("line-strong"), textStyle: { ...text, color: token("ink") }, valueFormatter: (v) => write(v, chart.unit), confine: true },
    xAxis: xAxis(chart, token, text),
    yAxis: { type: "value", scale: chart.kind !== "bar", axisLabel: { ...text, formatter: (v) => writeTick(v, chart.unit) }, splitLine: { lineStyle: { color: token("line") } }, splitNumber: 4 },
    series: chart.series.flatMap((s, i) => toSeries(s, i, chart, names, token, labelled, plot.clientWidth)),
  };
}

function xAxis(chart, token, text) {
  return {
    type: chart.axis, boundaryGap: chart.axis === "category", axisLabel: { ...text, hideOverlap: true, ...(chart.axis === "time" ? { formatter: writeDay } : {}) },
    axisLine: { lineStyle: { color: token("line-strong") } }, axisTick: { show: false }, splitLine: { show: false },
    ...(chart.axis === "value" ? { minInterval: 1 } : {}),
  };
}

function toSeries(series, index, chart, names, token, labelled, width) {
  const colour = token(`series-${(index % 6) + 1}`);
  const name = names[series.name] ?? series.name;
  const main = {
    name, type: chart.kind, color: colour, data: series.dots.map((d) => [d.x, d.y]), connectNulls: false,
    showSymbol: series.dots.length < 40, symbol: "circle", symbolSize: 5, z: 3,
    lineStyle: { width: 2, type: series.dashed ? "dashed" : "solid" }, itemStyle: { color: colour }, barMaxWidth: 22,
    ...(chart.axis === "category" && chart.kind === "line" ? { connectNulls: true } : {}),
    endLabel: labelled ? { show: true, formatter: name, color: colour, fontSize: 11.5 } : undefined,
    labelLayout: labelled ? { moveOverlap: "shiftY" } : undefined,
    markLine: index === 0 && chart.marks.length ? toMarks(chart, token, names, width) : undefined,
  };
  const banded = series.dots.filter((d) => d.low !== null && d.high !== null);
  if (!banded.length) return [main];
  return [...toBand(name, banded, colour), main];
}

// An interval is drawn as two invisible stacked lines with the space between them filled.
function toBand(name, dots, colour) {
  const hidden = { type: "line", stack: `band-${name}`, symbol: "none", silent: true, lineStyle: { opacity: 0 }, tooltip: { show: false }, stackStrategy: "all", color: colour };
  return [
    { ...hidden, data: dots.map((d) => [d.x, d.low]) },
    { ...hidden, data: dots.map((d) => [d.x, d.high - d.low]), areaStyle: { color: colour, opacity: 0.13 } },
  ];
}

function toMarks(chart, token, names, width) {
  const colour = { bad: token("bad"), good: token("good"), warn: token("warn"), live: token("ember") };
  const rows = placeMarks(chart, width);
  return {
    symbol: "none", silent: true, animation: false,
    data: chart.marks.map((mark, i) => ({
      xAxis: mark.x,
      lineStyle: { color: colour[mark.tone] ?? token("ink-3"), type: [3, 3], width: 1 },
      label: { formatter: names[mark.text] ?? mark.text, color: colour[mark.tone] ?? token("ink-2"), fontSize: 11, position: "end", distance: 3 + 14 * rows[i].row, align: rows[i].align },
    })),
  };
}

// Marks that are near each other write their words in rows above the plot, so none collide.
function placeMarks(chart, width) {
  const times = chart.series.flatMap((s) => s.dots.map((d) => Date.parse(d.x)));
  const [low, high] = [Math.min(...times), Math.max(...times)];
  const starts = []; // from right to left, so that the line of a later mark ends below earlier words
  const places = chart.marks.toReversed().map((mark) => {
    const at = ((Date.parse(mark.x) - low) / (high - low || 1)) * (width - 60);
    const span = mark.text.length * 6.6 + 8;
    const align = at > width - 60 - span ? "right" : "left";
    const [start, end] = align === "right" ? [at - span, at] : [at, at + span];
    let row = 0;
    while (starts[row] !== undefined && starts[row] < end) row += 1;
    for (let below = 0; below <= row; below += 1) starts[below] = start;
    return { row, align };
  });
  return places.toReversed();
}

function markRows(chart, width) {
  return 1 + Math.max(0, ...placeMarks(chart, width).map((mark) => mark.row));
}

const days = new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short", timeZone: "UTC" });

function writeDay(instant) {
  return days.format(new Date(instant));
}

function writeTick(value, unit) {
  if (unit === "percent") return `${Number((value * 100).toFixed(1))} %`;
  return write(value, unit);
}

function write(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (unit === "percent") return `${(value * 100).toFixed(1)} %`;
  const written = Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(4)));
  return unit ? `${written} ${unit}` : written;
}
