// The rows of an answer as a table that a click on a column's name sorts.

import { fill, h } from "./pinwheel.js";

const LONGEST = 500; // characters of a cell; the file has the rest

/** @param {Api.Answer} answer */
export function grid({ columns, rows }) {
  const body = h("tbody");
  const heads = columns.map((column, n) =>
    h(
      "th",
      { scope: "col", class: column.kind === "number" ? "number" : null },
      h("button", { type: "button", class: "plain-button", on: { click: () => sort(n) } }, column.name),
    ),
  );
  let by = -1;
  let isUp = false;

  /** Numbers begin with the largest. @param {number} n */
  function sort(n) {
    isUp = by === n ? !isUp : columns[n].kind !== "number";
    by = n;
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[n].setAttribute("aria-sort", isUp ? "ascending" : "descending");
    show(sorted(rows, n, columns[n].kind, isUp));
  }

  /** @param {(string | null)[][]} shown */
  function show(shown) {
    const cells = (/** @type {(string | null)[]} */ row) => row.map((text, n) => cell(text, columns[n].kind));
    fill(
      body,
      shown.map((row) => h("tr", {}, cells(row))),
    );
  }

  show(rows);
  const table = h(
    "table",
    { class: "data grid" },
    h("caption", { class: "hidden" }, "Rows of the answer"),
    h("thead", {}, h("tr", {}, heads)),
    body,
  );
  return h("div", { class: "scroll rows", tabindex: "0", role: "region", "aria-label": "Rows" }, table);
}

/** @param {string | null} text @param {Api.ResultColumn["kind"]} kind */
function cell(text, kind) {
  if (text === null) return h("td", { class: kind === "number" ? "number quiet" : "quiet" }, "NULL");
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
  return kind === "text" ? h("td", {}, h("bdi", { class: "cell" }, shown)) : h("td", { class: kind }, shown);
}

/**
 * NULL comes last either way.
 * @param {(string | null)[][]} rows
 * @param {number} n
 * @param {Api.ResultColumn["kind"]} kind
 * @param {boolean} isUp
 */
function sorted(rows, n, kind, isUp) {
  const sign = isUp ? 1 : -1;
  return [...rows].sort((one, other) => {
    const [a, b] = [one[n], other[n]];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (kind === "number") return sign * compared(a, b);
    return a < b ? -sign : a > b ? sign : 0;
  });
}

const WHOLE = /^-?\d+$/;
/** Whole numbers are exact, also those that JavaScript's are not. @param {string} a @param {string} b */
function compared(a, b) {
  if (!WHOLE.test(a) || !WHOLE.test(b)) return Number(a) - Number(b);
  return BigInt(a) < BigInt(b) ? -1 : Number(BigInt(a) > BigInt(b));
}
