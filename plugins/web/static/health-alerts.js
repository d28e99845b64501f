// The health page's alerts: the open ones with their buttons, silences, and the last hundred.

import {
  $,
  ApiError,
  airflowLink,
  askedAt,
  askPerson,
  badge,
  duration,
  empty,
  field,
  fill,
  get,
  h,
  poll,
  runbookLink,
  secondsSince,
  table,
  trigger,
  when,
} from "./pinwheel.js";

/** Dags that the person may trigger. @type {string[]} */
let mayTrigger = [];
/** @param {string} dag */
const may = (dag) => mayTrigger.includes(dag);

/** @param {Api.AlertRow} alert */
function openAlert(alert) {
  const about = `${alert.name}, ${alert.subject}`;
  return h(
    "article",
    { class: `alert ${alert.severity === "critical" ? "bad" : "warn"}`, id: `alert-${alert.alert_id}` },
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, sentence(alert.title ?? alert.name)),
      h("span", {}, `${alert.severity}, since ${duration(secondsSince(alert.raised_at))}`),
    ),
    h("p", { class: "lines" }, alert.message),
    alert.means ? h("p", {}, h("b", {}, "What it means: "), `${alert.means}.`) : null,
    alert.do ? h("p", {}, h("b", {}, "Do: "), `${alert.do}.`) : null,
    alert.silence ? silenced(alert.silence) : null,
    h(
      "p",
      { class: "links" },
      h("span", { class: "quiet" }, about),
      may("rebuild_tables") && alert.name === "table_cut_off"
        ? h(
            "button",
            { type: "button", "aria-label": `Rebuild: ${about}`, on: { click: () => rebuild(alert) } },
            "Rebuild",
          )
        : null,
      may("silence_alert") && !alert.silence
        ? h(
            "button",
            { type: "button", "aria-label": `Silence: ${about}`, on: { click: () => silence(alert) } },
            "Silence",
          )
        : null,
      alert.dag ? airflowLink(`dags/${alert.dag}/runs`, "runs and logs") : null,
      runbookLink(alert.runbook),
    ),
  );
}

/** @type {{now: () => unknown} | undefined} */
let alerts;

/** Until when, and the way back. @param {Api.Silence} of */
function silenced(of) {
  const about = `${of.name}, ${of.subject || "whatever it is about"}`;
  const back = () => askFor("silence_alert", { name: of.name, subject: of.subject, hours: 0, reason: "" });
  return h(
    "p",
    { class: "links" },
    h(
      "span",
      {},
      `Silenced by ${of.silenced_by} (${about}) until `,
      when(of.until_at, { seconds: false }),
      `: ${of.reason}`,
    ),
    may("silence_alert")
      ? h("button", { type: "button", "aria-label": `Send it again: ${about}`, on: { click: back } }, "Send it again")
      : null,
  );
}

/** @type {[number, string][]} */
const SILENCES = [
  [1, "an hour"],
  [4, "4 hours"],
  [24, "a day"],
  [168, "a week"],
];

/** @param {Api.AlertRow} alert */
async function silence({ name, subject, title }) {
  const hours = h("select", { name: "hours" });
  for (const [n, text] of SILENCES) hours.append(h("option", { value: n }, text));
  const reason = h("input", { name: "reason", required: true, maxlength: 255 });
  const question = `Silence “${sentence(title ?? name)}”? It stays on this page. If it is open when the silence is over, it is sent.`;
  const form = await askPerson(question, "Silence", field("For", hours), field("Why", reason));
  if (form) await askFor("silence_alert", { name, subject, hours: Number(form.hours), reason: form.reason });
}

/** A table whose slices are gone from the lake's log is made anew. @param {Api.AlertRow} alert */
async function rebuild({ subject }) {
  const name = subject.split(" ", 1)[0];
  const question = `Make ${name} anew from the lake? Readers see the old table until the new one is complete.`;
  if (await askPerson(question, "Rebuild")) await askFor("rebuild_tables", { tables: [name], dry_run: false });
}

/** Trigger a Dag about an alert, with the person's own rights. @param {string} dag @param {object} conf */
async function askFor(dag, conf) {
  await askedAt($("#alerts-said"), dag, conf);
  alerts?.now();
}

/** @param {string} text */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {Api.AlertRow[]} rows */
function recentAlerts(rows) {
  if (!rows.length)
    return empty(
      "No alerts yet",
      "Alerts are listed here, with the time they were resolved. Send a test alert to see one.",
    );
  return table(
    [
      { label: "Raised", cell: (a) => when(a.raised_at) },
      { label: "Alert", cell: (a) => h("b", a.resolved_at ? { id: `alert-${a.alert_id}` } : {}, a.name) },
      { label: "About", cell: (a) => a.subject },
      { label: "Severity", cell: (a) => badge(a.severity === "critical" ? "bad" : "warn", a.severity) },
      { label: "What happened", cell: (a) => h("span", { class: "clip", title: a.message }, a.message) },
      { label: "Resolved", cell: (a) => (a.resolved_at ? lasted(a.raised_at, a.resolved_at) : badge("bad", "open")) },
      { label: "Runbook", cell: (a) => runbookLink(a.runbook) },
    ],
    rows,
    "The last hundred alerts",
  );
}

/** @param {string} raised @param {string} over */
function lasted(raised, over) {
  const seconds = (Date.parse(over) - Date.parse(raised)) / 1000;
  return seconds < 1 ? "at once" : `after ${duration(seconds)}`;
}

/** @param {Api.Alerts} alerts */
function showAlerts({ open, recent, silences }) {
  fill($("#open"), open.map(openAlert));
  const others = silences.filter((of) => !open.some((a) => a.name === of.name && a.silence?.subject === of.subject));
  fill($("#silences"), others.length ? h("h3", {}, "Silences") : null, others.map(silenced));
  fill($("#recent"), recentAlerts(recent));
  goToNamed();
}

/** Show the alert that the address names, once: a message about it links to it. */
function goToNamed() {
  const named = location.hash && document.getElementById(location.hash.slice(1));
  if (!named || named.classList.contains("named")) return;
  named.classList.add("named");
  history.replaceState(null, "", location.pathname + location.search);
  named.scrollIntoView({ block: "center" });
}

async function send() {
  const [button, sent] = [$("#send"), $("#sent")];
  button.disabled = true;
  sent.textContent = "Sending …";
  try {
    await trigger("watch_health", { test_alert: true });
    sent.textContent = "It comes within a minute: below, and at all receivers in PINWHEEL_ALERT_URLS.";
    alerts?.now();
  } catch (error) {
    sent.textContent = error instanceof ApiError ? error.message : "The test alert could not be sent.";
  } finally {
    button.disabled = false;
  }
}

/** @param {string[]} allowed Dags that the person may trigger. */
export function followAlerts(allowed) {
  mayTrigger = allowed;
  alerts = poll({
    load: (signal) => get("health/alerts", {}, signal),
    show: showAlerts,
    place: $("#alerts-problem"),
    seconds: 10,
  });
  $("#send").hidden = !may("watch_health");
  $("#send").addEventListener("click", send);
}
