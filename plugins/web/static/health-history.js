// The health page's histories: measures over the last hour, day or month, with their limits.

import { $, compact, count, duration, fill, get, h, percent, poll, sparkline } from "./pinwheel.js";

const PERIODS = /** @type {const} */ (["hour", "day", "month"]);
/** @type {typeof PERIODS[number]} */
let period = "hour";

/** A value with its unit. @param {number | null} value @param {string} unit */
function withUnit(value, unit) {
  if (value === null) return "unknown";
  if (unit === "seconds") return duration(value);
  if (unit === "share") return percent(value);
  return unit === "records" ? `${count(value)} records` : `${compact(value)} ${unit}`;
}

/** @param {Api.History} data */
function historyCard(data) {
  const known = data.values.filter((v) => v !== null);
  const [word, extreme] = data.unit === "per second" ? ["least", Math.min] : ["most", Math.max];
  const worst = withUnit(known.length ? extreme(...known) : null, data.unit);
  const allowed = data.limit === null ? "" : `, allowed ${withUnit(data.limit, data.unit)}`;
  const label = `${data.title} in the last ${period}: ${word} ${worst}${allowed}`;
  return h(
    "li",
    {},
    h("h3", {}, data.title),
    sparkline(data.values, label, { width: 220, height: 44, limit: data.limit }),
    h(
      "p",
      { class: "quiet" },
      `now ${withUnit(data.values.at(-1) ?? known.at(-1) ?? null, data.unit)}, ${word} ${worst}${allowed}`,
    ),
  );
}

export function followHistories() {
  const showing = poll({
    load: (signal) => get("health/history", { period }, signal),
    show: (/** @type {Api.History[]} */ found) => fill($("#histories"), found.map(historyCard)),
    place: $("#histories-problem"),
    seconds: 60,
  });
  /** @param {typeof period} wanted */
  const button = (wanted) =>
    h(
      "button",
      { type: "button", "aria-pressed": String(wanted === period), on: { click: () => choose(wanted) } },
      wanted,
    );
  /** @param {typeof period} wanted */
  const choose = (wanted) => {
    period = wanted;
    fill($("#periods"), PERIODS.map(button));
    showing.now();
  };
  fill($("#periods"), PERIODS.map(button));
}
