// The address that people see and share. Inside Airflow's frame it is that of the window around it, which Airflow sets to
// /plugin/<view>/<address inside> when a page has loaded in the frame, and opens as such.

import { h, toTab } from "./pinwheel.js";

const VIEW = /^.*\/plugin\/[^/]+/;
const around = window.parent;
const here = location.pathname;

/** Whether the window around this one is Airflow's, and shows this page and not the one before it. */
function isFramed() {
  if (around === window) return false;
  const path = around.location.pathname;
  const view = VIEW.exec(path)?.[0];
  return view !== undefined && (path === view + here || path === view) && (path !== view || isViewOf(view));
}

/** Without an address inside, a view shows its own page. @param {string} view */
const isViewOf = (view) => view.endsWith(`/pinwheel-${document.documentElement.dataset.page}`);

/** The parameters of the address. */
export const parameters = () => new URLSearchParams((isFramed() ? around : window).location.search);

/** @param {Record<string, string | null>} said */
function queryWith(said) {
  const query = parameters();
  for (const [name, value] of Object.entries(said)) value === null ? query.delete(name) : query.set(name, value);
  const text = query.toString();
  return text && `?${text}`;
}

/** The address with these parameters; null leaves one out, the others stay. @param {Record<string, string | null>} said */
export function addressWith(said) {
  const view = isFramed() ? VIEW.exec(around.location.pathname) : null;
  return `${view?.[0] ?? ""}${here}${queryWith(said)}`;
}

/** Change the address. @param {Record<string, string | null>} said */
export function change(said) {
  const [outer, inner] = [addressWith(said), `${here}${queryWith(said)}`];
  if (isFramed()) around.history.replaceState(around.history.state, "", outer);
  history.replaceState(history.state, "", inner); // which Airflow reads when the frame has loaded
}

/** Change the address, so that Back leads back. @param {Record<string, string | null>} said */
export function step(said) {
  const owner = isFramed() ? around : window;
  owner.history.pushState(owner.history.state, "", addressWith(said));
  if (owner === around) change({});
}

/** Call `show` when the address has changed by Back or Forward. @param {() => void} show */
export function onBack(show) {
  for (const one of new Set([window, around])) one.addEventListener("popstate", show);
}

/**
 * A link to the same page with other parameters: `show` shows them here, and Back leads back; or it opens in a new tab.
 * @param {Record<string, string | null>} said
 * @param {() => void} show
 * @param {Attributes} attributes
 * @param {Child} text
 */
export function stepLink(said, show, attributes, text) {
  const go = (/** @type {MouseEvent} */ event) => {
    if (event.button > 1) return;
    if (event.button === 1 || event.metaKey || event.ctrlKey || event.shiftKey) return toTab(event, link);
    event.preventDefault();
    step(said);
    show();
  };
  const link = h("a", { ...attributes, href: addressWith(said), on: { click: go, auxclick: go } }, text);
  return link;
}

// A page that was reached inside has its own parameters, and the window still those of the one before. An address without
// one inside loses its parameters when the page has loaded, unless the page has them.
if (isFramed()) {
  const view = VIEW.exec(around.location.pathname)?.[0] ?? "";
  if (around.location.pathname === view) change({});
  else around.history.replaceState(around.history.state, "", `${view}${here}${location.search}`);
}
