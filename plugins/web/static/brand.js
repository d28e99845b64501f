// A brand's running day: so far, next to the same hours of the days before; and the choice of a brand.

import { hourChart } from "./day-chart.js";
import {
  $,
  airflowLink,
  asked,
  badge,
  barLine,
  brandLink,
  brandName,
  brandText,
  category,
  count,
  countryTable,
  duration,
  empty,
  fill,
  get,
  h,
  notice,
  pinLink,
  poll,
  secondsSince,
  table,
} from "./pinwheel.js";
import { learning, trendList } from "./trend-list.js";

const FRESH_SECONDS = 300;
const STALE_SECONDS = 1800;
const OFFERED = 60; // brands at most; a search finds the others
const DAY = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "long", day: "numeric", month: "long" });

/** @type {[keyof Api.Numbers, string][]} */
const TILES = [
  ["engagement", "Engagement"],
  ["repins", "Repins"],
  ["comments", "Comments"],
  ["people", "Different people"],
  ["pins", "New pins"],
];

/** "14:05" of a time, which is one of the brand's zone. @param {string} iso */
const minute = (iso) => iso.slice(11, 16);

/* The day --------------------------------------------------------------------------------------------------------- */

/** @param {Api.BrandToday} brand */
function show(brand) {
  document.title = `${brand.name} today · Pinwheel`;
  fill($("#name"), h("bdi", {}, brand.name));
  fill($("#said"), said(brand));
  fill($("#state"), freshness(brand));
  fill(
    $("#content"),
    unknownZone(brand),
    h(
      "div",
      { class: "cards tiles" },
      TILES.map(([name, label]) => tile(brand, name, label)),
    ),
    hours(brand),
    h(
      "div",
      { class: "trends" },
      h("div", {}, pins(brand), categories(brand)),
      h("div", {}, trends(brand), countries(brand)),
    ),
  );
}

/** @param {Api.BrandToday} brand */
function said({ day, to, time_zone: zone, usual_days: days }) {
  const until = `${DAY.format(new Date(`${day}T00:00:00Z`))}, 00:00 to ${minute(to)} ${zone}`;
  const before = days === 1 ? "the day before" : `the mean of the ${days} days before`;
  return `${until}.${days ? ` Usual: ${before}, to the same minute.` : ""}`;
}

/** @param {Api.BrandToday} brand */
function unknownZone({ unknown_zone: name }) {
  if (name === null) return null;
  const todo = me.brands
    ? "Ask who runs Pinwheel to set the right one."
    : ["Set the right one with ", airflowLink("dags/set_time_zone", "set_time_zone"), "."];
  const zone = h("bdi", {}, `“${name}”`);
  const text = [
    "The time zone of this brand is ",
    zone,
    ", which is none that is known here: its day is that of UTC. ",
  ];
  return h("p", { class: "notice warn", role: "status" }, text, todo);
}

/** @param {Api.BrandToday} brand */
function freshness({ complete_through: through, day, time_zone: zone }) {
  if (!through) return badge("idle", "How complete: not known yet");
  const seconds = secondsSince(through);
  const kind = seconds < FRESH_SECONDS ? "good" : seconds < STALE_SECONDS ? "warn" : "bad";
  const at = through.slice(0, 10) === day ? minute(through) : `${through.slice(0, 10)} ${minute(through)}`;
  return badge(kind, `Complete through ${at} ${zone}${kind === "good" ? "" : `, ${duration(seconds)} ago`}`);
}

/** @param {Api.BrandToday} brand @param {keyof Api.Numbers} name @param {string} label */
function tile({ today, yesterday, usual }, name, label) {
  return h(
    "section",
    { class: "card", "aria-label": label },
    h("p", { class: "quiet" }, label),
    h("p", { class: "figure" }, count(today[name])),
    h(
      "dl",
      { class: "facts" },
      compared("yesterday", today[name], yesterday?.[name]),
      compared("usual", today[name], usual?.[name]),
    ),
  );
}

/** @param {string} label @param {number} now @param {number | undefined} before */
function compared(label, now, before) {
  if (before === undefined) return [h("dt", {}, label), h("dd", {}, "–")];
  return [h("dt", {}, label), h("dd", {}, `${count(before)} `, h("small", {}, change(now, before)))];
}

/** @param {number} now @param {number} before */
function change(now, before) {
  if (!before) return now ? "none before" : "";
  const percent = Math.round((100 * (now - before)) / before);
  return percent === 0 ? "± 0 %" : `${percent < 0 ? "−" : "+"}${count(Math.abs(percent))} %`;
}

/** @param {Api.BrandToday} brand */
function hours(brand) {
  const zone = brand.time_zone;
  const begun = brand.hours.filter((hour) => hour.today !== null).length - 1;
  const bars = brand.hours.map((hour, n) => ({
    value: hour.today,
    usual: hour.usual,
    isBegun: n === begun,
    title: hourTitle(hour, zone, n === begun ? ` so far, to ${minute(brand.to)}` : ""),
  }));
  const ends = [0, 1, 2, 3].map((quarter) => minute(brand.hours[Math.round((quarter * bars.length) / 4)].begin));
  /** @type {Column<Api.BrandHour>[]} */
  const columns = [
    { label: `Hour, ${zone}`, cell: (r) => minute(r.begin) },
    { label: "Today", number: true, cell: (r) => (r.today === null ? null : count(r.today)) },
    { label: "Yesterday", number: true, cell: (r) => (r.yesterday === null ? null : count(r.yesterday)) },
    { label: "Usual", number: true, cell: (r) => (r.usual === null ? null : count(r.usual)) },
  ];
  return h(
    "section",
    { class: "card" },
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, "Engagement by hour"),
      h("p", { class: "quiet key" }, h("span", { class: "key-today" }, "today"), usualKey(brand)),
    ),
    hourChart(bars, `Engagement in each hour of today, ${zone}`, [...ends, "24:00"]),
    h("details", {}, h("summary", {}, "As a table"), table(columns, brand.hours)),
  );
}

/** @param {Api.BrandToday} brand */
const usualKey = ({ usual_days: days }) =>
  days ? h("span", { class: "key-usual" }, days === 1 ? "the day before" : `mean of ${days} days`) : null;

/** @param {Api.BrandHour} hour @param {string} zone @param {string} soFar */
function hourTitle({ begin, today, yesterday, usual }, zone, soFar) {
  const now = today === null ? "" : `, today${soFar} ${count(today)}`;
  const past = yesterday === null ? "" : `, yesterday ${count(yesterday)}`;
  return `${minute(begin)} ${zone}${now}${past}${usual === null ? "" : `, usual ${count(usual)}`}`;
}

/**
 * @param {string} title
 * @param {string} none
 * @param {readonly unknown[]} rows
 * @param {Child[]} content
 */
function card(title, none, rows, ...content) {
  return h(
    "section",
    { class: "card", "aria-label": title },
    h("h2", {}, title),
    rows.length ? content : h("p", { class: "quiet" }, none),
  );
}

/** @param {Api.BrandToday} brand */
function pins(brand) {
  return card(
    "Pins with the most engagement",
    "No repins or comments yet today.",
    brand.pins,
    h("ol", { class: "pins" }, brand.pins.map(pinLine)),
  );
}

/** Pictures are on other people's servers, which a page must not ask: a mark stands for them. @param {Api.TopPin} pin */
function pinLine(pin) {
  return h(
    "li",
    {},
    h("span", { class: "picture", "aria-hidden": "true" }),
    h("span", { class: "pin-name" }, h("bdi", { class: "clip" }, pinLink(pin.pin_id, pin.title)), parts(pin)),
    h("b", {}, count(pin.engagement)),
  );
}

/** @param {Api.TopPin} pin */
const parts = (pin) => h("small", { class: "quiet" }, `${count(pin.repins)} repins, ${count(pin.comments)} comments`);

/** @param {Api.BrandToday} brand */
function trends({ trends: now }) {
  const id = "Rising now";
  const of = [...now.brands, ...now.pins];
  return card(
    id,
    "No pin of this brand rises now, compared with its own last 90 minutes.",
    now.learning_until ? [now] : of,
    learning(now),
    now.brands.length ? trendList("brands", now.brands, now.learning_until !== null) : null,
    now.pins.length ? trendList("pins", now.pins, now.learning_until !== null) : null,
  );
}

/** @param {Api.BrandToday} brand */
function categories(brand) {
  const most = brand.categories[0]?.engagement;
  return card(
    "Categories",
    "No repins or comments yet today.",
    brand.categories,
    h(
      "ul",
      { class: "bars wide" },
      brand.categories.map((c) => barLine(h("bdi", {}, category(c.category)), c.engagement, most, count(c.engagement))),
    ),
  );
}

/** @param {Api.BrandToday} brand */
function countries(brand) {
  return card("Countries", "No repins or comments yet today.", brand.countries, countryTable(brand.countries));
}

/* The choice ------------------------------------------------------------------------------------------------------ */

/** @type {Api.Choice[]} */
let brands = [];
let isKnown = false; // the list has come

/** The brand with the number that is searched for, and those whose name or number has all words of the search. */
function offer() {
  const words = $("#find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const number = words.length === 1 && /^\d+$/.test(words[0]) ? words[0] : null;
  const named = brands.filter(
    (b) => String(b.brand_id) !== number && words.every((word) => brandText(b).toLowerCase().includes(word)),
  );
  const numbered = number
    ? [brands.find((b) => String(b.brand_id) === number) ?? { brand_id: number, name: null }]
    : [];
  const found = [...numbered, ...named];
  const place = $("#found");
  place.hidden = chosen !== null && !words.length;
  fill(
    place,
    found.slice(0, OFFERED).map((b) => h("li", {}, brandLink(b.brand_id, brandName(b)))),
    found.length > OFFERED ? h("li", { class: "quiet" }, `and ${count(found.length - OFFERED)} more: search`) : null,
    isKnown && words.length && !found.length ? h("li", { class: "quiet" }, "No brand has such a name.") : null,
  );
}

async function choices() {
  try {
    /** @type {Api.Choices} */
    const found = await get("live/choices");
    const known = new Set(found.brands.map((b) => b.brand_id));
    const unnamed = (me.brands ?? []).filter((id) => !known.has(id));
    isKnown = true;
    brands = [...found.brands, ...unnamed.map((id) => ({ brand_id: id, name: null }))];
    offer();
    if (chosen === null) fill($("#problem"));
  } catch (error) {
    if (chosen === null) fill($("#problem"), notice(error)); // otherwise the day's poll says it, and takes it back
    setTimeout(choices, 15000);
  }
}

/* Begin ----------------------------------------------------------------------------------------------------------- */

/** @returns {Promise<Api.Me>} */
async function whoAmI() {
  try {
    return await get("me");
  } catch (error) {
    fill($("#problem"), notice(error));
    return new Promise((done) => setTimeout(() => done(whoAmI()), 5000));
  }
}

$("#filter").addEventListener("submit", (event) => {
  event.preventDefault();
  $("#found a")?.click();
});
$("#find").addEventListener("input", offer);
const me = await whoAmI();
fill($("#problem"));
const chosen = asked("brand") ?? me.brands?.[0]?.toString() ?? null;
if (chosen !== null)
  poll({ load: (signal) => get(`brands/${chosen}`, {}, signal), show, place: $("#problem"), seconds: 30 });
else fill($("#content"), me.brands ? empty("No brands", "You are bound to none; ask who runs Pinwheel.") : null);
choices();
