// The live globe: filters, the map, the numbers.

import { Feed, TYPES } from "./live-feed.js";
import { chosen, events, fromAddress, inWords, toAddress } from "./live-filters.js";
import { flatMap } from "./live-flat.js";
import { globeMap, whatDraws } from "./live-globe.js";
import { minutes } from "./live-minutes.js";
import { isInUse, middle, Places, townOf } from "./live-places.js";
import { Rings } from "./live-rings.js";
import {
  $,
  ApiError,
  badge,
  brandLink,
  brandName,
  compact,
  count,
  country,
  empty,
  fill,
  get,
  h,
  notice,
  pinLink,
  sparkline,
  table,
} from "./pinwheel.js";

/** @type {Record<string, string>} */
const LABELS = { repin: "Repins", pin: "Pins", comment: "Comments", login: "Logins" };
/** @type {Record<ViewName, string>} */
const VIEWS = { globe: "Globe", map: "Map", table: "Table" };
/** @type {Record<ViewName, [string, string]>} */
const PICTURES = {
  globe: [
    "application",
    "Globe of the last events. Arrow keys turn it, plus and minus zoom. The table has its numbers.",
  ],
  map: ["img", "Map of the last events. The table has its numbers."],
  table: ["none", ""],
};
const LATEST = 8; // lines of what happens
const FRESH = 10; // seconds: green below
const STALE = 60; // red above
const PINS = 6;

const rings = new Rings();
const feed = new Feed({ update, state });
const drawnBy = whatDraws();
/** @type {View | null} */
let view = null;
/** @type {ViewName | null} */
let wantedView = null;
let listed = ""; // the pins on the page
const filters = fromAddress();
const usualView = drawnBy ? "globe" : "map";
const places = new Places((place) => view?.face(place.at));
const count30 = minutes($("#minutes"), () => filters);
let isConnected = false;
let isOffered = false; // the brands and categories to choose from are known
/** Views are made one after the other, in the same place. */
let turn = Promise.resolve();
let isAimed = false; // the globe has been turned to where people are

/* Filters --------------------------------------------------------------------------------------------------------- */

/**
 * @param {Element} box
 * @param {"checkbox" | "radio"} kind
 * @param {string} name
 * @param {Record<string, string>} labels
 * @param {(value: string) => boolean} isOn
 */
function chips(box, kind, name, labels, isOn) {
  box.append(
    ...Object.entries(labels).map(([value, label]) => {
      const input = h("input", { type: kind, name, value, checked: isOn(value) });
      const chip = h("label", { class: "chip" }, input, h("span", {}, label));
      chip.style.setProperty("--dot", value in LABELS ? `var(--${value})` : "var(--quiet)");
      return chip;
    }),
  );
}

/** Show what `filters` say, from the last minute on. */
function look() {
  const { types, brand, category } = filters;
  isConnected = false;
  rings.clear();
  fill($("#problem"));
  feed.start({ types: types.join(",") || ",", brand, category });
  waiting("Connecting to the lake …");
  count30();
  linkBrand();
}

function changed() {
  const { types, view: name, ...others } = chosen($("#tools"));
  Object.assign(filters, { types, view: name }, isOffered ? others : {});
  toAddress(filters, usualView);
  $("#filter-note").hidden = true;
  look();
}

function linkBrand() {
  const [option] = $("#brand").selectedOptions;
  const isOne = Boolean(option?.value);
  $("#brand-today").hidden = !isOne;
  fill($("#brand-today"), isOne ? brandLink(option.value, `${option.text} today`) : null);
}

async function offer() {
  try {
    /** @type {Api.Choices} */
    const { brands, categories } = await get("live/choices");
    $("#brand").append(...brands.map((b) => h("option", { value: b.brand_id }, brandName(b))));
    const known = categories.includes(filters.category) || !filters.category ? [] : [filters.category];
    $("#category").append(...[...known, ...categories].map((c) => h("option", { value: c }, c)));
    isOffered = true;
    choose();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    setTimeout(offer, 15000); // the globe works without the database; the filters appear when it is back
  }
}

/** Put what the address says into the filters; of a brand that is not offered, nothing can be shown. */
function choose() {
  $("#category").value = filters.category;
  $("#brand").value = filters.brand;
  linkBrand();
  if ($("#brand").value === filters.brand) return;
  const note = `There is no brand ${filters.brand} that you may see. All are shown.`;
  $("#brand").value = "";
  changed();
  $("#filter-note").textContent = note;
  $("#filter-note").hidden = false;
}

/* The map --------------------------------------------------------------------------------------------------------- */

/** @param {ViewName} name */
function show(name) {
  wantedView = name;
  $("#stage").dataset.view = name;
  $("#map").hidden = name === "table";
  $("#table").hidden = name !== "table";
  $("#map").setAttribute("role", PICTURES[name][0]);
  $("#map").setAttribute("aria-label", PICTURES[name][1]);
  $("#map").tabIndex = name === "globe" ? 0 : -1;
  turn = turn.then(() => draw(name));
}

/** @param {ViewName} name */
async function draw(name) {
  if (wantedView !== name) return;
  view?.end();
  view = null;
  if (name === "table") return numbers();
  try {
    const made = await (name === "globe" ? globeMap : flatMap)($("#map"), rings, drawnBy === "software");
    if (wantedView !== name) return made.end();
    view = made;
    isAimed = false;
    aim();
  } catch (error) {
    console.error(error);
    if (wantedView !== name) return;
    if (name === "globe") switchTo("map");
    else fill($("#map"), empty("The map can't be drawn", "Switch to the table: it has the same numbers."));
  }
}

/** @param {ViewName} name */
function switchTo(name) {
  $(`#views input[value="${name}"]`).checked = true;
  show(name);
}

/** Turn the globe, once, to where the first events are. */
function aim() {
  const at = !isAimed && view ? middle(feed.places()) : null;
  if (!at) return;
  view?.face(at);
  isAimed = true;
}

/** @param {number} now */
function frame(now) {
  rings.advance(now);
  view?.frame(now);
  places.frame(view);
  requestAnimationFrame(frame);
}

/* Updates --------------------------------------------------------------------------------------------------------- */

/** @param {Api.LiveUpdate} data @param {boolean} isPast */
function update(data, isPast) {
  rings.add(data, Date.now(), isPast);
  isConnected = true;
}

/** @param {string | null} text */
function state(text) {
  isConnected ||= text === null;
  fill($("#problem"), text ? notice(new ApiError(0, "away", text)) : []);
}

/** @param {string | null} text */
function waiting(text) {
  $("#waiting").hidden = text === null;
  if (text && $("#waiting").textContent !== text) $("#waiting").textContent = text; // or it is read out again
}

/* The numbers ----------------------------------------------------------------------------------------------------- */

function freshness() {
  const age = feed.age();
  if (age === null) return badge("idle", "No events yet");
  const kind = age < FRESH ? "good" : age < STALE ? "warn" : "bad";
  const old =
    age < 120 ? `${Math.round(age)} s` : age < 7200 ? `${Math.round(age / 60)} min` : `${Math.round(age / 3600)} h`;
  return badge(kind, `Newest event ${old} ago`);
}

function numbers() {
  fill($("#fresh"), freshness());
  const rate = feed.rate(filters.types);
  $("#rate").textContent = rate === null ? "–" : rate < 10 ? rate.toFixed(1) : count(rate);
  fill(
    $("#rate-line"),
    sparkline(feed.rates(filters.types), "Events per second, last minute", { width: 220, height: 36 }),
  );
  const sampled = $("#sampled");
  sampled.hidden = feed.oneIn === 1 && !feed.dropped;
  sampled.textContent = [
    feed.oneIn > 1 ? `Showing 1 in ${feed.oneIn} events` : "",
    feed.dropped ? `${count(feed.dropped)} updates skipped: this browser is slow` : "",
  ]
    .filter(Boolean)
    .join(" · ");
  const totals = feed.totals();
  fill(
    $("#totals"),
    TYPES.map((type) => [h("dt", { class: type }, LABELS[type]), h("dd", {}, compact(totals[type]))]),
  );
  const found = feed.places();
  places.show(found);
  aim();
  pins();
  if (!isInUse($("#latest"))) fill($("#latest"), feed.latest(LATEST).map(happening));
  const nothing = whyNothing(totals, found);
  waiting(wantedView === "table" ? null : nothing);
  if (wantedView === "table") fill($("#table"), found.length ? placeTable(found) : emptyTable(nothing));
}

/** Links are left alone while they are the same ones: a new one would lose the focus and the click. */
function pins() {
  const newest = feed.pins().slice(0, PINS);
  const key = newest.map((pin) => pin.pin_id).join();
  if (key === listed) return;
  listed = key;
  fill(
    $("#pins"),
    newest.map((pin) => h("li", {}, h("bdi", { class: "clip" }, pinLink(pin.pin_id, pin.title)))),
  );
}

/** @param {Happening} one */
function happening(one) {
  const at = new Date(one.at).toISOString().slice(11, 19);
  return h(
    "li",
    { class: one.type },
    h("span", {}, h("b", {}, events(one.type, one.events, count)), ` ${townOf(one)}, ${country(one.country)}`),
    h("small", {}, `${at} UTC`),
  );
}

/** Why nothing is on the map; null if something is. @param {Record<string, number>} totals @param {Place[]} found */
function whyNothing(totals, found) {
  if (!isConnected) return "Connecting to the lake …";
  if (!filters.types.length) return "Choose what to show: repins, pins, comments or logins.";
  if ((feed.age() ?? 0) > STALE) return "No events for a minute. The health page shows whether the stream runs.";
  const brand = filters.brand && ($("#brand").selectedOptions[0]?.text ?? brandName({ brand_id: filters.brand }));
  const what = inWords(filters, brand);
  if (!filters.types.some((type) => totals[type])) return `No ${what} in the last minute.`;
  return found.length ? null : `No place is known of the ${what} of the last minute.`;
}

/** @param {Place[]} places */
function placeTable(places) {
  /** @type {Column<Place>[]} */
  const columns = [
    { label: "Town", cell: townOf },
    { label: "Country", cell: (p) => country(p.country) },
    ...filters.types.map((type) => ({
      label: LABELS[type],
      number: true,
      cell: (/** @type {Place} */ p) => count(p.types[type] ?? 0),
    })),
  ];
  return table(columns, places.slice(0, 100), "Events of the last minute by place");
}

/** @param {string | null} why */
const emptyTable = (why) => empty(why ?? "Nothing yet", "Show another type, or choose another brand or category.");

/* Begin ----------------------------------------------------------------------------------------------------------- */

chips($("#types"), "checkbox", "types", LABELS, (type) => filters.types.includes(/** @type {EventType} */ (type)));
const first = filters.view && (drawnBy || filters.view !== "globe") ? filters.view : usualView;
chips($("#views"), "radio", "view", VIEWS, (name) => name === first);
if (!drawnBy) $('#views input[value="globe"]').disabled = true;
$("#tools").addEventListener("submit", (event) => event.preventDefault());
$("#tools").addEventListener("change", (event) => {
  const { name, value } = /** @type {HTMLInputElement} */ (event.target);
  if (name !== "view") return changed();
  filters.view = /** @type {ViewName} */ (value);
  toAddress(filters, usualView);
  show(filters.view);
});
offer();
look();
show(first);
requestAnimationFrame(frame);
setInterval(numbers, 1000);
window.pinwheelLive = { rings, feed, view: () => view }; // read by the bench and the tests
