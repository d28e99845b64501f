// Shared by all pages. Text from pins, brands and people enters the document as text nodes only, never as HTML.

const BASE = document.documentElement.dataset.base ?? "";
const SVG = "http://www.w3.org/2000/svg";

/* Making nodes ---------------------------------------------------------------------------------------------------- */

/**
 * An element: h("td", {class: "number", on: {click}}, "text", node). A string is always text.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
export function h(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/**
 * The same for SVG: s("path", {d}).
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
export function s(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @template {Element} Made
 * @param {Made} node
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
function build(node, { on = {}, ...attributes }, children) {
  for (const [event, act] of Object.entries(on)) node.addEventListener(event, /** @type {EventListener} */ (act));
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "href" || name === "src") node.setAttribute(name, safeUrl(value));
    else if (/^on|^style$|^srcdoc$/i.test(name)) throw new Error(`${name} must not be set as an attribute`);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...shown(children));
  return node;
}

/**
 * The children that are not null, undefined or false, flattened; append() and replaceChildren() turn numbers into text.
 * @param {Child[]} children
 */
function shown(children) {
  const flat = /** @type {unknown[]} */ (children).flat(Number.POSITIVE_INFINITY);
  return /** @type {(Node | string)[]} */ (flat.filter((c) => c !== null && c !== undefined && c !== false));
}

/** The URL if it is http(s), else "#": a link from data may be a javascript: URL. @param {unknown} url */
export function safeUrl(url) {
  if (!URL.canParse(String(url), location.href)) return "#";
  const { protocol } = new URL(String(url), location.href);
  return protocol === "http:" || protocol === "https:" ? String(url) : "#";
}

/**
 * Replace a node's children. Pages refresh themselves while people use them: the control that had the focus has it again,
 * and what was unfolded stays so.
 * @template {Element} Filled
 * @param {Filled} node
 * @param {Child[]} children
 */
export function fill(node, ...children) {
  const [focused, before] = [document.activeElement, controls(node)];
  node.replaceChildren(...shown(children));
  if (!before.size) return node;
  const after = controls(node);
  for (const [name, control] of before) {
    if (control === focused) after.get(name)?.focus({ preventScroll: true });
    if (control === asker) asker = after.get(name) ?? null;
    if (control.matches("details[open] > summary")) after.get(name)?.parentElement?.setAttribute("open", "");
  }
  return node;
}

/** The control that opened the dialog, which has the focus again after it. @type {HTMLElement | null} */
let asker = null;

/** A node's controls by their names; the second of the same name is another. @param {Element} node */
function controls(node) {
  /** @type {Map<string, HTMLElement>} */
  const found = new Map();
  /** @type {NodeListOf<HTMLElement>} */
  const all = node.querySelectorAll("a, button, select, input, summary, [tabindex]");
  for (const one of all) {
    const name = `${one.tagName} ${one.getAttribute("aria-label") ?? one.textContent}`;
    let n = 0;
    while (found.has(`${name} ${n}`)) n += 1;
    found.set(`${name} ${n}`, one);
  }
  return found;
}

/** The first element that matches. The type omits null: a page has all elements that its script looks up. */
export const $ = /** @type {Find} */ (
  (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) => within.querySelector(selector)
);

// On a phone the links are wider than the window.
document.querySelector(".bar [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

/* Asking the server ----------------------------------------------------------------------------------------------- */

export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * GET api/<path> as JSON; parameters that are null or "" are left out. Throws an ApiError.
 * @param {string} path
 * @param {Query} parameters
 * @param {AbortSignal} [signal]
 */
export function get(path, parameters = {}, signal) {
  return ask(address(path, parameters), { signal });
}

/**
 * Start a run of a Dag, as the viewer: Airflow decides whether they may. The run's id. Throws an ApiError.
 * @param {string} dag
 * @param {object} conf
 * @returns {Promise<string>}
 */
export async function trigger(dag, conf) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ logical_date: null, conf });
  const run = await ask(airflowUrl(`api/v2/dags/${dag}/dagRuns`), { method: "POST", headers, body });
  return run.dag_run_id;
}

const LOOK_EVERY = 2000; // ms between two looks at a run
const GIVE_UP = 60; // looks in a row that fail

/**
 * Start a run as `trigger` does, and follow it to its end. `told` gets each state on the way: queued, running, or unknown when
 * a look fails, which says nothing of the run; and what makes a link to it. Throws an ApiError: it could not be started.
 * @param {string} dag
 * @param {object} conf
 * @param {(state: string, link: () => Child) => void} told
 * @returns {Promise<{run: string, link: () => Child, state: string}>} state: success, failed, or unknown after minutes
 */
export async function follow(dag, conf, told) {
  const run = await trigger(dag, conf);
  const link = () => airflowLink(`dags/${dag}/runs/${encodeURIComponent(run)}`, "its run");
  let state = "queued";
  for (let failures = 0; failures < GIVE_UP && state !== "success" && state !== "failed"; ) {
    told(state, link);
    await new Promise((done) => setTimeout(done, LOOK_EVERY));
    const found = await ask(runUrl(dag, run), {}).catch(() => null);
    state = found?.state ?? "unknown";
    failures = found ? 0 : failures + 1;
  }
  return { run, link, state };
}

/**
 * Why a task refused what was asked of it, from its log; null: its log has no refusal, or does not come.
 * @param {string} dag
 * @param {string} run
 * @param {string} task
 * @returns {Promise<string | null>}
 */
export async function refusal(dag, run, task) {
  const options = { headers: { Accept: "application/json" } };
  const log = await ask(`${runUrl(dag, run)}/taskInstances/${task}/logs/1`, options).catch(() => null);
  const lines = /** @type {{logger?: string, event?: string}[]} */ (log?.content ?? []);
  return lines.find((line) => line.logger === "pinwheel.operate.refusal")?.event ?? null;
}

/** @param {string} dag @param {string} run */
const runUrl = (dag, run) => airflowUrl(`api/v2/dags/${dag}/dagRuns/${encodeURIComponent(run)}`);

/** Why a run could not be asked for. @param {string} dag @param {unknown} error */
export function whyNot(dag, error) {
  if (!(error instanceof ApiError) || !error.status) return "It could not be asked for.";
  return error.status === 403 ? `You may not trigger ${dag}.` : error.message;
}

/**
 * POST api/<path>: the whole response. Throws an ApiError.
 * @param {string} path
 * @param {object} body
 * @param {AbortSignal} [signal]
 */
export function post(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return answered(address(path), { method: "POST", headers, body: JSON.stringify(body), signal });
}

/**
 * Start a run as `trigger` does, from a button; what to say about it.
 * @param {string} dag
 * @param {object} conf
 */
export async function askedFor(dag, conf) {
  try {
    await trigger(dag, conf);
    return "Asked for; it follows within half a minute.";
  } catch (error) {
    return whyNot(dag, error);
  }
}

/** @type {number | undefined} */
let saidOver;

/** The same, said at a place for half a minute. @param {Element} place @param {string} dag @param {object} conf */
export async function askedAt(place, dag, conf) {
  place.textContent = await askedFor(dag, conf);
  clearTimeout(saidOver);
  saidOver = setTimeout(() => (place.textContent = ""), 30000);
}

/** @param {string} path @param {Query} parameters */
export function address(path, parameters = {}) {
  const given = Object.entries(parameters).flatMap(([name, v]) =>
    v === null || v === undefined || v === "" ? [] : [[name, String(v)]],
  );
  const query = new URLSearchParams(given).toString();
  return `${BASE}api/${path}${query ? `?${query}` : ""}`;
}

/**
 * The response's JSON; the caller declares its Api type.
 * @param {string} url
 * @param {RequestInit} options
 * @returns {Promise<any>}
 */
async function ask(url, options) {
  return (await answered(url, options)).json();
}

/** @param {string} url @param {RequestInit} options */
async function answered(url, options) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, "unreachable", "Airflow does not answer. This page retries by itself.");
  }
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => null);
  const failure = body?.error ?? { code: "failed", message: `Airflow answered ${answer.status}.` };
  if (answer.status === 401) failure.message = "You are signed out of Airflow. Sign in again, then reload this page.";
  throw new ApiError(answer.status, failure.code, failure.message);
}

/** @param {unknown} error */
const isAbort = (error) => error instanceof Error && error.name === "AbortError";

/**
 * Call `load(signal)` then `show(data)` repeatedly while the page is visible. An error is shown in `place`, above the last
 * data, and disappears with the next success. Returns {now()}, which polls at once.
 * @template Data
 * @param {Poll<Data>} wanted
 */
export function poll({ load, show, place, seconds = 10 }) {
  /** @type {number | undefined} */
  let timer;
  /** @type {AbortController | undefined} */
  let asking;
  let failures = 0;
  async function now() {
    clearTimeout(timer);
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    try {
      const data = await load(mine.signal);
      if (mine.signal.aborted) return;
      failures = 0;
      fill(place);
      show(data);
    } catch (error) {
      if (isAbort(error) || mine.signal.aborted) return;
      failures += 1;
      if (!(error instanceof ApiError)) console.error(error);
      fill(place, notice(error));
    }
    const pause = Math.min(60, seconds * 2 ** Math.min(failures, 4) * (failures ? 0.5 : 1));
    if (!document.hidden) timer = setTimeout(now, pause * 1000);
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : now()));
  now();
  return { now };
}

/* Pieces of pages ------------------------------------------------------------------------------------------------- */

/** A paragraph that describes an error. @param {unknown} error */
export function notice(error) {
  const text = error instanceof ApiError ? error.message : "This page failed. Reload it.";
  return h("p", { class: "notice bad", role: "alert" }, text);
}

/** Shown instead of an empty list: what it means and what to do. @param {string} title @param {Child} todo */
export function empty(title, todo) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), h("p", {}, todo));
}

/**
 * Ask in a dialog, for the sandbox of Airflow's frame blocks confirm() and prompt(). The fields' values; null: cancelled.
 * @param {string} question
 * @param {string} verb
 * @param {Child[]} fields
 * @returns {Promise<Record<string, string> | null>}
 */
export function askPerson(question, verb, ...fields) {
  return new Promise((resolve) => {
    const buttons = h(
      "p",
      { class: "links" },
      h("button", { class: "main", value: "yes" }, verb),
      h("button", { type: "button", on: { click: () => box.close() } }, "Cancel"),
    );
    const form = h("form", { method: "dialog" }, h("p", {}, question), fields, buttons);
    const over = () => {
      box.remove();
      asker?.focus({ preventScroll: true });
      asker = null;
      const values = /** @type {[string, string][]} */ ([...new FormData(form)]);
      resolve(box.returnValue === "yes" ? Object.fromEntries(values) : null);
    };
    const box = h("dialog", { "aria-label": question, on: { close: over } }, form);
    asker = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    document.body.append(box);
    box.showModal();
  });
}

/** A term and its value in a list of facts. @param {Child} label @param {Child} value */
export const fact = (label, value) => [h("dt", {}, label), h("dd", {}, value ?? "–")];

/** A line of a list of bars. @param {Child} name @param {number} value @param {number} most @param {string} shown */
export function barLine(name, value, most, shown) {
  const filled = h("span", { class: "fill" });
  filled.style.setProperty("--share", `${(100 * value) / most}%`);
  return h("li", {}, name, h("span", { class: "bar-track" }, filled), h("b", {}, shown));
}

/** Countries with their engagement and people. @param {Api.Country[]} rows */
export function countryTable(rows) {
  /** @type {Column<Api.Country>[]} */
  const columns = [
    { label: "Country", cell: (c) => country(c.country_code) },
    { label: "Engagement", number: true, cell: (c) => count(c.engagement) },
    { label: "People", number: true, cell: (c) => count(c.people) },
  ];
  return table(columns, rows);
}

/** A labelled field of a dialog. @param {string} label @param {HTMLElement} input */
export const field = (label, input) => h("label", { class: "field" }, h("span", {}, label), input);

/** A status badge. The text carries the meaning; the colour only repeats it. @param {Kind} kind @param {Child} text */
export function badge(kind, text) {
  return h("span", { class: `badge ${kind}` }, text);
}

/**
 * A table. A null cell is shown as a dash. With `sorting`, the names of columns with a `sort` are buttons.
 * @template Row
 * @param {Column<Row>[]} columns
 * @param {Row[]} rows
 * @param {string} [caption]
 * @param {Sorting} [sorting]
 */
export function table(columns, rows, caption, sorting) {
  const head = h(
    "tr",
    {},
    columns.map((c) => headCell(c, sorting)),
  );
  const body = rows.map((row) =>
    h(
      "tr",
      {},
      columns.map((c) =>
        h("td", { class: c.number ? "number" : null, "data-label": c.label }, cell(c.cell(row) ?? "–")),
      ),
    ),
  );
  const parts = [
    caption ? h("caption", { class: "hidden" }, caption) : null,
    h("thead", {}, head),
    h("tbody", {}, body),
  ];
  return scrollable(
    h(
      "div",
      { class: "scroll", role: "group", "aria-label": caption },
      h("table", { class: sorting ? "data sortable" : "data" }, parts),
    ),
  );
}

/**
 * A click sorts by the column as its `sort` says, the next one the other way round.
 * @param {{label: string, number?: boolean, sort?: string}} column
 * @param {Sorting} [sorting]
 */
function headCell({ label, number, sort }, sorting) {
  const attributes = { scope: "col", class: number ? "number" : null };
  if (!sort || !sorting) return h("th", attributes, label);
  const other = sort.startsWith("-") ? sort.slice(1) : `-${sort}`;
  const is = sorting.sort === sort || sorting.sort === other;
  const order = !is ? null : sorting.sort.startsWith("-") ? "descending" : "ascending";
  const click = () => sorting.by(sorting.sort === sort ? other : sort);
  const button = h("button", { type: "button", class: "plain-button", on: { click } }, label);
  return h("th", { ...attributes, "aria-sort": order }, button);
}

const scrollables = new ResizeObserver((changed) => {
  for (const { target } of changed) {
    if (target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight)
      target.setAttribute("tabindex", "0");
    else target.removeAttribute("tabindex");
  }
});

/**
 * Let the keyboard scroll a node while it is too small for its content: not every browser does by itself.
 * @template {Element} Node
 * @param {Node} node
 */
export function scrollable(node) {
  node.setAttribute("tabindex", "0"); // until it is measured: a refresh gives the focus back at once
  scrollables.observe(node);
  return node;
}

/** Names keep their words whole, up to a width; other content decides for itself. @param {Child} content */
function cell(content) {
  const isName = typeof content === "string" || (content instanceof Element && content.matches("b, a, bdi"));
  return isName ? h("span", { class: "cell" }, content) : content;
}

/**
 * A sparkline; null leaves a gap. A limit is a line, unless it is far above all values.
 * @param {(number | null)[]} values
 * @param {string} label
 * @param {{width?: number, height?: number, limit?: number | null}} options
 */
export function sparkline(values, label, { width = 120, height = 28, limit = null } = {}) {
  const known = values.filter((v) => v !== null);
  const most = Math.max(1e-9, ...known);
  const shown = limit !== null && limit > 0 && limit <= 4 * most ? limit : null;
  const top = Math.max(most, shown ?? 0);
  const x = (/** @type {number} */ i) => (values.length < 2 ? 0 : (i / (values.length - 1)) * (width - 2) + 1);
  const y = (/** @type {number} */ v) => height - 2 - (v / top) * (height - 4);
  let path = "";
  values.forEach((v, i) => {
    if (v !== null) path += `${path && values[i - 1] !== null && i ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
  });
  const box = {
    class: "sparkline",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-label": label,
  };
  const at = shown === null ? null : y(shown).toFixed(1);
  const line = at && s("path", { class: "limit", d: `M0 ${at}H${width}` });
  return s("svg", box, line, s("path", { d: path || "M0 0", fill: "none" }));
}

/** A brand's name; of one without a name "brand" and its number. @param {{brand_id: number | string, name?: string | null}} brand */
export const brandName = ({ brand_id, name }) => name?.trim() || `brand ${brand_id}`;

/** The same with its number, which is unlike that of any other brand: "Halden (17)". @param {{brand_id: number | string, name?: string | null}} brand */
export const brandText = (brand) => `${brandName(brand)} (${brand.brand_id})`;

/** A link to a brand's running day. @param {number | string} id @param {string} text */
export const brandLink = (id, text) => h("a", { href: `${BASE}brand?brand=${id}` }, text);

/** A link to a pin's page. @param {string} id @param {string | null} title */
export const pinLink = (id, title) => h("a", { href: `${BASE}pin?pin=${id}` }, title?.trim() || `Pin ${id}`);

/** The value of a parameter of the page's address; null if it is not a number. @param {string} name */
export function asked(name) {
  const value = new URLSearchParams(location.search).get(name);
  return value !== null && /^\d+$/.test(value) ? value : null;
}

/** A category's name; "(none)" is none. @param {string | null} name */
export const category = (name) => (!name || name === "(none)" ? "Without a category" : name);

/** A link into Airflow. Inside Airflow's frame, Airflow's router follows it, which the frame's sandbox allows. @param {string} path @param {string} text */
export function airflowLink(path, text) {
  const go = (/** @type {MouseEvent} */ event) => {
    if (window.parent === window || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    window.parent.history.pushState({}, "", link.href);
    window.parent.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  };
  const link = h("a", { href: airflowUrl(path), on: { click: go } }, text);
  return link;
}

/** A link to somebody else's page, in a new tab that learns nothing of this one. @param {string} url an https URL */
export const outsideLink = (url) => tabLink(url, h("bdi", {}, url));

/** A link that opens in a new tab. @param {string} url @param {Child} text */
export function tabLink(url, text) {
  const go = (/** @type {MouseEvent} */ event) => toTab(event, link);
  const link = h("a", { href: url, rel: "noopener noreferrer", target: "_blank", on: { click: go } }, text);
  return link;
}

/** Airflow's frame allows no new tabs, so there Airflow's own document follows the link. @param {Event} event @param {HTMLAnchorElement} link */
export function toTab(event, link) {
  if (window.parent === window) return;
  event.preventDefault();
  const twin = window.parent.document.createElement("a");
  Object.assign(twin, { href: link.href, rel: "noopener noreferrer", target: "_blank" });
  twin.click();
}

/** Airflow's address of a path: our pages are under <Airflow>/pinwheel/. @param {string} path */
function airflowUrl(path) {
  return new URL(`../${path}`, new URL(BASE || ".", location.href)).href;
}

/** A link to a runbook, given its path in the repository. @param {string | null | undefined} path */
export function runbookLink(path, text = "runbook") {
  const name = /^docs\/runbooks\/(\w+)\.md$/.exec(path ?? "")?.[1];
  return name ? h("a", { href: `${BASE}runbooks/${name}` }, text) : null;
}

/* Numbers and times ----------------------------------------------------------------------------------------------- */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const regions = new Intl.DisplayNames(["en"], { type: "region" });

/** @param {number | null | undefined} n */
export const count = (n) => (n === null || n === undefined ? "–" : whole.format(n));
/** @param {number | null | undefined} n */
export const compact = (n) =>
  n === null || n === undefined ? "–" : Math.abs(n) >= 10 && Math.abs(n) < 1000 ? whole.format(n) : short.format(n);
/** @param {number | null} share */
export const percent = (share, digits = 1) => (share === null ? "–" : `${(share * 100).toFixed(digits)} %`);

/** 4 s, 3 min, 2 h 5 min, 3 d. @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const n = Math.max(0, seconds);
  if (n < 10) return `${n.toFixed(1)} s`;
  if (n < 120) return `${Math.round(n)} s`;
  if (n < 7200) return `${Math.round(n / 60)} min`;
  if (n < 172800) return `${Math.floor(n / 3600)} h ${Math.round((n % 3600) / 60)} min`;
  return `${Math.round(n / 86400)} d`;
}

/** A server time as a <time> in UTC; null is a dash. @param {string | null | undefined} iso */
export function when(iso, { seconds = true } = {}) {
  if (!iso) return "–";
  const at = new Date(iso);
  const text = at
    .toISOString()
    .replace("T", " ")
    .slice(0, seconds ? 19 : 16);
  return h("time", { datetime: at.toISOString(), title: `${text} UTC` }, `${text} UTC`);
}

/** Seconds since a time, by this computer's clock. @param {string} iso */
export const secondsSince = (iso) => (Date.now() - Date.parse(iso)) / 1000;

/** @param {string | null | undefined} iso */
export const ago = (iso) => (iso ? `${duration(secondsSince(iso))} ago` : "–");

/** A country's name by its code; ZZ and null are unknown. @param {string | null | undefined} code */
export function country(code) {
  if (!code || code === "ZZ") return "Unknown place";
  try {
    return regions.of(code) ?? code;
  } catch {
    return code;
  }
}
