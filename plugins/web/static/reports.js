// Brand reports: the list. What is chosen and what is open are in the address, and Back leads back.

import { change as changeAddress, onBack, parameters, step, stepLink } from "./address.js";
import {
  $,
  airflowLink,
  badge,
  brandLink,
  brandText,
  count,
  empty,
  fill,
  get,
  h,
  poll,
  table,
  when,
} from "./pinwheel.js";
import { offerForm } from "./reports-make.js";
import { complete, dayName, keyOf, named, period, quality, read, unread } from "./reports-one.js";

const STEP = 100; // further reports per "Show more"
const TYPING = 300; // ms without a key, after which a brand is looked for
const TITLE = document.title;
const filter = $("#filter");
let top = STEP;
/** @type {Api.Choice[]} */
let brands = [];
let mayMake = false;
/** The report that was opened last: its link has the focus again after it. @type {string | null} */
let opened = null;

/* The list -------------------------------------------------------------------------------------------------------- */

/** @param {Api.ListedReport} report */
function change({ engagement, engagement_before }) {
  if (engagement === engagement_before) return "no change";
  if (!engagement_before) return "new";
  const percent = Math.round((100 * (engagement - engagement_before)) / engagement_before);
  return `${percent < 0 ? "−" : "+"}${count(Math.abs(percent))} %`;
}

/** @param {Api.ListedReport[]} reports */
function rows(reports) {
  const by = (/** @type {string} */ sort) => {
    $("#sort").value = sort;
    again();
  };
  return table(
    [
      { label: "Brand", sort: "brand", cell: (r) => h("b", {}, brandLink(r.brand_id, r.brand_name)) },
      { label: "Period", sort: "-period", cell: period },
      {
        label: "Engagement",
        sort: "-engagement",
        number: true,
        cell: (r) => h("span", {}, count(r.engagement), " ", h("span", { class: "quiet" }, change(r))),
      },
      { label: "People", number: true, cell: (r) => count(r.unique_people) },
      { label: "Complete", cell: complete },
      { label: "Data quality", cell: quality },
      {
        label: "Revision",
        number: true,
        cell: (r) => (r.revision > 1 ? `${r.revision}, ${count(r.change_count)} changes` : "1"),
      },
      { label: "Made", sort: "-made", cell: (r) => when(r.made_at, { seconds: false }) },
      { label: "Report", cell: link },
    ],
    reports,
    "Brand reports",
    { sort: $("#sort").value, by },
  );
}

/** @param {Api.ListedReport} r */
function link(r) {
  const about = { "aria-label": `Open the report of ${r.brand_name}, ${period(r)}`, "data-report": keyOf(r) };
  return stepLink({ report: keyOf(r), revision: null }, follow, about, "Open");
}

function nothing() {
  const said = chosen();
  const make = mayMake
    ? "To make one of any days that are over, use “Make a report” above."
    : ["To make one of any days that are over, trigger ", airflowLink("dags/report_brands", "report_brands"), "."];
  if (!said.find && !said.day && said.days === "0")
    return empty("No reports yet", ["Reports are made each night. ", make]);
  return empty("No such report", ["Choose another brand, day or period. ", make]);
}

/** @param {Api.Reports} found */
function showList({ day, newest_days, reports, has_more }) {
  const days = day ? [day] : newest_days;
  const title = days.length ? `Reports that include ${days.map(dayName).join(" or ")}` : "Reports of all days";
  const late = reports.filter((r) => !r.is_complete).length;
  fill(
    $("#state"),
    late ? badge("warn", `${late} not complete`) : reports.length ? badge("good", "All complete") : null,
  );
  if (!reports.length) return fill($("#list"), nothing());
  const more = () => {
    top += STEP;
    list.now();
  };
  fill(
    $("#list"),
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, title, newest_days.length > 1 ? ", the newest day of their time zone" : null),
      h("span", { class: "quiet" }, `${has_more ? "the first " : ""}${count(reports.length)}`),
    ),
    rows(reports),
    has_more ? h("p", {}, h("button", { type: "button", on: { click: more } }, "Show more")) : null,
  );
}

/* What is chosen, and the address --------------------------------------------------------------------------------- */

/** What the form says. */
function chosen() {
  const said = new FormData(filter);
  const text = (/** @type {string} */ name) => String(said.get(name) ?? "");
  return { find: text("find").trim(), day: text("day"), days: text("days"), sort: text("sort") };
}

/** Let the form say what the address says, as far as it is possible; and what is to be read. */
function fromAddress() {
  const said = parameters();
  const text = (/** @type {string} */ name) => said.get(name) ?? "";
  $("#find").value = text("find").slice(0, 100);
  $("#day").value = text("day");
  for (const one of [$("#days"), $("#sort")]) {
    one.value = text(one.name);
    if (one.selectedIndex < 0) one.selectedIndex = 0;
  }
  return { report: named(text("report")), revision: said.get("revision") };
}

/** Put what is chosen into the address, without what is usual. */
function toAddress() {
  const { find, day, days, sort } = chosen();
  const usual = (/** @type {string} */ value, /** @type {string} */ one) => (value === one ? null : value);
  changeAddress({ find: find || null, day: day || null, days: usual(days, "0"), sort: usual(sort, "-period") });
}

function again() {
  top = STEP;
  toAddress();
  list.now();
}

/** Show what the address says: the list, or a report. */
function follow() {
  const { report, revision } = fromAddress();
  const isReading = report !== null;
  $("#reader").hidden = !isReading;
  for (const place of [$(".head"), $("#list"), $("#problem"), filter]) place.hidden = isReading;
  $("#make").hidden = isReading || !mayMake;
  if (report) {
    opened = keyOf(report);
    return read(report, revision, { list: follow, revision: chooseRevision });
  }
  document.title = TITLE;
  unread();
  list.now();
  if (opened) $(`#list [data-report="${opened}"]`)?.focus();
  opened = null;
}

/** @param {string | null} revision */
function chooseRevision(revision) {
  step({ revision });
  follow();
}

/** Addresses once ended with the report's key. */
function fromOldAddress() {
  const old = named(location.hash.slice(1));
  if (old) changeAddress({ report: keyOf(old) });
}

async function offerBrands() {
  try {
    /** @type {Api.Choices} */
    const choices = await get("live/choices");
    brands = choices.brands;
    fill(
      $("#brands"),
      brands.map((b) => h("option", { value: brandText(b) })),
    );
  } catch {
    setTimeout(offerBrands, 15000); // the list shows the error
  }
}

async function offerToMake() {
  try {
    /** @type {Api.Me} */
    const me = await get("me");
    if (!me.may_trigger.includes("report_brands")) return;
    offerForm(
      () => brands,
      (report) => {
        step({ report: keyOf(report), revision: null });
        follow();
      },
    );
    mayMake = true;
    $("#make").hidden = !$("#reader").hidden;
  } catch {
    setTimeout(offerToMake, 15000);
  }
}

fromOldAddress();
const isOpened = fromAddress().report !== null;
const list = poll({
  load: (signal) => get("reports", { ...chosen(), top }, signal),
  show: showList,
  place: $("#problem"),
  seconds: 60,
});

/** @type {number | undefined} */
let typing;
$("#find").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(again, TYPING);
});
filter.addEventListener("change", again);
filter.addEventListener("reset", () => setTimeout(again));
filter.addEventListener("submit", (event) => event.preventDefault());
onBack(follow);
offerBrands();
offerToMake();
if (isOpened) follow();
