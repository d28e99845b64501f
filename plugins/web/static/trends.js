// Trends: four lists; each item shows the size of its rise, the confidence, its last hour and its start.

import {
  $,
  badge,
  compact,
  country,
  duration,
  empty,
  fill,
  get,
  h,
  poll,
  secondsSince,
  sparkline,
  when,
} from "./pinwheel.js";

/** @typedef {"pins" | "brands" | "categories" | "countries"} List */

/** @type {[List, string][]} */
const LISTS = [
  ["pins", "Pins"],
  ["brands", "Brands"],
  ["categories", "Categories"],
  ["countries", "Countries"],
];
const OF_BRANDS = new Set(["pins", "brands"]);
/** @type {Record<Api.Confidence, [string, string]>} */
const WORDS = {
  sure: ["Sure", "The chance of a false alarm is at most one in a million"],
  very_sure: ["Very sure", "The chance of a false alarm is at most one in a billion"],
  beyond_doubt: ["Beyond doubt", "The chance of a false alarm is at most one in 10¹⁵"],
};
const FEW_MINUTES = 20; // of history needed before a rise can be detected
const FRESH_SECONDS = 180;
const STALE_SECONDS = 900;

poll({ load: (signal) => get("trends", {}, signal), show, place: $("#problem"), seconds: 20 });

/** @param {Api.Trends} data */
function show(data) {
  fill($("#fresh"), freshness(data.as_of));
  const lists = LISTS.filter(([name]) => !data.only_brands || OF_BRANDS.has(name));
  const total = lists.reduce((sum, [name]) => sum + data[name].length, 0);
  const bound = data.only_brands
    ? h("p", { class: "notice" }, "You see only the trends of your brands and their pins.")
    : null;
  fill(
    $("#content"),
    bound,
    total
      ? h(
          "div",
          { class: "trends" },
          lists.map(([name, title]) => list(title, name, data[name])),
        )
      : nothing(data),
  );
}

/** @param {string | null} asOf */
function freshness(asOf) {
  if (!asOf) return badge("idle", "No repins counted yet");
  const seconds = secondsSince(asOf);
  const kind = seconds < FRESH_SECONDS ? "good" : seconds < STALE_SECONDS ? "warn" : "bad";
  return badge(kind, ["Counted to ", when(asOf), kind === "good" ? "" : `, ${duration(seconds)} behind`]);
}

/** @param {Api.Trends} data */
function nothing(data) {
  if (!data.as_of)
    return empty(
      "No repins are counted yet",
      "Counting starts when the stream runs and merge_events has merged repins. See Pipeline health.",
    );
  const minutes = data.counted_from ? (Date.parse(data.as_of) - Date.parse(data.counted_from)) / 60000 : null;
  if (minutes !== null && minutes < FEW_MINUTES) {
    const left = Math.ceil(FEW_MINUTES - minutes);
    return empty(
      "Too early to say",
      `Detecting a rise takes ${FEW_MINUTES} minutes of history; ${left} more are needed.`,
    );
  }
  return empty("Nothing is trending", "A rise shows here one or two minutes after it starts.");
}

/** @param {string} title @param {List} name @param {Api.Trend[]} trends */
function list(title, name, trends) {
  const none = h("p", { class: "quiet" }, `No ${title.toLowerCase()} are rising now.`);
  const id = `list-${name}`;
  return h(
    "section",
    { class: "card", "aria-labelledby": id },
    h("h2", { id }, title),
    trends.length
      ? h(
          "ol",
          { class: "trend-list" },
          trends.map((trend) => item(name, trend)),
        )
      : none,
  );
}

/** @param {List} kind @param {Api.Trend} trend */
function item(kind, trend) {
  return h(
    "li",
    { class: "trend" },
    h(
      "div",
      { class: "trend-name" },
      h("bdi", { class: "clip", title: named(kind, trend) }, named(kind, trend)),
      h("small", { class: "quiet" }, details(kind, trend)),
    ),
    line(trend),
    h("p", { class: "trend-size" }, size(trend)),
    h("p", { class: "trend-words" }, confidence(trend), h("small", { class: "quiet" }, "since ", since(trend))),
  );
}

/** @param {List} kind @param {Api.Trend} trend */
function named(kind, trend) {
  if (kind === "countries") return country(trend.item);
  if (kind === "pins") return trend.name?.trim() || `Pin ${trend.item}`;
  return trend.name === "(none)" ? "Without a category" : trend.name;
}

/** @param {List} kind @param {Api.Trend} trend */
function details(kind, trend) {
  const now = `${compact(trend.per_minute)} per minute, usually ${compact(trend.usual_per_minute)}`;
  return kind === "pins" ? `${now} · pin ${trend.item}` : now;
}

/** @param {Api.Trend} trend */
function size({ times_usual: times }) {
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
