// Trends: four lists; each item shows the size of its rise, the confidence, its last hour and its start.

import { $, badge, duration, empty, fill, get, h, poll, secondsSince, when } from "./pinwheel.js";
import { learning, trendList } from "./trend-list.js";

/** @typedef {import("./trend-list.js").List} List */

/** @type {[List, string][]} */
const LISTS = [
  ["pins", "Pins"],
  ["brands", "Brands"],
  ["categories", "Categories"],
  ["countries", "Countries"],
];
const OF_BRANDS = new Set(["pins", "brands"]);
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
    learning(data),
    total
      ? h(
          "div",
          { class: "trends" },
          lists.map(([name, title]) => list(title, name, data)),
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
  return empty("Nothing is trending", "A rise shows here one or two minutes after it starts.");
}

/** @param {string} title @param {List} name @param {Api.Trends} data */
function list(title, name, data) {
  const none = h("p", { class: "quiet" }, `No ${title.toLowerCase()} are rising now.`);
  const id = `list-${name}`;
  return h(
    "section",
    { class: "card", "aria-labelledby": id },
    h("h2", { id }, title),
    data[name].length ? trendList(name, data[name], data.learning_until !== null) : none,
  );
}
