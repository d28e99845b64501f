// One report of a brand, in a sandboxed frame without scripts.

import { stepLink } from "./address.js";
import { $, address, badge, count, fill, get, h, notice, runbookLink, tabLink, table } from "./pinwheel.js";

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
const DAY = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
});

/** "Sat, 14 Mar 2026". @param {string} iso */
export const dayName = (iso) => DAY.format(new Date(`${iso}T00:00:00Z`));

/** The day so many days after another. @param {string} iso @param {number} days */
export const plus = (iso, days) =>
  new Date(Date.parse(`${iso}T00:00:00Z`) + days * 86400000).toISOString().slice(0, 10);

/** "Sat, 14 Mar 2026"; for several days the first and the last. @param {{first_day: string, days: number}} report */
export function daysOf({ first_day, days }) {
  return days === 1 ? dayName(first_day) : `${dayName(first_day)} – ${dayName(plus(first_day, days - 1))}`;
}

/** The same with the zone. @param {{first_day: string, days: number, time_zone: string}} report */
export const period = (report) => `${daysOf(report)}, ${report.time_zone}`;

/** @param {Api.ListedReport} r */
export const complete = (r) => (r.is_complete ? badge("good", "complete") : badge("warn", "not complete"));
/** @param {Api.ListedReport} r */
export const quality = (r) => badge(...(VERDICTS[r.verdict] ?? ["idle", r.verdict]));

/** The key as the address has it. @param {Named} r */
export const keyOf = (r) => `${r.brand_id}/${r.first_day}/${r.days}`;

/** The key in an address; null: there is none. @param {string | null} text @returns {Named | null} */
export function named(text) {
  const [, brand_id, first_day, days] = /^(\d{1,19})\/(\d{4}-\d\d-\d\d)\/(\d{1,2})$/.exec(text ?? "") ?? [];
  return brand_id === undefined ? null : { brand_id, first_day, days };
}

/** Which report is wanted: what comes late for another one is not shown. */
let wanted = "";

/**
 * Show a report.
 * @param {Named} report
 * @param {string | null} revision its number; null: the newest
 * @param {Back} back
 */
export async function read(report, revision, back) {
  const reader = $("#reader");
  const mine = `${keyOf(report)} ${revision}`;
  wanted = mine;
  fill(reader, h("p", { class: "quiet" }, "Opening …"));
  try {
    /** @type {Api.Revisions} */
    const { revisions } = await get(`reports/${keyOf(report)}`);
    if (wanted !== mine) return;
    const chosen = revisions.find((r) => String(r.revision) === revision) ?? revisions[0];
    document.title = `${chosen.brand_name}, ${period(chosen)} · Pinwheel`;
    fill(reader, heading(revisions, chosen, back), content(chosen, revisions));
    $("h1", reader).focus();
  } catch (error) {
    if (wanted === mine) fill(reader, notice(error), backLink(back));
  }
}

/** Show none. */
export function unread() {
  wanted = "";
  fill($("#reader"));
}

/** @param {Back} back */
const backLink = ({ list }) =>
  stepLink({ report: null, revision: null }, list, { class: "button" }, "Back to the list");

/** @param {Api.Revision[]} revisions @param {Api.Revision} chosen @param {Back} back */
function heading(revisions, chosen, back) {
  const choose = (/** @type {{target: HTMLSelectElement}} */ { target }) =>
    back.revision(target.value === String(revisions[0].revision) ? null : target.value);
  const days = (/** @type {Api.Revision} */ r) =>
    r.time_zone === revisions[0].time_zone ? "" : `, days of ${r.time_zone}`;
  const options = revisions.map((r) =>
    h(
      "option",
      { value: r.revision, selected: r === chosen },
      `${r.revision}, made ${r.made_at.slice(0, 16).replace("T", " ")} UTC${days(r)}`,
    ),
  );
  return h(
    "div",
    { class: "card-head" },
    h("h1", { tabindex: "-1" }, h("bdi", {}, chosen.brand_name), `, ${period(chosen)}`),
    h(
      "div",
      { class: "head-side" },
      h("label", { class: "quiet" }, "Revision ", h("select", { on: { change: choose } }, options)),
      backLink(back),
    ),
  );
}

/** @param {Api.Revision} r @param {Api.Revision[]} revisions newest first */
function content(r, revisions) {
  const of = `reports/${keyOf(r)}/${r.revision}`;
  const { theme } = document.documentElement.dataset; // a frame of its own follows the system
  const file = (/** @type {string} */ name, /** @type {string} */ text) =>
    h("a", { href: address(`${of}/${name}`, { download: true }), download: "" }, text);
  return h(
    "div",
    { id: "revision" },
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
      h("b", {}, tabLink(address(`${of}/report.html`), "Print")),
      h(
        "span",
        { class: "quiet" },
        "opens it alone in a new tab: print it there, or save it as a PDF, with Ctrl+P or ⌘P",
      ),
    ),
    h(
      "p",
      { class: "head-side" },
      "Download:",
      file("report.html", "page"),
      r.tables.map((name) => file(name, name)),
    ),
    r.revision > 1 ? changes(r, revisions) : null,
    h("iframe", { class: "report", src: address(`${of}/report.html`, { theme }), sandbox: "", title: "The report" }),
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
