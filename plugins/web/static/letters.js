// Dead letters of the data quality page: over time, by reason, and the button that asks which of them would come home.

import { $, ApiError, airflowLink, count, empty, fill, h, runbookLink, s, table, trigger, when } from "./pinwheel.js";

const DAG = "replay_dead_letters";
const RUNBOOK = "docs/runbooks/replay_dead_letters.md";
const SERIES = 8; // colours
const BAR = { step: 20, width: 16, height: 100 };

/** @typedef {{reason: string, letters: number, newest: Api.Reason | undefined}} Row */

/** @param {string} title @param {Child} side @param {Child[]} children */
export function card(title, side, ...children) {
  return h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, title), side), children);
}

/** Unformatted text in a box that scrolls. @param {string} text */
export function raw(text) {
  return h("pre", { class: "raw", tabindex: 0 }, h("bdi", {}, text));
}

/** @param {Api.DeadLetters} letters */
export function showLetters({ found, days, never }) {
  const rows = byReason(found, days);
  const side = h("span", { class: "quiet" }, `the last ${days.length || 30} days `, runbookLink(RUNBOOK));
  if (!rows.length) {
    fill($("#letters"), card("Dead letters", side, empty("None", "Every record met the contract.")));
    return;
  }
  const reasons = rows.map((row) => row.reason);
  /** @type {Column<Row>[]} */
  const columns = [
    { label: "Reason", cell: (r) => h("span", {}, swatch(reasons.indexOf(r.reason)), h("code", {}, r.reason)) },
    { label: `Last ${days.length} days`, number: true, cell: (r) => count(r.letters) },
    { label: "Newest", number: true, cell: (r) => count(r.newest?.letters ?? 0) },
    { label: "Detail of the newest", cell: (r) => h("bdi", { class: "clip" }, r.newest?.samples[0]?.detail || "–") },
    { label: "Samples", cell: (r) => (r.newest ? samples(r.newest) : "–") },
    { label: "Come home", cell: (r) => (never.includes(r.reason) ? gone() : tryButton(r.reason)) },
  ];
  const told = [chart(days, reasons), asTable(days, reasons), table(columns, rows, "Dead letters by reason")];
  fill($("#letters"), card("Dead letters", side, told, newest(found)));
}

/** @param {Api.Summary} found @param {Api.LetterDay[]} days @returns {Row[]} */
function byReason(found, days) {
  /** @type {Map<string, number>} */
  const totals = new Map(found.reasons.map((reason) => [reason.reason, 0]));
  for (const day of days)
    for (const [reason, letters] of Object.entries(day.reasons))
      totals.set(reason, (totals.get(reason) ?? 0) + letters);
  const rows = [...totals].map(([reason, letters]) => ({
    reason,
    letters,
    newest: found.reasons.find((one) => one.reason === reason),
  }));
  return rows.sort((a, b) => b.letters - a.letters);
}

/** @param {Api.Summary} found */
function newest(found) {
  if (!found.letters) return null;
  const which = found.is_all ? "all of today and yesterday" : `the newest ${count(found.letters)}, since `;
  return h("p", { class: "quiet" }, "Newest: ", which, found.is_all ? null : when(found.since), ".");
}

/* Over time */

/** @param {number} place */
const series = (place) => `series-${place % SERIES}`;
/** @param {number} place */
const swatch = (place) => h("span", { class: `swatch ${series(place)}` });
/** @param {Api.LetterDay} day */
const total = (day) => Object.values(day.reasons).reduce((sum, letters) => sum + letters, 0);

/** Letters per day, the reasons stacked. @param {Api.LetterDay[]} days @param {string[]} reasons */
function chart(days, reasons) {
  if (!days.length) return null;
  const most = Math.max(1, ...days.map(total));
  const box = {
    class: "stack",
    viewBox: `0 0 ${days.length * BAR.step} ${BAR.height}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": `Dead letters per day over ${days.length} days, at most ${count(most)}`,
  };
  const partial = days.every((day) => day.is_all) ? null : "; older files are still being counted";
  return [
    s("svg", box, ...days.map((day, n) => bar(day, n, most, reasons))),
    h(
      "p",
      { class: "ends quiet" },
      h("span", {}, days[0].day),
      h("span", {}, `at most ${count(most)} a day`, partial),
      h("span", {}, days[days.length - 1].day),
    ),
  ];
}

/** @param {Api.LetterDay} day @param {number} n @param {number} most @param {string[]} reasons */
function bar(day, n, most, reasons) {
  let top = BAR.height;
  return reasons.map((reason, place) => {
    const letters = day.reasons[reason] ?? 0;
    const height = (letters / most) * BAR.height;
    top -= height;
    if (!letters) return null;
    const shape = { class: series(place), x: n * BAR.step, y: top, width: BAR.width, height };
    return s("rect", shape, s("title", {}, `${day.day}: ${count(letters)} ${reason}`));
  });
}

/** @param {Api.LetterDay[]} days @param {string[]} reasons */
function asTable(days, reasons) {
  /** @type {Column<Api.LetterDay>[]} */
  const columns = [
    { label: "Day", cell: (day) => day.day },
    ...reasons.map((reason) => ({
      label: reason,
      number: true,
      cell: (/** @type {Api.LetterDay} */ day) => count(day.reasons[reason] ?? 0),
    })),
  ];
  const some = days.filter(total).reverse();
  return h("details", {}, h("summary", {}, "As a table"), table(columns, some, "Dead letters per day"));
}

/* Samples */

/** @param {Api.Reason} reason */
function samples(reason) {
  return h("details", {}, h("summary", {}, `${reason.samples.length} of them`), reason.samples.map(letter));
}

/** @param {Api.Letter} l */
function letter(l) {
  const place = ["partition ", l.kafka_partition, ", offset ", l.kafka_offset, ", ", when(l.kafka_timestamp)];
  return h(
    "div",
    { class: "letter" },
    h("small", { class: "quiet" }, place),
    h("p", {}, h("bdi", {}, l.detail)),
    raw(l.value || "(no bytes)"),
  );
}

/* Home */

const gone = () => h("small", { class: "quiet" }, "never: its bytes are not kept");

/**
 * A button that starts a dry run of the Dag for letters of a reason; null: for no letters, but for quarantined rows.
 * @param {string | null} reason
 */
export function tryButton(reason, text = "Dry run", what = `dead letters ${reason}`) {
  const click = () => start(button, reason, what);
  const button = h("button", { type: "button", "aria-label": `${text}: ${what}`, on: { click } }, text);
  return button;
}

/** @param {HTMLButtonElement} button @param {string | null} reason @param {string} what */
async function start(button, reason, what) {
  const tried = $("#tried");
  button.disabled = true;
  tried.hidden = false;
  fill(tried, "Starting a dry run …");
  try {
    const these = reason === null ? { letters: false, quarantine: true } : { reason, quarantine: false };
    const run = await trigger(DAG, { ...these, dry_run: true });
    const link = airflowLink(`dags/${DAG}/runs/${encodeURIComponent(run)}`, "its results");
    const next = " say what would come home. Then choose “Trigger again with this config” there, without the dry run.";
    fill(tried, `A dry run for ${what} has started: `, link, next);
  } catch (error) {
    const refused = error instanceof ApiError && error.status === 403;
    const why = error instanceof ApiError ? error.message : "The dry run could not be started.";
    fill(tried, refused ? `You may not trigger ${DAG}.` : why);
  } finally {
    button.disabled = false;
    tried.scrollIntoView({ block: "nearest" }); // the button may be screens below it
  }
}
