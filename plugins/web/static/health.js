// Pipeline health: the flow, the driver, how far the tables are, and the alerts.

import { followAlerts } from "./health-alerts.js";
import { followHistories } from "./health-history.js";
import {
  $,
  ago,
  airflowLink,
  askedFor,
  askPerson,
  badge,
  barLine,
  compact,
  count,
  duration,
  empty,
  fact,
  fill,
  get,
  h,
  notice,
  poll,
  runbookLink,
  secondsSince,
  table,
  when,
} from "./pinwheel.js";

/** @type {Record<Api.Driver["state"], Kind>} */
const DRIVER = { running: "good", restarting: "warn", stopped: "bad", unknown: "idle" };
/** @type {Record<string, string>} */
const RUNBOOKS = {
  supervise_stream: "docs/runbooks/supervise_stream.md",
  merge_events: "docs/runbooks/merge_events.md",
  check_quality: "docs/runbooks/check_quality.md",
};
/** @type {Record<string, string>} */
const VERBS = { running: "Start", restart: "Restart", stopped: "Stop" };
const STALE = 180; // seconds after which watch_health's measures are stale

/* The flow -------------------------------------------------------------------------------------------------------- */

/** @param {Api.Step} data */
function step(data) {
  const bad = data.unwell.length > 0;
  const how = bad ? badge("bad", "Unwell") : data.is_known ? badge("good", "Well") : badge("idle", "Unknown");
  return h(
    "li",
    { class: `step ${bad ? "bad" : data.is_known ? "" : "stale"}` },
    h("div", { class: "card-head" }, h("h2", {}, data.title), how),
    data.name === "rollups"
      ? h("p", { class: "quiet" }, "Counted seconds after the merges")
      : rate(data.rows_per_second),
    h("dl", { class: "facts" }, fact("Age of newest", duration(data.newest_age_seconds)), backlog(data)),
    data.unwell.map((text) => h("p", { class: "wrong" }, text)),
    data.note ? h("p", { class: "quiet" }, data.note) : null,
    data.last_error ? lastError(data.last_error) : h("p", { class: "quiet" }, "No recent alert"),
    h(
      "p",
      { class: "links" },
      airflowLink(`dags/${data.dag}`, "Dag"),
      airflowLink(`dags/${data.dag}/runs`, "runs and logs"),
      runbookLink(RUNBOOKS[data.dag]),
    ),
  );
}

/** @param {number | null} rows */
const rate = (rows) => h("p", { class: "figure" }, rows === null ? "–" : compact(rows), h("small", {}, " rows/s"));
/** @param {Api.Step} data */
const backlog = (data) =>
  fact(data.backlog_unit.charAt(0).toUpperCase() + data.backlog_unit.slice(1), count(data.backlog));

/** @param {Api.Problem} error */
function lastError(error) {
  const state = error.resolved_at
    ? `over since ${duration(secondsSince(error.resolved_at))}`
    : `since ${duration(secondsSince(error.raised_at))}`;
  return h(
    "p",
    { class: "quiet clip", title: error.message },
    `Last alert: ${error.name} (${error.subject}), ${state}`,
  );
}

/** @param {Api.Flow} data */
function flowMissing(data) {
  if (data.measured_at) return null;
  return empty("Not measured yet", "watch_health measures every minute. If this stays, its Dag may be paused.");
}

/* Driver, lags, tables -------------------------------------------------------------------------------------------- */

/** @param {Api.Driver} driver */
function driverFacts(driver) {
  const since = driver.since && driver.state === "running" ? fact("Since", when(driver.since)) : null;
  const next = driver.since && driver.state === "restarting" ? fact("Starts again", when(driver.since)) : null;
  const stopped = driver.stopped_by ? fact("On purpose", [`by ${driver.stopped_by}, `, when(driver.since)]) : null;
  const facts = [
    fact("State", badge(driver.stopped_by ? "warn" : DRIVER[driver.state], driver.state)),
    since,
    next,
    stopped,
    fact("Restarts today", count(driver.restarts_today)),
    fact("Failures in a row", count(driver.failures)),
  ];
  return h("dl", { class: "facts" }, facts);
}

let mayControl = false;
/** What the person has just asked for, until the driver's state follows. */
let asked = "";

/** Buttons that trigger control_stream, with the person's own rights. @param {Api.Driver} driver */
function driverButtons(driver) {
  const offered = driver.stopped_by ? ["running"] : ["restart", "stopped"];
  const buttons = offered.map((wanted) =>
    h("button", { type: "button", on: { click: () => control(wanted) } }, VERBS[wanted]),
  );
  return h("p", { class: "links" }, buttons, h("span", { class: "quiet", role: "status" }, asked));
}

/** @param {string} wanted */
async function control(wanted) {
  const question = `${VERBS[wanted]} the stream? No events are lost: Kafka keeps them.`;
  if (wanted !== "running" && !(await askPerson(question, VERBS[wanted]))) return;
  asked = await askedFor("control_stream", { wanted });
  setTimeout(() => (asked = ""), 30000);
  flow?.now();
}

/** @param {Api.Lag[]} lags */
function lagBars(lags) {
  if (!lags.length) return h("p", { class: "quiet" }, "No partitions known: Kafka has not been measured yet.");
  const most = Math.max(1, ...lags.map((lag) => lag.records ?? 0));
  return h(
    "ul",
    { class: "bars" },
    lags.map((lag) => barLine(h("span", {}, lag.partition), lag.records ?? 0, most, count(lag.records))),
  );
}

/** @param {Api.TableProgress[]} tables */
function tableRows(tables) {
  return table(
    [
      { label: "Table", cell: (t) => h("b", {}, t.table) },
      { label: "Complete through", cell: (t) => when(t.complete_through) },
      { label: "Behind", number: true, cell: (t) => duration(t.age_seconds) },
      { label: "Rows/s", number: true, cell: (t) => compact(t.rows_per_second) },
      { label: "Versions to merge", number: true, cell: (t) => count(t.versions_behind) },
      { label: "Held", number: true, cell: (t) => (t.held_slices ? badge("bad", `${t.held_slices} held`) : "0") },
    ],
    tables,
    "How far each reporting table is",
  );
}

/** @param {Api.BooksState} books */
function booksLine(books) {
  if (!books.through) return h("p", { class: "quiet" }, "Books: not drawn up yet; check_quality does it every hour.");
  const closed = books.closed_through ? `, closed through ${books.closed_through}` : "";
  if (books.differences.length)
    return h(
      "div",
      {},
      h("p", {}, badge("bad", "Books differ"), " ", when(books.through), " ", runbookLink(RUNBOOKS.check_quality)),
      books.differences.map((text) => h("p", { class: "wrong" }, text)),
    );
  const told = [" through ", when(books.through), `, ${count(books.offsets)} offsets explained${closed}`];
  return h("p", { class: "quiet" }, "Books: ", badge("good", "balanced"), told);
}

/** The newest flow of which every source answered. @type {Api.Flow | null} */
let known = null;

/** What a source that is away last said stays on the page, in grey. @param {Api.Flow} data @returns {Api.Flow} */
function withLastKnown(data) {
  if (!data.away.length) known = data;
  if (!data.away.includes("memsql") || !known) return data;
  const steps = known.steps.map((one) => ({ ...one, unwell: [], is_known: false }));
  return { ...known, now: data.now, away: data.away, driver: data.driver, steps };
}

/** @param {Api.Flow} data */
function state(data) {
  const unwell = data.steps.filter((one) => one.unwell.length).length;
  const old = data.measured_at ? (Date.parse(data.now) - Date.parse(data.measured_at)) / 1000 : null;
  fill(
    $("#state"),
    data.away.map((name) => badge("bad", name === "memsql" ? "MemSQL does not answer" : "The lake can't be read")),
    old !== null && old > STALE ? badge("warn", `Measured ${duration(old)} ago: is watch_health paused?`) : null,
    unwell
      ? badge("bad", `${unwell} of ${data.steps.length} steps unwell`)
      : data.steps.every((one) => one.is_known)
        ? badge("good", "All steps well")
        : badge("idle", "Some steps are unknown"),
    data.driver.stopped_by
      ? badge("warn", `Stopped by ${data.driver.stopped_by} ${ago(data.driver.since)}, on purpose`)
      : null,
    data.measured_at ? h("span", { class: "quiet" }, `measured ${duration(old)} ago`) : null,
  );
}

/** @param {Api.Flow} found */
function showFlow(found) {
  const data = withLastKnown(found);
  state(data);
  fill($("#flow"), flowMissing(data) ? h("li", { class: "step wide" }, flowMissing(data)) : data.steps.map(step));
  fill($("#driver"), driverFacts(data.driver), mayControl ? driverButtons(data.driver) : null);
  fill($("#lags"), lagBars(data.lags));
  fill($("#tables"), tableRows(data.tables));
}

/* The driver's log ------------------------------------------------------------------------------------------------- */

async function showLog() {
  $("#log-card").hidden = false;
  try {
    const { lines } = await get("health/driver-log");
    $("#log").textContent = lines.join("\n") || "The log is empty.";
  } catch (error) {
    fill($("#log"), notice(error));
  }
  $("#log").scrollTop = $("#log").scrollHeight;
  $("#log").focus();
}

/* For viewers bound to brands ------------------------------------------------------------------------------------- */

function onlyComplete() {
  /** @type {NodeListOf<HTMLElement>} */
  const sections = document.querySelectorAll("main > section, main > .split > section");
  for (const section of sections) section.hidden = section !== $("#tables").closest("section");
  const show = (/** @type {Api.CompleteTables} */ { tables }) =>
    fill(
      $("#tables"),
      tables.length
        ? table(
            [
              { label: "Table", cell: (t) => h("b", {}, t.table) },
              { label: "Complete through", cell: (t) => when(t.complete_through) },
            ],
            tables,
          )
        : empty("Nothing is merged yet", "Tables are listed here after their first merge."),
    );
  poll({ load: (signal) => get("health/complete", {}, signal), show, place: $("#problem"), seconds: 15 });
}

/** @type {{now: () => unknown} | undefined} */
let flow;

/* Begin ----------------------------------------------------------------------------------------------------------- */

async function begin() {
  const me = await get("me").catch((error) => fill($("#problem"), notice(error)) && null);
  if (me === null) return setTimeout(begin, 10000);
  fill($("#problem"));
  if (me.brands !== null) return onlyComplete();
  mayControl = me.may_trigger.includes("control_stream");
  $("#users").hidden = !me.may_trigger.includes("bind_user");
  flow = poll({ load: (signal) => get("health/flow", {}, signal), show: showFlow, place: $("#problem"), seconds: 10 });
  followAlerts(me.may_trigger);
  followHistories();
  const showBooks = (/** @type {Api.BooksState} */ books) => fill($("#books"), booksLine(books));
  poll({ load: (signal) => get("health/books", {}, signal), show: showBooks, place: $("#books"), seconds: 60 });
  fill($("#driver-links"), h("button", { type: "button", on: { click: showLog } }, "End of its log"));
  $("#log-close").addEventListener("click", () => ($("#log-card").hidden = true));
}

begin();
