// Repins of the last half hour, a bar for each minute.

import { ApiError, count, fill, get, h, s } from "./pinwheel.js";

const AGAIN = 20000; // ms
const BAR = { step: 8, width: 6, height: 48 };

/** @param {Element} place @param {() => Filters} filters */
export function minutes(place, filters) {
  /** @type {number | undefined} */
  let timer;
  let turn = 0;
  async function now() {
    clearTimeout(timer);
    const mine = ++turn;
    const { brand, category } = filters();
    try {
      /** @type {Api.Minutes} */
      const found = await get("live/minutes", { brand, category });
      if (mine === turn) fill(place, chart(found));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === turn) fill(place, h("p", { class: "quiet" }, `Not known now. ${error.message}`));
    }
    if (mine === turn) timer = setTimeout(now, AGAIN);
  }
  return now;
}

/** @param {Api.Minutes} found */
function chart({ first, repins, is_counted }) {
  if (!is_counted) return h("p", { class: "quiet" }, "Repins of a category are counted for all brands together only.");
  if (!first || !repins.length) return h("p", { class: "quiet" }, "No repins are counted yet.");
  const start = Date.parse(first);
  const clock = (/** @type {number} */ n) => new Date(start + n * 60000).toISOString().slice(11, 16);
  const most = Math.max(1, ...repins.map((n) => n ?? 0));
  const label = `Repins per minute from ${clock(0)} to ${clock(repins.length)} UTC: at most ${count(most)}, last ${count(repins.at(-1))}`;
  const box = {
    class: "minutes",
    viewBox: `0 0 ${repins.length * BAR.step} ${BAR.height}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": label,
  };
  const bars = repins.map((n, i) => {
    const height = Math.max(n ? 1 : 0, ((n ?? 0) / most) * BAR.height);
    const shape = { x: i * BAR.step, y: BAR.height - height, width: BAR.width, height };
    return n === null ? null : s("rect", shape, s("title", {}, `${clock(i)} UTC: ${count(n)} repins`));
  });
  const ends = [
    h("span", {}, clock(0)),
    h("span", {}, `most ${count(most)}`),
    h("span", {}, `${clock(repins.length)} UTC`),
  ];
  return [s("svg", box, ...bars), h("p", { class: "ends quiet" }, ends)];
}
