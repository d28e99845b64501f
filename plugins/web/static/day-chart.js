// Charts of hours: bars for what was counted, a line for what is usual. Each bar has its numbers as a title.

import { count, h, s } from "./pinwheel.js";

const HEIGHT = 160;
const STEP = 10; // of one hour, before the chart is stretched to its place

/** @typedef {{value: number | null, usual: number | null, title: string, isBegun?: boolean}} Bar */

/**
 * @param {Bar[]} bars
 * @param {string} label
 * @param {string[]} ends labels below the chart, from its left end to its right end; of days: where each begins
 */
export function hourChart(bars, label, ends, { areDays = false } = {}) {
  const top = Math.max(1, ...bars.flatMap((bar) => [bar.value ?? 0, bar.usual ?? 0]));
  const box = {
    class: "hours",
    viewBox: `0 0 ${bars.length * STEP} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": `${label}, at most ${count(top)}`,
  };
  const height = (/** @type {number} */ value) => (value / top) * (HEIGHT - 4);
  return [
    h("p", { class: "quiet hours-top" }, count(top)),
    s(
      "svg",
      box,
      bars.map((bar, n) => drawn(bar, n, height)),
      usual(bars, height),
    ),
    h(
      "p",
      { class: `ends quiet${areDays ? " days" : ""}` },
      ends.map((text) => h("span", {}, text)),
    ),
  ];
}

/** @param {Bar} bar @param {number} n @param {(value: number) => number} height */
function drawn({ value, title, isBegun }, n, height) {
  const of = value ?? 0;
  const place = { x: n * STEP + 1, y: HEIGHT - height(of), width: STEP - 2, height: height(of) };
  return [
    s("rect", { ...place, class: isBegun ? "begun" : null }),
    s("rect", { x: n * STEP, y: 0, width: STEP, height: HEIGHT, class: "over" }, s("title", {}, title)),
  ];
}

/** A step of each hour that has a usual value. @param {Bar[]} bars @param {(value: number) => number} height */
function usual(bars, height) {
  const steps = bars.map(({ usual: value }, n) => {
    if (value === null) return "";
    const y = (HEIGHT - height(value)).toFixed(1);
    return `${n && bars[n - 1].usual !== null ? "L" : "M"}${n * STEP} ${y}H${(n + 1) * STEP}`;
  });
  const d = steps.join("");
  return d ? s("path", { d, class: "usual", fill: "none" }) : null;
}
