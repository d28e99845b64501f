// The globe: globe.gl turns and lights it; the circles are one mesh of ours, drawn in one call however many there are.

import { CAPACITY } from "./live-rings.js";
import { brushOf, channels, colour, drawWorld, isStill, loadScripts, loadWorld, onTheme } from "./live-world.js";

const TEXTURE = 2048; // pixels around the equator: sharp enough, and drawn in a few milliseconds
const SLOW = 15; // frames/s below which the resolution is reduced
const COARSEST = 0.6; // lowest resolution, in rendered pixels per page pixel

const VERTEX = `
attribute vec3 normalAt; attribute float born; attribute float size; attribute vec3 tint;
uniform float now; uniform float life; uniform float still;
varying vec2 at; varying float age; varying vec3 hue;
void main() {
  age = born > 0.0 ? (now - born) / life : 1.0;
  float grown = mix(0.15 + 0.85 * (1.0 - (1.0 - age) * (1.0 - age)), 0.45, still);
  float radius = age < 1.0 ? radians(size) * 100.0 * grown : 0.0;
  vec3 side = normalize(cross(abs(normalAt.y) > 0.99 ? vec3(1.0, 0.0, 0.0) : vec3(0.0, 1.0, 0.0), normalAt));
  vec3 up = cross(normalAt, side);
  at = position.xy; hue = tint;
  vec3 place = normalAt * 100.6 + (side * position.x + up * position.y) * radius;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(place, 1.0);
}`;
const FRAGMENT = `
varying vec2 at; varying float age; varying vec3 hue;
void main() {
  float d = length(at);
  if (age >= 1.0 || d > 1.0) discard;
  float rim = smoothstep(0.7, 0.86, d) * (1.0 - smoothstep(0.93, 1.0, d));
  gl_FragColor = vec4(hue, pow(1.0 - age, 1.3) * (rim + 0.26));
}`;

/** The WebGL renderer: "card" (GPU), "software" (each pixel costs CPU time), or null without WebGL. */
export function whatDraws() {
  const context = document.createElement("canvas").getContext("webgl2");
  if (context === null) return null;
  const info = context.getExtension("WEBGL_debug_renderer_info");
  const name = info ? context.getParameter(info.UNMASKED_RENDERER_WEBGL) : "";
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(name) ? "software" : "card";
}

/**
 * @param {HTMLElement} box
 * @param {import("./live-rings.js").Rings} rings
 * @param {boolean} isSoftware
 * @returns {Promise<View>}
 */
export async function globeMap(box, rings, isSoftware) {
  /** @type {Three} */
  const THREE = await import("./vendor/three.module.js");
  window.THREE = { ...THREE }; // globe.gl uses this global; without it, it bundles a second copy
  await loadScripts(
    ...(window.d3?.geoPath === undefined ? ["d3-array.js", "d3-geo.js", "topojson-client.js"] : []),
    "globe.gl.js",
  );
  const world = await loadWorld();
  const texture = new THREE.CanvasTexture(document.createElement("canvas"));
  texture.colorSpace = THREE.SRGBColorSpace;
  if (isSoftware) Object.assign(texture, { generateMipmaps: false, minFilter: THREE.LinearFilter });
  const material = new THREE.MeshBasicMaterial({ map: texture });
  const globe = new window.Globe(box, {
    animateIn: false,
    waitForGlobeReady: false,
    rendererConfig: { antialias: !isSoftware, alpha: false }, // opaque: nothing behind it needs blending
  });
  globe.globeMaterial(material).backgroundColor(colour("night")).pointOfView({ lat: 30, lng: -38, altitude: 1.6 }, 0);
  globe.showAtmosphere(!isSoftware).atmosphereAltitude(0.16);
  globe.enablePointerInteraction(false); // nothing is clickable, so no ray is cast at every pointer move
  const circles = makeCircles(THREE, rings);
  globe.scene().add(circles.mesh);
  turn(globe.controls());
  paint();

  function paint() {
    const canvas = Object.assign(texture.image, { width: TEXTURE, height: TEXTURE / 2 });
    const flat = window.d3.geoEquirectangular().fitSize([TEXTURE, TEXTURE / 2], { type: "Sphere" });
    drawWorld(brushOf(canvas), flat, world, 1.4);
    texture.needsUpdate = true;
    globe.atmosphereColor(colour("coast"));
    circles.repaint();
  }

  const fit = () => globe.width(box.clientWidth).height(Math.max(200, box.clientHeight));
  fit();
  const watcher = new ResizeObserver(fit);
  watcher.observe(box);
  onTheme(paint);
  const quality = adapt(globe.renderer(), isSoftware);

  return {
    frame(now) {
      circles.frame(now);
      quality(now);
    },
    end() {
      watcher.disconnect();
      globe._destructor();
      box.replaceChildren();
    },
  };
}

/** @param {Controls} controls */
function turn(controls) {
  controls.autoRotate = !isStill();
  controls.autoRotateSpeed = 0.35;
  controls.enableZoom = true;
  controls.minDistance = 140;
  controls.maxDistance = 500;
}

/** One quad per circle. A new circle only writes its few numbers; the shader animates it. @param {Three} THREE @param {import("./live-rings.js").Rings} rings */
function makeCircles(THREE, rings) {
  const geometry = new THREE.InstancedBufferGeometry();
  geometry.setAttribute("position", new THREE.Float32BufferAttribute([-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0], 3));
  geometry.setIndex([0, 1, 2, 0, 2, 3]);
  const each = (/** @type {number} */ items) =>
    new THREE.InstancedBufferAttribute(new Float32Array(CAPACITY * items), items).setUsage(THREE.DynamicDrawUsage);
  const parts = { normalAt: each(3), born: each(1), size: each(1), tint: each(3) };
  for (const [name, part] of Object.entries(parts)) geometry.setAttribute(name, part);
  const uniforms = { now: { value: 0 }, life: { value: rings.life / 1000 }, still: { value: 0 } };
  const material = new THREE.ShaderMaterial({
    uniforms,
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    transparent: true,
    depthWrite: false,
    side: THREE.DoubleSide,
  });
  const mesh = new THREE.Mesh(geometry, material);
  mesh.frustumCulled = false;
  mesh.renderOrder = 2;
  const began = performance.now() - 1000; // relative times: a shader's floats are too coarse for absolute ones
  /** @type {Record<string, Rgb>} */
  let tints = {};

  /** @param {number} i */
  function write(i) {
    const [theta, phi] = [((90 - rings.longitude[i]) * Math.PI) / 180, ((90 - rings.latitude[i]) * Math.PI) / 180];
    parts.normalAt.setXYZ(i, Math.sin(phi) * Math.cos(theta), Math.cos(phi), Math.sin(phi) * Math.sin(theta));
    parts.born.setX(i, rings.born[i] ? (rings.born[i] - began) / 1000 : 0);
    parts.size.setX(i, rings.size[i]);
    tints[rings.type[i]] ??= channels(colour(rings.type[i]));
    parts.tint.setXYZ(i, ...tints[rings.type[i]]);
  }

  function upload() {
    for (const part of Object.values(parts)) part.needsUpdate = true;
  }

  return {
    mesh,
    repaint() {
      tints = {};
      for (let i = 0; i < CAPACITY; i += 1) write(i);
      upload();
    },
    /** @param {number} now */
    frame(now) {
      uniforms.now.value = (now - began) / 1000;
      uniforms.still.value = isStill() ? 1 : 0;
      if (!rings.changed.length) return;
      for (const i of rings.changed.splice(0)) write(i);
      upload();
    },
  };
}

/** Reduce the resolution if frames are slow: without a graphics card the CPU draws each pixel. @param {Renderer} renderer @param {boolean} isSoftware */
function adapt(renderer, isSoftware) {
  let [since, frames, ratio] = [performance.now(), 0, isSoftware ? 0.8 : Math.min(2, devicePixelRatio || 1)];
  renderer.setPixelRatio(ratio);
  return (/** @type {number} */ now) => {
    frames += 1;
    if (now - since < 2000) return;
    const rate = (frames * 1000) / (now - since);
    if (rate < SLOW && ratio > COARSEST) {
      ratio = Math.max(COARSEST, ratio * 0.8);
      renderer.setPixelRatio(ratio);
    }
    [since, frames] = [now, 0];
  };
}
