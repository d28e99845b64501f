// The live globe: filters, the map, the numbers.

import { Feed, TYPES } from "./live-feed.js";
import { flatMap } from "./live-flat.js";
import { globeMap, whatDraws } from "./live-globe.js";
import { Rings } from "./live-rings.js";
import {
  $,
  ApiError,
  badge,
  brandLink,
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
const ONE_TYPE = { repin: "repins", pin: "pins", comment: "comments", login: "logins" };
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
/** @type {EventType[]} */
let shown = ["repin"];
let listed = ""; // the pins on the page

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
      chip.style.setProperty("--dot", value in ONE_TYPE ? `var(--${value})` : "var(--quiet)");
      return chip;
    }),
  );
}

function look() {
  const form = new FormData($("#tools"));
  shown = /** @type {EventType[]} */ (form.getAll("types"));
  rings.clear();
  fill($("#problem"));
  linkBrand();
  feed.start({ types: shown.join(",") || ",", brand: form.get("brand"), category: form.get("category") });
  waiting("Waiting for events …");
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
    $("#brand").append(...brands.map((b) => h("option", { value: b.brand_id }, b.name || `brand ${b.brand_id}`)));
    $("#category").append(...categories.map((c) => h("option", { value: c }, c)));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    setTimeout(offer, 15000); // the globe works without the database; the filters appear when it is back
  }
}

/* The map --------------------------------------------------------------------------------------------------------- */

/** @param {ViewName} name */
async function show(name) {
  wantedView = name;
  view?.end();
  view = null;
  $("#stage").dataset.view = name;
  $("#map").hidden = name === "table";
  $("#table").hidden = name !== "table";
  if (name === "table") return numbers();
  try {
    const made = await (name === "globe" ? globeMap : flatMap)($("#map"), rings, drawnBy === "software");
    if (wantedView === name) view = made;
    else made.end();
  } catch (error) {
    console.error(error);
    if (name === "globe") choose("map");
    else fill($("#map"), empty("The map can't be drawn", "Switch to the table: it has the same numbers."));
  }
}

/** @param {ViewName} name */
function choose(name) {
  $(`#views input[value="${name}"]`).checked = true;
  show(name);
}

/** @param {number} now */
function frame(now) {
  rings.advance(now);
  view?.frame(now);
  requestAnimationFrame(frame);
}

/* Updates --------------------------------------------------------------------------------------------------------- */

/** @param {Api.LiveUpdate} data @param {boolean} isPast */
function update(data, isPast) {
  rings.add(data, Date.now(), isPast);
  if (TYPES.some((type) => data.counts[type])) waiting(null);
}

/** @param {string | null} text */
function state(text) {
  fill($("#problem"), text ? notice(new ApiError(0, "away", text)) : []);
}

/** @param {string | null} text */
function waiting(text) {
  $("#waiting").hidden = text === null;
  if (text) $("#waiting").textContent = text;
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
  const rate = feed.rate(shown);
  $("#rate").textContent = rate === null ? "–" : rate < 10 ? rate.toFixed(1) : count(rate);
  fill($("#rate-line"), sparkline(feed.rates(shown), "Events per second, last minute", { width: 220, height: 36 }));
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
  const places = feed.places();
  fill($("#places"), places.slice(0, 8).map(placeLine));
  pins();
  if (wantedView === "table") fill($("#table"), places.length ? placeTable(places) : emptyTable());
  if ((feed.age() ?? 0) > STALE) waiting("No events for a minute. The health page shows whether the stream runs.");
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

/** @param {Place} place */
const townOf = (place) => place.city ?? "Unknown town";

/** @param {Place} place */
function placeLine(place) {
  return h(
    "li",
    {},
    h("span", { class: "clip" }, townOf(place), " ", h("small", {}, country(place.country))),
    h("b", {}, compact(place.events)),
  );
}

/** @param {Place[]} places */
function placeTable(places) {
  /** @type {Column<Place>[]} */
  const columns = [
    { label: "Town", cell: townOf },
    { label: "Country", cell: (p) => country(p.country) },
    ...shown.map((type) => ({
      label: LABELS[type],
      number: true,
      cell: (/** @type {Place} */ p) => count(p.types[type] ?? 0),
    })),
  ];
  return table(columns, places.slice(0, 100), "Events of the last minute by place");
}

function emptyTable() {
  const what = shown.length ? shown.map((type) => ONE_TYPE[type]).join(", ") : "anything";
  return empty(`No ${what} in the last minute`, "Show another type, or choose another brand or category.");
}

/* Begin ----------------------------------------------------------------------------------------------------------- */

chips($("#types"), "checkbox", "types", LABELS, (type) => type === "repin");
const first = drawnBy ? "globe" : "map";
chips($("#views"), "radio", "view", VIEWS, (name) => name === first);
if (first === "map") $('#views input[value="globe"]').disabled = true;
$("#tools").addEventListener("submit", (event) => event.preventDefault());
$("#tools").addEventListener("change", (event) => {
  const { name, value } = /** @type {HTMLInputElement} */ (event.target);
  if (name === "view") show(/** @type {ViewName} */ (value));
  else look();
});
offer();
look();
show(first);
requestAnimationFrame(frame);
setInterval(numbers, 1000);
window.pinwheelLive = { rings, feed }; // read by the bench
