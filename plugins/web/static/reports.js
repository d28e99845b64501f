// Brand reports: the list, and one report in a sandboxed frame without scripts.

import {
  $,
  address,
  airflowLink,
  badge,
  brandLink,
  count,
  empty,
  fill,
  get,
  h,
  notice,
  poll,
  runbookLink,
  table,
  when,
} from "./pinwheel.js";

/**
 * The key of a report.
 * @typedef {{brand_id: number | string, first_day: string, days: number | string}} Named
 */

/** @type {Record<string, [Kind, string]>} */
const VERDICTS = {
  passed: ["good", "passed"],
  warning: ["warn", "warnings"],
  failed: ["bad", "failed"],
  unchecked: ["idle", "not checked"],
};
const STEP = 100; // further reports per "Show more"
const DAY = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
});
const filter = $("#filter");
let top = STEP;

/* The list -------------------------------------------------------------------------------------------------------- */

/**
 * "Sat, 14 Mar 2026, UTC"; for several days the first and the last.
 * @param {{first_day: string, days: number, time_zone: string}} report
 */
function period({ first_day, days, time_zone }) {
  const first = new Date(`${first_day}T00:00:00Z`);
  const last = new Date(first.getTime() + (days - 1) * 86400000);
  return `${days === 1 ? "" : `${DAY.format(first)} – `}${DAY.format(last)}, ${time_zone}`;
}

/** @param {Api.ListedReport} report */
function change({ engagement, engagement_before }) {
  if (engagement === engagement_before) return "no change";
  if (!engagement_before) return "new";
  const percent = Math.round((100 * (engagement - engagement_before)) / engagement_before);
  return `${percent < 0 ? "−" : "+"}${count(Math.abs(percent))} %`;
}

/** @param {Api.ListedReport} r */
const complete = (r) => (r.is_complete ? badge("good", "complete") : badge("warn", "not complete"));
/** @param {Api.ListedReport} r */
const quality = (r) => badge(...(VERDICTS[r.verdict] ?? ["idle", r.verdict]));
/** @param {Named} r */
const path = (r) => `reports/${r.brand_id}/${r.first_day}/${r.days}`;

/** @param {Api.ListedReport[]} reports */
function rows(reports) {
  return table(
    [
      { label: "Brand", cell: (r) => h("b", {}, brandLink(r.brand_id, r.brand_name)) },
      { label: "Period", cell: period },
      {
        label: "Engagement",
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
      { label: "Made", cell: (r) => when(r.made_at, { seconds: false }) },
      {
        label: "Report",
        cell: (r) =>
          h(
            "button",
            {
              type: "button",
              "aria-label": `Open the report of ${r.brand_name}, ${period(r)}`,
              on: { click: () => open(r) },
            },
            "Open",
          ),
      },
    ],
    reports,
    "Brand reports",
  );
}

function nothing() {
  const isFiltered = $("#brand").value || $("#day").value || $("#days").value !== "0";
  const form = airflowLink("dags/report_brands", "report_brands");
  if (!isFiltered)
    return empty("No reports yet", [
      "Reports are made each night. To make some now, trigger ",
      form,
      " with the first day of any past period.",
    ]);
  return empty("No such report", [
    "Choose another brand, day or period. To make this report, trigger ",
    form,
    " with its first day.",
  ]);
}

/** @param {Api.Reports} found */
function showList({ day, reports, has_more }) {
  const title = day ? `Reports that include ${DAY.format(new Date(`${day}T00:00:00Z`))}` : "Reports of all days";
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
      h("h2", {}, title),
      h("span", { class: "quiet" }, `${has_more ? "the first " : ""}${count(reports.length)}`),
    ),
    rows(reports),
    has_more ? h("p", {}, h("button", { type: "button", on: { click: more } }, "Show more")) : null,
  );
}

function wanted() {
  const form = new FormData(filter);
  return { brand: form.get("brand"), day: form.get("day"), days: form.get("days"), top };
}

const list = poll({
  load: (signal) => get("reports", wanted(), signal),
  show: showList,
  place: $("#problem"),
  seconds: 60,
});

/* One report ------------------------------------------------------------------------------------------------------ */

/** Open a report. Its key goes into the address, so that a reload or a bookmark opens it again. @param {Named} report */
async function open(report) {
  const reader = $("#reader");
  show(true);
  history.replaceState(null, "", `#${report.brand_id}/${report.first_day}/${report.days}`);
  fill(reader, h("p", { class: "quiet" }, "Opening …"));
  try {
    /** @type {Api.Revisions} */
    const { revisions } = await get(path(report));
    fill(reader, heading(revisions), h("div", { id: "revision" }));
    showRevision(revisions[0], revisions);
    $("h1", reader).focus();
  } catch (error) {
    fill(reader, notice(error), back());
  }
}

/** @param {boolean} isReading */
function show(isReading) {
  $("#reader").hidden = !isReading;
  for (const place of [$(".head"), $("#list"), filter]) place.hidden = isReading;
}

function close() {
  show(false);
  history.replaceState(null, "", location.pathname + location.search);
  fill($("#reader"));
  $("#list button")?.focus();
}

const back = () => h("button", { type: "button", on: { click: close } }, "Back to the list");

/** @param {Api.Revision[]} revisions */
function heading(revisions) {
  const [newest] = revisions;
  const days = (/** @type {Api.Revision} */ r) => (r.time_zone === newest.time_zone ? "" : `, days of ${r.time_zone}`);
  const choose = (/** @type {{target: HTMLSelectElement}} */ { target }) =>
    showRevision(revisions.find((r) => String(r.revision) === target.value) ?? newest, revisions);
  const options = revisions.map((r) =>
    h("option", { value: r.revision }, `${r.revision}, made ${r.made_at.slice(0, 16).replace("T", " ")} UTC${days(r)}`),
  );
  return h(
    "div",
    { class: "card-head" },
    h("h1", { tabindex: "-1" }, `${newest.brand_name}, ${period(newest)}`),
    h(
      "div",
      { class: "head-side" },
      h("label", { class: "quiet" }, "Revision ", h("select", { on: { change: choose } }, options)),
      back(),
    ),
  );
}

/** @param {Api.Revision} r @param {Api.Revision[]} revisions newest first */
function showRevision(r, revisions) {
  const of = `${path(r)}/${r.revision}`;
  const file = (/** @type {string} */ name, /** @type {string} */ text) =>
    h("a", { href: address(`${of}/${name}`, { download: true }), download: "" }, text);
  fill(
    $("#revision"),
    h(
      "p",
      { class: "head-side" },
      complete(r),
      quality(r),
      r.mail === "sent" ? badge("idle", "mailed") : null,
      r.mail === "due" ? badge("idle", "to be mailed") : null,
      runbookLink("docs/runbooks/report_brands.md", "Runbook"),
    ),
    h(
      "p",
      { class: "head-side" },
      "Download:",
      file("report.html", "page, to print"),
      r.tables.map((name) => file(name, name)),
    ),
    r.revision > 1 ? changes(r, revisions) : null,
    h("iframe", { class: "report", src: address(`${of}/report.html`), sandbox: "", title: "The report" }),
  );
}

/** @param {Api.Revision} r @param {Api.Revision[]} revisions newest first */
function changes(r, revisions) {
  const before = revisions.find((b) => b.revision < r.revision && b.time_zone === r.time_zone);
  if (!before) return h("p", { class: "quiet" }, `The first revision with days of ${r.time_zone}.`);
  const shown = (/** @type {number | null} */ value) => (value === null ? "not listed" : count(value));
  const by = (/** @type {Api.Change} */ c) =>
    c.before === null || c.after === null
      ? ""
      : `${c.after > c.before ? "+" : "−"}${count(Math.abs(c.after - c.before))}`;
  /** @type {Column<Api.Change>[]} */
  const columns = [
    { label: "Number", cell: (c) => c.name },
    { label: "Before", number: true, cell: (c) => shown(c.before) },
    { label: "Now", number: true, cell: (c) => shown(c.after) },
    { label: "Change", number: true, cell: by },
  ];
  const isNext = before.revision === r.revision - 1;
  const title = r.change_count
    ? `${count(r.change_count)} numbers changed since revision ${before.revision}`
    : `No number changed since revision ${before.revision}${isNext ? ", only its completeness or data quality" : ""}`;
  return h("details", {}, h("summary", {}, title), r.changes.length ? table(columns, r.changes, title) : null);
}

/* Filters --------------------------------------------------------------------------------------------------------- */

async function offerBrands() {
  try {
    /** @type {Api.Choices} */
    const { brands } = await get("live/choices");
    $("#brand").append(...brands.map((b) => h("option", { value: b.brand_id }, b.name || `brand ${b.brand_id}`)));
  } catch {
    setTimeout(offerBrands, 15000); // the list shows the error
  }
}

function again() {
  top = STEP;
  list.now();
}
filter.addEventListener("change", again);
filter.addEventListener("reset", () => setTimeout(again));
filter.addEventListener("submit", (event) => event.preventDefault());
offerBrands();
const asked = /^#(\d+)\/(\d{4}-\d\d-\d\d)\/(\d+)$/.exec(location.hash);
if (asked) open({ brand_id: asked[1], first_day: asked[2], days: asked[3] });
