// The countries, drawn once onto a canvas, and the page's current colours.

import { opposite, sunAt } from "./live-sun.js";
import { here, loadScripts } from "./scripts.js";

// Degrees around the place opposite of the sun, each a little darker: from sunset to night.
const TWILIGHT = [90, 88, 86, 84, 82, 80, 78, 76];

/** Load the maps' web packages, once. */
export async function loadMaps() {
  if (!("topojson" in window)) await loadScripts("d3-array.js", "d3-geo.js", "topojson-client.js");
}

/** Countries as GeoJSON, and their borders. @returns {Promise<World>} */
export async function loadWorld() {
  const answer = await fetch(here("countries-110m.json"), { credentials: "same-origin" });
  if (!answer.ok) throw new Error("the map of the world could not be loaded");
  const world = await answer.json();
  const { feature, mesh } = window.topojson;
  return { land: feature(world, world.objects.land), borders: mesh(world, world.objects.countries) };
}

/** A design token's colour as rgb(), for a canvas or a shader. @param {string} name */
export function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  (document.querySelector("#map") ?? document.body).append(probe); // the stage is always dark, so probe inside it
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Red, green and blue from 0 to 1. @param {string} css @returns {Rgb} */
export function channels(css) {
  const [r, g, b] = (css.match(/[\d.]+/g) ?? []).map((v) => Number(v) / 255);
  return [r, g, b];
}

/** A canvas's 2D context. @param {HTMLCanvasElement} canvas */
export function brushOf(canvas) {
  const brush = canvas.getContext("2d");
  if (brush === null) throw new Error("this browser draws on no canvas");
  return brush;
}

/**
 * Draw sea, land and borders in a projection.
 * @param {CanvasRenderingContext2D} context
 * @param {Projection} projection
 * @param {World} world
 */
export function drawWorld(context, projection, world, scale = 1) {
  const path = window.d3.geoPath(projection, context);
  const fill = (/** @type {Shape} */ shape, /** @type {string} */ style) => {
    context.beginPath();
    path(shape);
    context.fillStyle = style;
    context.fill();
  };
  fill({ type: "Sphere" }, colour("sea"));
  fill(world.land, colour("land"));
  context.beginPath();
  path(world.borders);
  context.strokeStyle = colour("coast");
  context.lineWidth = 0.8 * scale;
  context.stroke();
  context.globalAlpha = 0.06;
  const dark = window.d3.geoCircle().center(opposite(sunAt(Date.now())));
  for (const radius of TWILIGHT) fill(dark.radius(radius)(), colour("night"));
  context.globalAlpha = 1;
}

export const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Call `redraw` when the page switches between light and dark; returns what ends that. @param {() => void} redraw */
export function onTheme(redraw) {
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const watcher = new MutationObserver(redraw);
  scheme.addEventListener("change", redraw);
  watcher.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => {
    scheme.removeEventListener("change", redraw);
    watcher.disconnect();
  };
}
