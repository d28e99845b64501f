// Explore: an editor, the answer as table and chart, the dictionary and the statements that this browser remembers.

import { chart } from "./explore-chart.js";
import { grid } from "./explore-grid.js";
import { $, ApiError, count, fill, get, h, notice, poll, post } from "./pinwheel.js";

const REMEMBERED = 30; // statements
const editor = $("#sql");
/** @type {Api.Explore | undefined} */
let known;
/** @type {AbortController | undefined} */
let running;

poll({ load: (signal) => get("explore", {}, signal), show: begin, place: $("#problem"), seconds: 3600 });

/** @param {Api.Explore} told */
function begin(told) {
  if (known) return;
  known = told;
  $("#explore").hidden = false;
  $("#question").append(...told.questions.map((q) => h("option", { value: q.name }, q.purpose)));
  showTables("");
  showPast();
  fromAddress();
}

/* The editor ------------------------------------------------------------------------------------------------------ */

/** @param {string} sql */
function write(sql) {
  editor.value = sql;
  point();
}

/** The link leads to what is in the editor. */
function point() {
  $("#link").setAttribute("href", `#sql=${encodeURIComponent(editor.value)}`);
}

/** A link's statement is written, and not run: the reader decides. */
function fromAddress() {
  const given = /^#sql=(.+)$/.exec(location.hash)?.[1];
  if (given === undefined) return;
  try {
    write(decodeURIComponent(given));
  } catch {
    // No link of ours.
  }
}

$("#question").addEventListener("change", () => {
  const chosen = known?.questions.find((q) => q.name === $("#question").value);
  if (!chosen) return;
  write(chosen.sql);
  fill($("#grain"), `${chosen.grain}.`);
});
editor.addEventListener("input", point);
editor.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  run();
});
$("#ask").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
$("#cancel").addEventListener("click", () => running?.abort());
$("#file").addEventListener("click", download);
addEventListener("hashchange", fromAddress);

/* Asking ---------------------------------------------------------------------------------------------------------- */

async function run() {
  await asking(async (sql, signal) => {
    /** @type {Api.Answer} */
    const answer = await (await post("explore", { sql }, signal)).json();
    fill($("#said"), h("p", { class: answer.cut_by ? "notice warn" : "notice" }, summary(answer)));
    const drawn = await chart(answer, $("#result").clientWidth || $("#ask").clientWidth);
    fill($("#result"), drawn, grid(answer));
    $("#result").hidden = answer.columns.length === 0;
  });
}

async function download() {
  await asking(async (sql, signal) => {
    const answer = await post("explore/file", { sql }, signal);
    const rows = Number(answer.headers.get("X-Rows"));
    const cut = answer.headers.get("X-Cut-By");
    save(await answer.blob());
    const text = `The file has ${cut ? "the first " : ""}${count(rows)} ${rows === 1 ? "row" : "rows"}${cut ? "; more exist" : ""}.`;
    fill($("#said"), h("p", { class: cut ? "notice warn" : "notice" }, text));
  });
}

/** @param {Blob} content */
function save(content) {
  const link = h("a", { download: "explore.csv" });
  link.href = URL.createObjectURL(content);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Do something with the statement, one at a time; it can be cancelled, and errors are shown.
 * @param {(sql: string, signal: AbortSignal) => Promise<void>} act
 */
async function asking(act) {
  if (running) return;
  const mine = new AbortController();
  const sql = editor.value;
  running = mine;
  const stop = busy();
  try {
    point();
    history.replaceState(null, "", $("#link").getAttribute("href"));
    remember(sql);
    await act(sql, mine.signal);
  } catch (error) {
    const said = mine.signal.aborted ? h("p", { class: "notice" }, "Cancelled.") : explained(error);
    fill($("#said"), said);
  } finally {
    running = undefined;
    stop();
  }
}

/** Buttons and the time while a statement runs; the result ends it. */
function busy() {
  const started = performance.now();
  const time = h("span", {}, "0 s");
  const timer = setInterval(() => fill(time, `${Math.round((performance.now() - started) / 1000)} s`), 1000);
  const idle = (/** @type {boolean} */ isIdle) => {
    for (const button of [$("#run"), $("#file")]) button.disabled = !isIdle;
    $("#cancel").hidden = isIdle;
  };
  idle(false);
  fill($("#said"), h("p", { class: "notice" }, "Running, ", h("span", { "aria-hidden": "true" }, time)));
  return () => {
    clearInterval(timer);
    idle(true);
  };
}

/** The error; the line that it names is selected in the editor. @param {unknown} error */
function explained(error) {
  if (!(error instanceof ApiError)) console.error(error);
  else if (error.code === "unreachable") error.message = "Airflow does not answer. Run it again in a moment.";
  else {
    const line = Number(/ at line (\d+)$/.exec(error.message)?.[1]);
    if (line) select(line);
  }
  return notice(error);
}

/** @param {number} line */
function select(line) {
  const lines = editor.value.split("\n");
  const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  editor.setSelectionRange(from, from + (lines[line - 1] ?? "").length);
}

/** @param {Api.Answer} answer */
function summary({ rows, cut_by: cut, seconds }) {
  const all = `${count(rows.length)} ${rows.length === 1 ? "row" : "rows"}`;
  const took = `in ${seconds.toFixed(2)} s`;
  if (!cut) return `${all} ${took}.`;
  const why = cut === "size" ? " because they are large" : "";
  return `The first ${all} ${took}; more exist and are not shown${why}. The CSV file has up to ${count(known?.file_rows)}.`;
}

/* What there is --------------------------------------------------------------------------------------------------- */

$("#find").addEventListener("input", () => showTables($("#find").value));

/** @param {string} wanted */
function showTables(wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const found = (known?.tables ?? []).filter((table) => {
    const text = [table.name, table.about, ...table.columns.flatMap((c) => [c.name, c.meaning])]
      .join(" ")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const list = (/** @type {boolean} */ isView) => found.filter((t) => t.is_view === isView).map(described);
  fill(
    $("#dictionary"),
    found.length ? null : h("p", { class: "quiet" }, "Nothing of that name."),
    list(true),
    found.some((t) => !t.is_view) ? h("h3", { class: "between" }, "Tables behind them") : null,
    list(false),
  );
}

/** @param {Api.Table} table */
function described(table) {
  const use = () => {
    write(`SELECT\n${table.columns.map((c) => `    ${c.name}`).join(",\n")}\nFROM ${table.name}\nLIMIT 100;\n`);
    editor.focus();
  };
  return h(
    "details",
    { class: "table" },
    h("summary", {}, h("code", {}, table.name)),
    h("p", { class: "quiet" }, `${table.about}.`),
    h("p", {}, h("button", { type: "button", on: { click: use } }, "Select from it")),
    h(
      "dl",
      {},
      table.columns.map((c) => [
        h("dt", {}, h("code", {}, c.name), " ", h("small", {}, c.type)),
        h("dd", {}, c.meaning),
      ]),
    ),
  );
}

/* History --------------------------------------------------------------------------------------------------------- */

const place = () => `pinwheel-explore ${known?.person}`;

/** Newest first; empty where the browser keeps nothing. @returns {string[]} */
function past() {
  try {
    const kept = JSON.parse(localStorage.getItem(place()) ?? "[]");
    return Array.isArray(kept) ? kept.map(String) : [];
  } catch {
    return [];
  }
}

/** @param {string[]} statements */
function keep(statements) {
  try {
    localStorage.setItem(place(), JSON.stringify(statements));
  } catch {
    // No storage, or it is full: then there is no history.
  }
  showPast();
}

/** @param {string} sql */
function remember(sql) {
  if (sql.trim()) keep([sql, ...past().filter((one) => one !== sql)].slice(0, REMEMBERED));
}

function showPast() {
  const kept = past();
  const again = (/** @type {string} */ sql) =>
    h(
      "button",
      { type: "button", class: "plain-button", title: sql, on: { click: () => write(sql) } },
      h("code", {}, sql),
    );
  fill(
    $("#past"),
    kept.map((sql) => h("li", {}, again(sql))),
  );
  $("#forget").hidden = kept.length === 0;
}

$("#forget").addEventListener("click", () => keep([]));
