// Data quality: verdicts, failures and their reasons, quarantined rows, held slices. Dead letters: letters.js.

import { card, raw, showLetters, tryButton } from "./letters.js";
import {
  $,
  ApiError,
  address,
  ago,
  airflowLink,
  askPerson,
  badge,
  count,
  empty,
  fill,
  get,
  h,
  notice,
  percent,
  poll,
  runbookLink,
  sparkline,
  table,
  trigger,
  when,
} from "./pinwheel.js";

const HOUR = 3600000;
const HOURS = 24;
const GATE = "docs/runbooks/release_slice.md";
const CHECKS = "docs/runbooks/check_quality.md";

poll({ load: (signal) => get("quality", {}, signal), show: showVerdicts, place: $("#problem"), seconds: 20 });
get("me").then(start, (error) => fill($("#rows-problem"), notice(error)));

/** Rows in the lake and in quarantine belong to all brands. @param {Api.Me} me */
function start(me) {
  if (me.brands !== null) {
    fill(
      $("#rows"),
      h(
        "p",
        { class: "notice" },
        "The rows behind these verdicts belong to all brands. You are bound to some brands and see only the verdicts.",
      ),
    );
    return;
  }
  mayRelease = me.may_trigger.includes("release_slice");
  rows = poll({
    load: (signal) => get("quality/rows", {}, signal),
    show: showRows,
    place: $("#rows-problem"),
    seconds: 30,
  });
  poll({
    load: (signal) => get("quality/dead-letters", {}, signal),
    show: showLetters,
    place: $("#letters-problem"),
    seconds: 60,
  });
}

/* Verdicts */

/** @typedef {{kind: Kind, text: string}} State */

/** @param {Api.Verdicts} verdicts */
function showVerdicts({ tables }) {
  const worst = tables.map(hourState).concat(tables.map(gateState));
  const bad = worst.filter((state) => state.kind === "bad").length;
  const warn = worst.filter((state) => state.kind === "warn").length;
  const overall = bad
    ? badge("bad", `${bad} failed`)
    : warn
      ? badge("warn", `${warn} to check`)
      : worst.some((s) => s.kind === "good")
        ? badge("good", "All well")
        : badge("idle", "Nothing checked yet");
  fill($("#overall"), overall);
  fill($("#verdicts"), tables.map(verdict));
}

/** @param {Api.TableVerdict} t */
function verdict(t) {
  const hour = hourState(t);
  const gate = gateState(t);
  return h(
    "section",
    { class: "card verdict", "aria-label": t.table },
    h("h2", {}, t.table),
    h(
      "p",
      {},
      badge(hour.kind, hour.text),
      h(
        "small",
        { class: "quiet" },
        t.hour ? ["hour ", when(t.hour, { seconds: false })] : "check_quality checks each hour when it is over",
      ),
    ),
    t.docs
      ? h(
          "p",
          {},
          h("a", { href: address(`quality/docs/${t.docs}`), "aria-label": `Data Docs of ${t.table}` }, "Data Docs"),
        )
      : null,
    t.table === "rollups"
      ? null
      : h(
          "p",
          {},
          badge(gate.kind, gate.text),
          h(
            "small",
            { class: "quiet" },
            t.audited_at
              ? `last slice ${ago(t.audited_at)}${t.slice_rows === null ? "" : `, ${count(t.slice_rows)} rows`}`
              : "the gate checks each slice before its merge",
          ),
        ),
  );
}

/** @param {Api.TableVerdict} t @returns {State} */
function hourState(t) {
  if (t.expectations === null) return { kind: "idle", text: "No hour checked" };
  if (t.critical_unmet) return { kind: "bad", text: `${t.critical_unmet} of ${t.expectations} failed` };
  if (t.warnings_unmet) return { kind: "warn", text: `${t.warnings_unmet} of ${t.expectations} unusual` };
  return { kind: "good", text: `${t.expectations} of ${t.expectations} met` };
}

/** @param {Api.TableVerdict} t @returns {State} */
function gateState(t) {
  if (t.held) return { kind: "bad", text: t.held === 1 ? "A slice is held" : `${t.held} slices are held` };
  if (t.slice_id === null) return { kind: "idle", text: "Nothing merged" };
  if (t.slice_quarantined) return { kind: "warn", text: `${count(t.slice_quarantined)} rows quarantined` };
  return { kind: "good", text: "Gate passed" };
}

/* Failures */

/** @param {Api.Rows} data */
function showRows(data) {
  fill($("#rows"), held(data.held), failures(data.failures), rowFailures(data), quarantine(data));
}

/** @param {Api.Held[]} slices */
function held(slices) {
  if (!slices.length) return null;
  /** @type {Column<Api.Held>[]} */
  const columns = [
    { label: "Table", cell: (s) => s.table },
    { label: "Slice", number: true, cell: (s) => count(s.slice_id) },
    { label: "Rows", number: true, cell: (s) => count(s.rows_read) },
    { label: "Since", cell: (s) => when(s.audited_at) },
    {
      label: "Why",
      cell: (s) =>
        h(
          "ul",
          { class: "plain" },
          s.reasons.map((reason) => h("li", {}, h("bdi", {}, reason))),
        ),
    },
  ];
  if (mayRelease) columns.push({ label: "Decide", cell: decisions });
  const todo = [airflowLink("dags/release_slice", "release_slice"), " ", runbookLink(GATE)];
  const ways = h(
    "p",
    { class: "quiet" },
    "Judge again: the cause is fixed, or the rule has changed. Accept: merge it without the rows that break a rule, which",
    " go to quarantine. ",
    h("span", { role: "status" }, decided),
  );
  return card("Held slices", h("span", {}, todo), table(columns, slices, "Slices that wait for a decision"), ways);
}

let mayRelease = false;
/** @type {{now: () => unknown} | undefined} */
let rows;
/** What the person has just decided, until the merge has acted on it. */
let decided = "";

/** @param {Api.Held} slice */
function decisions(slice) {
  const button = (/** @type {"retry" | "accept"} */ decision, /** @type {string} */ text) =>
    h(
      "button",
      {
        type: "button",
        "aria-label": `${text}: slice ${slice.slice_id} of ${slice.table}`,
        on: { click: () => decide(slice, decision) },
      },
      text,
    );
  return h("span", { class: "links" }, button("retry", "Judge again"), button("accept", "Accept"));
}

/** @param {Api.Held} slice @param {"retry" | "accept"} decision */
async function decide({ slice_id, table: name }, decision) {
  const question = `Merge slice ${slice_id} of ${name} without the rows that break a rule?`;
  if (decision === "accept" && !(await askPerson(question, "Accept"))) return;
  decided = `Slice ${slice_id}: asked for; the merge acts on it within a minute.`;
  try {
    await trigger("release_slice", { slice_id, decision });
  } catch (error) {
    decided = error instanceof ApiError ? error.message : "The decision could not be sent.";
  }
  rows?.now();
}

/** @param {Api.Failure[]} found */
function failures(found) {
  const side = h("span", { class: "quiet" }, "the last 24 hours ", runbookLink(CHECKS));
  if (!found.length)
    return card(
      "Unmet expectations",
      side,
      empty("None", "Every hour checked in the last day met all its expectations."),
    );
  /** @type {Column<Api.Failure>[]} */
  const columns = [
    { label: "Hour", cell: (f) => when(f.hour, { seconds: false }) },
    { label: "Table", cell: (f) => f.table },
    {
      label: "Measure",
      cell: (f) => h("span", {}, badge(f.critical ? "bad" : "warn", f.critical ? "failed" : "unusual"), " ", f.measure),
    },
    {
      label: "Observed and expected",
      cell: (f) =>
        h(
          "div",
          {},
          h("bdi", {}, f.observed),
          h("br"),
          h("small", { class: "quiet" }, "expected ", h("bdi", {}, f.expected)),
        ),
    },
    { label: "Example rows", cell: (f) => (f.sample.length ? sampleOf(f.sample) : "–") },
    { label: "Data Docs", cell: (f) => (f.docs ? h("a", { href: address(`quality/docs/${f.docs}`) }, "page") : "–") },
  ];
  return card("Unmet expectations", side, table(columns, found, "Unmet expectations of the last day's hours"));
}

/** @param {Record<string, string>[]} rows */
function sampleOf(rows) {
  return h(
    "details",
    {},
    h("summary", {}, rows.length === 1 ? "1 row" : `${rows.length} rows`),
    rows.map((row) =>
      h(
        "dl",
        { class: "row-sample" },
        Object.entries(row).map(([name, value]) => [h("dt", {}, name), h("dd", {}, h("bdi", {}, value))]),
      ),
    ),
  );
}

/* Quarantined rows */

/** @param {Api.Rows} rows */
function rowFailures({ now, row_failures: tables }) {
  if (!tables.length)
    return card(
      "Rows that failed",
      h("span", { class: "quiet" }, "the last 24 hours"),
      empty("Nothing was merged", "Rows are checked when merge_events merges them."),
    );
  /** @type {Column<Api.RowFailures>[]} */
  const columns = [
    { label: "Table", cell: (t) => t.table },
    { label: "By hour", cell: (t) => hourly(t, now) },
    { label: "Quarantined", number: true, cell: (t) => count(sum(t, "quarantined")) },
    { label: "Rows read", number: true, cell: (t) => count(sum(t, "rows_read")) },
    {
      label: "Share",
      number: true,
      cell: (t) => percent(sum(t, "rows_read") ? sum(t, "quarantined") / sum(t, "rows_read") : null, 2),
    },
  ];
  return card(
    "Rows that failed",
    h("span", { class: "quiet" }, "the last 24 hours"),
    table(columns, tables, "Quarantined rows by table"),
  );
}

/** @param {Api.RowFailures} t @param {"rows_read" | "quarantined"} name */
const sum = (t, name) => t.hours.reduce((total, hour) => total + hour[name], 0);

/** @param {Api.RowFailures} t @param {string} now */
function hourly(t, now) {
  const known = new Map(t.hours.map((hour) => [Date.parse(hour.hour), hour.quarantined]));
  const last = Math.floor(Date.parse(now) / HOUR) * HOUR;
  const values = Array.from({ length: HOURS }, (_, i) => known.get(last - (HOURS - 1 - i) * HOUR) ?? 0);
  return sparkline(values, `Quarantined rows in each of the last ${HOURS} hours, at most ${Math.max(...values)}`, {
    width: 160,
  });
}

/** @param {Api.Rows} rows */
function quarantine({ broken, quarantined }) {
  if (!broken.length) return card("Quarantine", null, empty("Empty", "No row broke a row rule."));
  /** @type {Column<Api.Broken>[]} */
  const rules = [
    { label: "Table", cell: (b) => b.table },
    { label: "Rule", cell: (b) => h("bdi", {}, b.rule) },
    { label: "Rows", number: true, cell: (b) => count(b.rows) },
    { label: "Newest", cell: (b) => when(b.newest_at) },
  ];
  /** @type {Column<Api.QuarantinedRow>[]} */
  const rows = [
    { label: "When", cell: (q) => when(q.quarantined_at) },
    { label: "Table", cell: (q) => q.table },
    { label: "Reason", cell: (q) => h("bdi", { class: "clip" }, q.reason) },
    { label: "Row", cell: (q) => raw(q.row) },
  ];
  return card(
    "Quarantine",
    h("span", { class: "quiet" }, "the newest 1,000 rows ", tryButton(null, "Judge again", "all quarantined rows")),
    table(rules, broken, "Rules that rows broke"),
    h(
      "details",
      {},
      h("summary", {}, `The newest ${quarantined.length} rows`),
      table(rows, quarantined, "The newest rows in quarantine"),
    ),
  );
}
