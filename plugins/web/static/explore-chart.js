// A chart of an answer, where its columns allow one: numbers over time as lines, numbers of names as bars.

import { barLine, compact, h, s } from "./pinwheel.js";
import { loadScripts } from "./scripts.js";

/**
 * @typedef {{name: string, points: [number, number][]}} Series
 * @typedef {{left: number, right: number, top: number, bottom: number}} Box
 */

const SERIES = 8; // colours
const BARS = 15;
const HEIGHT = 260;
const SECOND = 1000;
const HOUR = 3_600_000;
const STEPS = [
  1, 5, 15, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 2592000, 7776000, 31536000,
];

/** A figure, or null. @param {Api.Answer} answer @param {number} width */
export async function chart({ columns, rows }, width) {
  const numbers = columns.flatMap((c, n) => (c.kind === "number" && !/(^|_)id$/i.test(c.name) ? [n] : []));
  const time = columns.findIndex((c) => c.kind === "time");
  const name = columns.findIndex((c) => c.kind === "text");
  if (rows.length < 2 || !numbers.length) return null;
  if (time >= 0) return await lines(series(columns, rows, time, name, numbers), columns[time].name, width);
  return name >= 0 ? bars(columns, rows, name, numbers[0]) : null;
}

/**
 * A line per column of numbers; of one column next to names, a line per name.
 * @param {Api.ResultColumn[]} columns
 * @param {(string | null)[][]} rows
 * @param {number} time
 * @param {number} name
 * @param {number[]} numbers
 * @returns {Series[]}
 */
function series(columns, rows, time, name, numbers) {
  /** @type {Map<string, [number, number][]>} */
  const found = new Map();
  const byName = name >= 0 && numbers.length === 1;
  for (const row of rows) {
    const at = Date.parse(`${row[time]?.replace(" ", "T").replace(/^([\d-]{10})$/, "$1T00:00:00")}Z`);
    for (const n of numbers) {
      const key = byName ? (row[name] ?? "NULL") : columns[n].name;
      if (row[n] === null || Number.isNaN(at)) continue;
      if (!found.has(key)) found.set(key, []);
      found.get(key)?.push([at, Number(row[n])]);
    }
  }
  const all = [...found].map(([key, points]) => ({ name: key, points: points.sort((a, b) => a[0] - b[0]) }));
  const size = (/** @type {Series} */ one) => one.points.reduce((sum, [, y]) => sum + Math.abs(y), 0);
  return byName ? all.sort((a, b) => size(b) - size(a)).slice(0, SERIES) : all.slice(0, SERIES);
}

/** @param {Series[]} all @param {string} time @param {number} width */
async function lines(all, time, width) {
  const points = all.flatMap((one) => one.points);
  if (new Set(points.map(([at]) => at)).size < 2) return null;
  if (!window.d3?.ticks) await loadScripts("d3-array.js");
  const { extent, ticks } = window.d3;
  const [from, to] = extent(points, ([at]) => at);
  const [low, high] = extent([0, ...points.map(([, y]) => y)], (y) => y);
  const box = { left: 52, right: Math.max(280, width - 34), top: 10, bottom: HEIGHT - 26 };
  const x = scale(from, to, box.left, box.right);
  const y = scale(low, high === low ? low + 1 : high, box.bottom, box.top);
  const marks = ticks(low, high === low ? low + 1 : high, 5);
  const label = `${all.map((one) => one.name).join(", ")} by ${time}, from ${compact(low)} to ${compact(high)}`;
  const drawn = s(
    "svg",
    { class: "chart", viewBox: `0 0 ${box.right + 10} ${HEIGHT}`, role: "img", "aria-label": label },
    marks.map((mark) => across(mark, y(mark), box)),
    times(from, to, box, x),
    all.map((one, n) => s("path", { class: `series-${n}`, d: path(one.points, x, y) }, s("title", {}, one.name))),
  );
  return h("figure", { class: "figure-box" }, drawn, all.length > 1 || all[0].name !== time ? legend(all) : null);
}

/** @param {number} from @param {number} to @param {number} start @param {number} end */
const scale = (from, to, start, end) => (/** @type {number} */ value) =>
  start + ((value - from) / (to - from)) * (end - start);

/** @param {[number, number][]} points @param {(v: number) => number} x @param {(v: number) => number} y */
const path = (points, x, y) =>
  points.map(([at, value], n) => `${n ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");

/** A line across with its number. @param {number} mark @param {number} y @param {Box} box */
function across(mark, y, { left, right }) {
  return [
    s("line", { x1: left, x2: right, y1: y, y2: y }),
    s("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, compact(mark)),
  ];
}

/** Round times below the lines, as many as there is room for. @param {number} from @param {number} to @param {Box} box @param {(v: number) => number} x */
function times(from, to, { left, right, bottom }, x) {
  const room = Math.floor((right - left) / 90);
  const step = (STEPS.find((one) => (to - from) / (one * SECOND) <= room) ?? STEPS[STEPS.length - 1]) * SECOND;
  const marks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step)
    marks.push(s("text", { x: x(at), y: bottom + 20, "text-anchor": "middle" }, clock(at, step)));
  return marks;
}

/** 14 Mar for days, 09:00 within one. @param {number} at @param {number} step */
function clock(at, step) {
  const day = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });
  if (step >= 24 * HOUR || at % (24 * HOUR) === 0) return day.format(at);
  return new Date(at).toISOString().slice(11, step < 60 * SECOND ? 19 : 16);
}

/** @param {Series[]} all */
function legend(all) {
  const one = (/** @type {Series} */ { name }, /** @type {number} */ n) =>
    h("li", {}, h("span", { class: `swatch series-${n}` }), h("bdi", {}, name.slice(0, 60)));
  return h("ul", { class: "legend" }, all.map(one));
}

/** @param {Api.ResultColumn[]} columns @param {(string | null)[][]} rows @param {number} name @param {number} number */
function bars(columns, rows, name, number) {
  const values = rows.slice(0, BARS).map((row) => Number(row[number] ?? 0));
  const most = Math.max(...values);
  if (most <= 0 || Math.min(...values) < 0) return null;
  const bar = (/** @type {number} */ n) =>
    barLine(h("bdi", { class: "clip" }, rows[n][name] ?? "NULL"), values[n], most, compact(values[n]));
  const rest = rows.length > BARS ? `, the first ${BARS}` : "";
  return h(
    "figure",
    { class: "figure-box" },
    h("figcaption", { class: "quiet" }, `${columns[number].name} by ${columns[name].name}${rest}`),
    h("ol", { class: "bars wide-names" }, [...values.keys()].map(bar)),
  );
}
