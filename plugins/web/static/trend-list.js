// A list of trends: each item shows the size of its rise, the confidence, its last hour and its start.

import { badge, brandLink, category, compact, country, duration, h, pinLink, sparkline } from "./pinwheel.js";

/** @typedef {"pins" | "brands" | "categories" | "countries"} List */

/** @type {Record<Api.Confidence, [string, string]>} */
const WORDS = {
  sure: ["Sure", "The chance of a false alarm is at most one in a million"],
  very_sure: ["Very sure", "The chance of a false alarm is at most one in a billion"],
  beyond_doubt: ["Beyond doubt", "The chance of a false alarm is at most one in 10¹⁵"],
};

/** @param {List} kind @param {Api.Trend[]} trends @param {boolean} isLearning */
export function trendList(kind, trends, isLearning) {
  return h(
    "ol",
    { class: "trend-list" },
    trends.map((trend) => item(kind, trend, isLearning)),
  );
}

/**
 * Said while there is too little past to know what is usual; null once it is known.
 * @param {Api.Trends} data
 */
export function learning({ learning_until: until, as_of: asOf }) {
  if (!until || !asOf) return null;
  const left = duration(Math.ceil((Date.parse(until) - Date.parse(asOf)) / 60000) * 60);
  return h(
    "p",
    { class: "notice warn", role: "status" },
    `Learning what is usual, for another ${left}: repins have not been counted for an hour yet. Until then a rise `,
    "may be the start of counting, and its size is too large or not known.",
  );
}

/** @param {List} kind @param {Api.Trend} trend @param {boolean} isLearning */
function item(kind, trend, isLearning) {
  return h(
    "li",
    { class: "trend" },
    h(
      "div",
      { class: "trend-name" },
      h("bdi", { class: "clip", title: named(kind, trend) }, linked(kind, trend)),
      h("small", { class: "quiet" }, details(kind, trend)),
    ),
    line(trend),
    h("p", { class: "trend-size" }, size(trend, isLearning)),
    h("p", { class: "trend-words" }, confidence(trend), h("small", { class: "quiet" }, "since ", since(trend))),
  );
}

/** @param {List} kind @param {Api.Trend} trend */
function named(kind, trend) {
  if (kind === "countries") return country(trend.item);
  if (kind === "pins") return trend.name?.trim() || `Pin ${trend.item}`;
  return kind === "categories" ? category(trend.name) : trend.name;
}

/** @param {List} kind @param {Api.Trend} trend */
function linked(kind, trend) {
  if (kind === "pins") return pinLink(trend.item, named(kind, trend));
  if (kind === "brands") return brandLink(trend.item, named(kind, trend) ?? "");
  return named(kind, trend);
}

/** @param {List} kind @param {Api.Trend} trend */
function details(kind, trend) {
  const now = `${compact(trend.per_minute)} per minute, usually ${compact(trend.usual_per_minute)}`;
  return kind === "pins" ? `${now} · pin ${trend.item}` : now;
}

/** @param {Api.Trend} trend @param {boolean} isLearning */
function size({ times_usual: times }, isLearning) {
  if (isLearning) return h("small", { class: "quiet" }, "learning"); // a usual of a few minutes makes any size
  if (times === null) return "new";
  return times >= 100 ? "> × 100" : `× ${times.toFixed(times < 10 ? 1 : 0)}`;
}

/** @param {Api.Trend} trend */
function line(trend) {
  const known = trend.minutes.filter((n) => n !== null);
  const label = known.length
    ? `Repins per minute over the last hour, from ${Math.min(...known)} to ${Math.max(...known)}, now ${known.at(-1)}`
    : "No whole minute yet";
  return sparkline(trend.minutes, label, { width: 132, height: 32 });
}

/** @param {Api.Trend} trend */
function confidence(trend) {
  const [word, meaning] = WORDS[trend.confidence];
  const shown = badge(trend.confidence === "sure" ? "idle" : "good", word);
  shown.title = meaning;
  return shown;
}

/** The time of day only: it is less than an hour ago. @param {Api.Trend} trend */
function since(trend) {
  const at = new Date(trend.since);
  return h(
    "time",
    { datetime: at.toISOString(), title: `${at.toISOString().slice(0, 16).replace("T", " ")} UTC` },
    `${at.toISOString().slice(11, 16)} UTC`,
  );
}
