// The globe: a ball with a painted map; the circles are one mesh, drawn in one call however many there are.

import { CAPACITY } from "./live-rings.js";
import { brushOf, channels, colour, drawWorld, isStill, loadMaps, loadWorld, onTheme } from "./live-world.js";

const DEGREE = Math.PI / 180;
const RADIUS = 100;
const DISTANCE = 260; // of the camera from the middle: the ball fills most of the window
/** @type {Point} */
const START = [-38, 30]; // until the first events say where people are
const CONTROLS = {
  enablePan: false,
  enableDamping: true,
  dampingFactor: 0.12,
  rotateSpeed: 0.5,
  zoomSpeed: 0.6,
  autoRotateSpeed: 0.35, // once around in three minutes
  minDistance: 140,
  maxDistance: 500,
};
const STEP = 0.12; // radians that an arrow key turns
const DUSK = 60000; // ms between two drawings of the night

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

const AIR_VERTEX = `
varying vec3 outward; varying vec3 toEye;
void main() {
  vec4 seen = modelViewMatrix * vec4(position, 1.0);
  outward = normalize(normalMatrix * normal); toEye = normalize(-seen.xyz);
  gl_Position = projectionMatrix * seen;
}`;
const AIR_FRAGMENT = `
uniform vec3 hue; varying vec3 outward; varying vec3 toEye;
void main() { gl_FragColor = vec4(hue, 0.9 * pow(clamp(-dot(normalize(outward), normalize(toEye)), 0.0, 1.0), 3.5)); }`;

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
  /** @type {[Three, {OrbitControls: OrbitControls}, void]} */
  const [THREE, { OrbitControls }] = await Promise.all([
    import("./vendor/three.module.js"),
    import("./vendor/OrbitControls.js"),
    loadMaps(),
  ]);
  const world = await loadWorld();
  const renderer = new THREE.WebGLRenderer({ antialias: !isSoftware }); // opaque: nothing behind it needs blending
  const camera = new THREE.PerspectiveCamera(50, 1, 1, 1000);
  const scene = new THREE.Scene();
  const [earth, circles] = [makeEarth(THREE, isSoftware), makeCircles(THREE, rings)];
  scene.add(earth.mesh);
  scene.add(circles.mesh);
  if (!isSoftware) scene.add(makeGlow(THREE));
  box.replaceChildren(renderer.domElement);
  const controls = Object.assign(new OrbitControls(camera, renderer.domElement), CONTROLS);
  renderer.domElement.style.touchAction = "pan-y"; // or a thumb on the globe could not scroll the page
  const [turning, gone] = [aim(THREE, camera, controls), new AbortController()];
  box.addEventListener("keydown", keys(controls), gone);

  function paint() {
    earth.paint(world);
    renderer.setClearColor(colour("night"));
    circles.repaint();
  }

  function fit() {
    const [width, height] = [box.clientWidth, Math.max(200, box.clientHeight)];
    renderer.setSize(width, height);
    camera.aspect = width / height;
    camera.updateProjectionMatrix();
  }

  paint();
  fit();
  turning.jump(START, DISTANCE / Math.min(1, camera.aspect));
  const watcher = new ResizeObserver(fit);
  watcher.observe(box);
  const unwatch = onTheme(paint);
  const dusk = setInterval(paint, DUSK);
  const quality = adapt(renderer, isSoftware);
  let last = performance.now();

  return {
    frame(now) {
      const seconds = Math.min(0.5, (now - last) / 1000);
      last = now;
      turning.frame(seconds, isStill() || box.matches(":hover, :focus-visible"));
      controls.update(seconds);
      circles.frame(now);
      renderer.render(scene, camera);
      quality(now);
    },
    face: (place) => turning.to(place),
    pointOf: sight(THREE, camera, box),
    end() {
      clearInterval(dusk);
      unwatch();
      gone.abort();
      watcher.disconnect();
      controls.dispose();
      renderer.dispose();
      renderer.forceContextLoss(); // a browser has few of them
      box.replaceChildren();
    },
  };
}

/** A place on the globe, or over it, as the circles' shader has it. @param {Three} THREE @param {Point} place */
function vector(THREE, [longitude, latitude], radius = RADIUS) {
  return new THREE.Vector3().setFromSphericalCoords(radius, (90 - latitude) * DEGREE, longitude * DEGREE);
}

/** The countries on a ball. @param {Three} THREE @param {boolean} isSoftware */
function makeEarth(THREE, isSoftware) {
  const canvas = Object.assign(document.createElement("canvas"), { width: TEXTURE, height: TEXTURE / 2 });
  const texture = new THREE.CanvasTexture(canvas);
  texture.colorSpace = THREE.SRGBColorSpace;
  if (isSoftware) Object.assign(texture, { generateMipmaps: false, minFilter: THREE.LinearFilter });
  const material = new THREE.MeshBasicMaterial({ map: texture });
  const mesh = new THREE.Mesh(new THREE.SphereGeometry(RADIUS, 90, 45), material);
  mesh.rotation.y = -Math.PI / 2; // Greenwich is where the shader of the circles has it
  return {
    mesh,
    /** @param {World} world */
    paint(world) {
      const flat = window.d3.geoEquirectangular().fitSize([TEXTURE, TEXTURE / 2], { type: "Sphere" });
      drawWorld(brushOf(canvas), flat, world, 1.4);
      texture.needsUpdate = true;
    },
  };
}

/** The air around the ball. @param {Three} THREE */
function makeGlow(THREE) {
  const [r, g, b] = channels(colour("coast"));
  const material = new THREE.ShaderMaterial({
    uniforms: { hue: { value: new THREE.Vector3(r, g, b) } },
    vertexShader: AIR_VERTEX,
    fragmentShader: AIR_FRAGMENT,
    transparent: true,
    depthWrite: false,
    side: THREE.BackSide,
  });
  return new THREE.Mesh(new THREE.SphereGeometry(RADIUS * 1.16, 60, 30), material);
}

/** Where the camera is, and how it gets elsewhere. @param {Three} THREE @param {Camera} camera @param {Controls} controls */
function aim(THREE, camera, controls) {
  /** @type {Vector3 | null} */
  let goal = null;
  controls.addEventListener("start", () => (goal = null)); // the person turns it
  return {
    /** @param {Point} place @param {number} distance */
    jump: (place, distance) => camera.position.copy(vector(THREE, place, distance)),
    /** @param {Point} place */
    to(place) {
      goal = vector(THREE, place, 1);
    },
    /** @param {number} seconds @param {boolean} isHeld */
    frame(seconds, isHeld) {
      controls.autoRotate = !isHeld && goal === null;
      if (goal === null) return;
      const [distance, step] = [camera.position.length(), isStill() ? 1 : 1 - Math.exp(-5 * seconds)];
      camera.position.normalize().lerp(goal, step).setLength(1);
      if (camera.position.dot(goal) > 0.99999) goal = null;
      camera.position.setLength(distance);
    },
  };
}

/** @param {Controls} controls */
function keys(controls) {
  /** @type {Record<string, () => void>} */
  const acts = {
    ArrowLeft: () => controls.rotateLeft(STEP),
    ArrowRight: () => controls.rotateLeft(-STEP),
    ArrowUp: () => controls.rotateUp(STEP),
    ArrowDown: () => controls.rotateUp(-STEP),
    "+": () => controls.dollyIn(1.15),
    "=": () => controls.dollyIn(1.15),
    "-": () => controls.dollyOut(1.15),
  };
  return (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]();
  };
}

/** Where a place is drawn. @param {Three} THREE @param {Camera} camera @param {HTMLElement} box @returns {View["pointOf"]} */
function sight(THREE, camera, box) {
  return (place) => {
    const at = vector(THREE, place);
    if (camera.position.clone().sub(at).dot(at) <= 0) return null; // behind the globe
    at.project(camera);
    return [((at.x + 1) / 2) * box.clientWidth, ((1 - at.y) / 2) * box.clientHeight];
  };
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
