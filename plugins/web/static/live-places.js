// The places of the last minute: the busiest as a list, any of them by pointing at it.

import { events } from "./live-filters.js";
import { $, compact, count, country, fill, h } from "./pinwheel.js";

const REACH = 22; // pixels around the pointer
const DEGREE = Math.PI / 180;
const REGION = Math.cos(40 * DEGREE); // what is nearer is one region
const CENTRES = 50; // places that a region is looked for around

/** @param {{city: string | null}} place */
export const townOf = (place) => place.city ?? "Unknown town";

/** Whether somebody reads or uses it: then it must not move. @param {Element} list */
export const isInUse = (list) => list.matches(":hover, :focus-within");

/**
 * The middle of the region with most events, because that of all may be an ocean; null without events.
 * @param {Place[]} places busiest first
 * @returns {Point | null}
 */
export function middle(places) {
  const all = places.map(({ at: [longitude, latitude], events }) => {
    const [along, up] = [longitude * DEGREE, latitude * DEGREE];
    return { events, to: [Math.cos(up) * Math.cos(along), Math.cos(up) * Math.sin(along), Math.sin(up)] };
  });
  let [most, best] = [0, [0, 0, 0]];
  for (const { to } of all.slice(0, CENTRES)) {
    const near = all.filter((place) => dot(place.to, to) > REGION);
    const sum = to.map((_, axis) => near.reduce((total, place) => total + place.events * (place.to[axis] ?? 0), 0));
    if (Math.hypot(...sum) > most) [most, best] = [Math.hypot(...sum), sum];
  }
  const [x = 0, y = 0, z = 0] = best;
  return most ? [Math.atan2(y, x) / DEGREE, Math.atan2(z, Math.hypot(x, y)) / DEGREE] : null;
}

/** @param {number[]} one @param {number[]} other */
const dot = (one, other) => one.reduce((sum, value, axis) => sum + value * (other[axis] ?? 0), 0);

/** The list, and the note at the place that is pointed at or chosen in the list. */
export class Places {
  /** @type {Place[]} */
  all = [];
  /** @type {Place | null} */
  named = null;
  /** @type {Point | null} */
  pointer = null;
  isChosen = false;

  /** @param {(place: Place) => void} face */
  constructor(face) {
    this.face = face;
    const map = $("#map");
    map.addEventListener("pointermove", (event) => this.point([event.offsetX, event.offsetY]));
    map.addEventListener("pointerdown", (event) => this.point([event.offsetX, event.offsetY]));
    map.addEventListener("pointerleave", () => this.point(null));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.choose(null));
    $("#places").addEventListener("focusout", () => this.choose(null));
  }

  /** @param {Place[]} places */
  show(places) {
    this.all = places;
    if (!isInUse($("#places")))
      fill(
        $("#places"),
        places.slice(0, 8).map((place) => this.line(place)),
      );
  }

  /** @param {Place} place */
  line(place) {
    const choose = () => this.choose(place);
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "place", on: { focus: choose, click: choose } },
        h("span", { class: "clip" }, townOf(place), " ", h("small", {}, country(place.country))),
        h("b", {}, compact(place.events)),
      ),
    );
  }

  /** @param {Point | null} pointer */
  point(pointer) {
    this.pointer = pointer;
    this.isChosen = false;
  }

  /** @param {Place | null} place */
  choose(place) {
    this.isChosen = place !== null;
    this.name(place);
    if (place) this.face(place);
  }

  /** Follow the place while the globe turns. @param {View | null} view */
  frame(view) {
    if (!this.isChosen) this.name(view && this.pointer && this.nearest(view, this.pointer));
    const at = this.named && view?.pointOf(this.named.at);
    $("#place").hidden = !at;
    if (at) $("#place").style.translate = `${at[0].toFixed(1)}px ${at[1].toFixed(1)}px`;
  }

  /** @param {View} view @param {Point} pointer */
  nearest(view, pointer) {
    let [found, least] = [/** @type {Place | null} */ (null), REACH];
    for (const place of this.all) {
      const at = view.pointOf(place.at);
      const away = at ? Math.hypot(at[0] - pointer[0], at[1] - pointer[1]) : Number.POSITIVE_INFINITY;
      if (away < least) [found, least] = [place, away];
    }
    return found;
  }

  /** @param {Place | null} place */
  name(place) {
    if (place === this.named) return;
    this.named = place;
    if (!place) return;
    const what = Object.entries(place.types).map(([type, n]) => events(type, n, count));
    fill(
      $("#place-text"),
      h("b", {}, townOf(place), ", ", country(place.country)),
      h("br"),
      what.join(", "),
      " in a minute",
    );
  }
}
