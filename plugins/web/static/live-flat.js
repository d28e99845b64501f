// The flat map: the same circles on a canvas, for browsers without WebGL and for viewing the whole world at once.

import { TYPES } from "./live-feed.js";
import { brushOf, channels, colour, drawWorld, isStill, loadMaps, loadWorld, onTheme } from "./live-world.js";

const DUSK = 60000; // ms between two drawings of the night

/**
 * @param {HTMLElement} box
 * @param {import("./live-rings.js").Rings} rings
 * @returns {Promise<View>}
 */
export async function flatMap(box, rings) {
  await loadMaps();
  const world = await loadWorld();
  const canvas = document.createElement("canvas");
  const behind = document.createElement("canvas");
  const projection = window.d3.geoNaturalEarth1();
  const pixels = Math.min(2, devicePixelRatio || 1);
  /** @type {Record<string, Rgb>} */
  let colours = {};

  function fit() {
    const width = box.clientWidth;
    const height = Math.max(200, box.clientHeight);
    for (const c of [canvas, behind]) Object.assign(c, { width: width * pixels, height: height * pixels });
    projection.fitExtent(
      [
        [8, 8],
        [width * pixels - 8, height * pixels - 8],
      ],
      { type: "Sphere" },
    );
    drawWorld(brushOf(behind), projection, world, pixels);
    colours = Object.fromEntries(TYPES.map((type) => [type, bytes(channels(colour(type)))]));
  }

  box.replaceChildren(canvas);
  fit(); // after the canvas is in the document: colours depend on the stage's scheme
  const watcher = new ResizeObserver(fit);
  watcher.observe(box);
  const unwatch = onTheme(fit);
  const dusk = setInterval(fit, DUSK);

  return {
    frame(now) {
      const context = brushOf(canvas);
      context.drawImage(behind, 0, 0);
      const degree = projection.scale() * (Math.PI / 180);
      for (let i = 0; i < rings.born.length; i += 1) {
        const age = rings.born[i] ? (now - rings.born[i]) / rings.life : 1;
        if (age < 1)
          circle(
            context,
            projection([rings.longitude[i], rings.latitude[i]]),
            age,
            rings.size[i] * degree,
            colours[rings.type[i]],
          );
      }
    },
    face() {}, // all of it is seen
    pointOf(place) {
      const [x, y] = projection(place);
      return [x / pixels, y / pixels];
    },
    end() {
      clearInterval(dusk);
      unwatch();
      watcher.disconnect();
      box.replaceChildren();
    },
  };
}

/** @param {Rgb} rgb @returns {Rgb} */
const bytes = ([r, g, b]) => [Math.round(r * 255), Math.round(g * 255), Math.round(b * 255)];

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} at
 * @param {number} age
 * @param {number} size
 * @param {Rgb} colour
 */
function circle(context, [x, y], age, size, [r, g, b]) {
  const radius = isStill() ? size * 0.45 : size * (0.15 + 0.85 * (1 - (1 - age) ** 2));
  const strength = (1 - age) ** 1.3;
  context.beginPath();
  context.arc(x, y, Math.max(0.5, radius), 0, 2 * Math.PI);
  context.fillStyle = `rgb(${r} ${g} ${b} / ${(0.16 * strength).toFixed(3)})`;
  context.fill();
  context.strokeStyle = `rgb(${r} ${g} ${b} / ${(0.95 * strength).toFixed(3)})`;
  context.lineWidth = 1.6;
  context.stroke();
}
