// What the live page shows: chosen in its form, kept in the address, said in words.

import { change, parameters } from "./address.js";
import { TYPES } from "./live-feed.js";

const ONE_TYPE = { repin: "repins", pin: "pins", comment: "comments", login: "logins" };
const ONE_EVENT = { repin: "repin", pin: "pin", comment: "comment", login: "login" };
const VIEWS = ["globe", "map", "table"];
/** @type {Filters} */
const USUAL = { types: ["repin"], brand: "", category: "", view: null };

/** What the form says. @param {HTMLFormElement} form @returns {Filters} */
export function chosen(form) {
  const said = new FormData(form);
  const text = (/** @type {string} */ name) => String(said.get(name) ?? "");
  const types = /** @type {EventType[]} */ (said.getAll("types"));
  return { types, brand: text("brand"), category: text("category"), view: /** @type {ViewName} */ (text("view")) };
}

/** What the address says, as far as it is possible. @returns {Filters} */
export function fromAddress() {
  const said = parameters();
  const types = said.has("types") ? TYPES.filter((type) => said.get("types")?.split(",").includes(type)) : USUAL.types;
  const view = /** @type {ViewName | null} */ (VIEWS.includes(said.get("view") ?? "") ? said.get("view") : null);
  const brand = /^\d{1,15}$/.test(said.get("brand") ?? "") ? said.get("brand") : "";
  return { types, view, brand: brand ?? "", category: said.get("category")?.slice(0, 64) ?? "" };
}

/** Put it into the address, without what is usual. @param {Filters} filters @param {ViewName} usualView */
export function toAddress(filters, usualView) {
  const types = filters.types.join(",");
  change({
    types: types === USUAL.types.join(",") ? null : types,
    brand: filters.brand || null,
    category: filters.category || null,
    view: filters.view === usualView ? null : filters.view,
  });
}

/** "repins and comments of Halden in Food". @param {Filters} filters @param {string} brandName */
export function inWords({ types, category }, brandName) {
  const what = new Intl.ListFormat("en").format(types.map((type) => ONE_TYPE[type])) || "events";
  return `${what}${brandName && ` of ${brandName}`}${category && ` in ${category}`}`;
}

/** "3 repins". @param {string} type @param {number} n @param {(n: number) => string} count */
export const events = (type, n, count) =>
  `${count(n)} ${(n === 1 ? ONE_EVENT : ONE_TYPE)[/** @type {EventType} */ (type)]}`;
