// A pin: what it is, its hours, who saved it and from where, and whether it rises.

import { hourChart } from "./day-chart.js";
import {
  $,
  asked,
  badge,
  brandLink,
  brandName,
  category,
  count,
  countryTable,
  empty,
  fact,
  fill,
  get,
  h,
  outsideLink,
  poll,
  safeUrl,
  when,
} from "./pinwheel.js";
import { trendList } from "./trend-list.js";

const HOUR = 3600000;
const LABEL = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric" });
const DAY = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short" });

/** @param {Api.Pin} pin */
function show(pin) {
  const title = pin.title?.trim() || `Pin ${pin.pin_id}`;
  document.title = `${title} · Pinwheel`;
  fill($("#name"), h("bdi", {}, title));
  fill($("#said"), whose(pin));
  fill($("#state"), freshness(pin));
  fill(
    $("#content"),
    h("div", { class: "cards tiles" }, tiles(pin)),
    hours(pin),
    h("div", { class: "trends" }, facts(pin), h("div", {}, trend(pin), countries(pin))),
  );
}

/** @param {Api.Pin} pin */
function whose({ pin_id: id, brand_id: brand, brand_name: name, category: of }) {
  const link = brand === null ? "no known brand" : brandLink(brand, brandName({ brand_id: brand, name }));
  return [`Pin ${id} of `, link, ` · ${category(of)}`];
}

/** @param {Api.Pin} pin */
function freshness({ complete_through: through }) {
  return through
    ? badge("idle", ["Complete through ", when(through, { seconds: false })])
    : badge("idle", "How complete: not known yet");
}

/** @param {Api.Pin} pin */
function tiles({ repins, comments, first_hour: first, saves }) {
  const counted = () => (first ? ["since ", when(first, { seconds: false })] : "none yet");
  const lookedUp = () =>
    saves.boards === null ? "too many to look up, or not kept" : ["since ", when(saves.since, { seconds: false })];
  return [
    tile("Repins", count(repins), counted()),
    tile("Comments", count(comments), counted()),
    tile("Boards it was saved to", count(saves.boards), lookedUp()),
    tile("People who saved it", count(saves.people), lookedUp()),
  ];
}

/** @param {string} label @param {string} value @param {Child} note */
function tile(label, value, note) {
  return h(
    "section",
    { class: "card", "aria-label": label },
    h("p", { class: "quiet" }, label),
    h("p", { class: "figure" }, value),
    h("small", { class: "quiet" }, note),
  );
}

/** @param {Api.Pin} pin */
function hours({ hours: counted, shown_from: from, shown_to: to }) {
  const known = new Map(counted.map((hour) => [Date.parse(hour.hour), hour]));
  const bars = [];
  for (let at = Date.parse(from); at < Date.parse(to); at += HOUR) bars.push(bar(new Date(at), known.get(at)));
  const ends = bars.filter((_, n) => n % 24 === 0).map(({ at }) => LABEL.format(at));
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "Repins and comments by hour, the last seven days"),
    hourChart(bars, "Repins and comments in each hour, UTC", ends, { areDays: true }),
    h("p", { class: "quiet" }, "Hours and days are UTC. Today is not over yet."),
  );
}

/** @param {Date} at @param {Api.PinHour | undefined} hour */
function bar(at, hour) {
  const [repins, comments] = [hour?.repins ?? 0, hour?.comments ?? 0];
  const title = `${DAY.format(at)} ${at.toISOString().slice(11, 16)} UTC: ${count(repins)} repins, ${count(comments)} comments`;
  return { at, value: repins + comments, usual: null, title };
}

/** @param {Api.Pin} pin */
function facts(pin) {
  return h(
    "section",
    { class: "card about", "aria-label": "What it is" },
    h("h2", {}, "What it is"),
    h("div", { class: "picture large", role: "img", "aria-label": "Pictures are not shown" }),
    pin.description
      ? h("p", { class: "lines" }, h("bdi", {}, pin.description))
      : h("p", { class: "quiet" }, "No description."),
    h(
      "dl",
      { class: "about-list" },
      fact("Link", outside(pin.link)),
      fact("Picture", outside(pin.image_url)),
      fact("Made", when(pin.created_at, { seconds: false })),
    ),
  );
}

/** A link of the pin's maker: https only, others stay text. @param {string | null} url */
function outside(url) {
  if (!url) return null;
  if (!/^https:\/\//i.test(url) || safeUrl(url) === "#") return h("bdi", {}, url);
  return outsideLink(url);
}

/** @param {Api.Pin} pin */
function trend({ trend: now, learning_until: until }) {
  return h(
    "section",
    { class: "card", "aria-label": "Rising now" },
    h("h2", {}, "Rising now"),
    now
      ? trendList("pins", [now], until !== null)
      : h("p", { class: "quiet" }, "Its repins do not rise now, compared with its own last 90 minutes."),
  );
}

/** @param {Api.Pin} pin */
function countries({ saves }) {
  const since = when(saves.since, { seconds: false });
  const part = saves.is_all
    ? null
    : " Earlier hours are left out: they have too many events to look up, or are not kept.";
  return h(
    "section",
    { class: "card", "aria-label": "Countries" },
    h("h2", {}, "Countries"),
    saves.countries.length
      ? countryTable(saves.countries)
      : h(
          "p",
          { class: "quiet" },
          saves.boards === null ? "Not looked up." : "No repins or comments in the last seven days.",
        ),
    h("p", { class: "quiet" }, saves.boards === null ? null : ["Since ", since, "."], part),
  );
}

const pinId = asked("pin");
if (pinId === null) fill($("#content"), empty("No pin", "Open a pin from Trends, or from its brand's page."));
else poll({ load: (signal) => get(`pins/${pinId}`, {}, signal), show, place: $("#problem"), seconds: 30 });
