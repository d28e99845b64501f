// What the pages' scripts share and what the web packages put into the window: as much of them as we use.

/** What can be put into a node: text, nodes, lists of both; null, undefined and false are left out. */
type Child = Node | string | number | boolean | null | undefined | readonly Child[];
type Listeners = Record<string, (event: never) => void>;
type Attributes = { on?: Listeners } & { [name: string]: unknown };
type Query = Record<string, FormDataEntryValue | number | boolean | null | undefined>;

/** good, warn and bad are coloured; idle is not. */
type Kind = "good" | "warn" | "bad" | "idle";

interface Column<Row> {
  label: string;
  cell: (row: Row) => Child;
  number?: boolean;
}

interface Poll<Data> {
  load: (signal: AbortSignal) => Promise<Data>;
  show: (data: Data) => unknown;
  place: Element;
  seconds?: number;
}

/** Elements of the pages that are more than an HTMLElement, by the selector that finds them. */
interface PageElements {
  "#tools": HTMLFormElement;
  "#filter": HTMLFormElement;
  "#send": HTMLButtonElement;
  '#views input[value="globe"]': HTMLInputElement;
  '#views input[value="map"]': HTMLInputElement;
  '#views input[value="table"]': HTMLInputElement;
  "#brand": HTMLSelectElement;
  "#day": HTMLInputElement;
  "#find": HTMLInputElement;
  "#days": HTMLSelectElement;
}

interface Find {
  <Selector extends keyof PageElements>(selector: Selector, within?: ParentNode): PageElements[Selector];
  (selector: string, within?: ParentNode): HTMLElement;
}

type EventType = "repin" | "pin" | "comment" | "login";
/** Red, green and blue. */
type Rgb = [number, number, number];
type ViewName = "globe" | "map" | "table";

/** One of the two pictures of the live page. */
interface View {
  frame(now: number): void;
  end(): void;
}

interface Place {
  city: string | null;
  country: string | null;
  types: Record<string, number>;
  events: number;
}

/** A circle to come; `age` is what to add to the time of its birth to know how old its event is then. */
interface Circle {
  type: string;
  latitude: number;
  longitude: number;
  events: number;
  age?: number;
}

/* Web packages ----------------------------------------------------------------------------------------------------- */

type Point = [number, number];
type Shape = object;

interface Projection {
  (place: Point): Point;
  fitExtent(extent: [Point, Point], shape: Shape): Projection;
  fitSize(size: Point, shape: Shape): Projection;
  scale(): number;
}

interface World {
  land: Shape;
  borders: Shape;
}

interface Globe {
  globeMaterial(material: object): Globe;
  backgroundColor(colour: string): Globe;
  pointOfView(place: { lat: number; lng: number; altitude: number }, ms: number): Globe;
  showAtmosphere(show: boolean): Globe;
  atmosphereAltitude(altitude: number): Globe;
  atmosphereColor(colour: string): Globe;
  enablePointerInteraction(enable: boolean): Globe;
  width(pixels: number): Globe;
  height(pixels: number): Globe;
  scene(): { add(mesh: object): void };
  controls(): Controls;
  renderer(): Renderer;
  _destructor(): void;
}

interface Controls {
  autoRotate: boolean;
  autoRotateSpeed: number;
  enableZoom: boolean;
  minDistance: number;
  maxDistance: number;
}

interface Renderer {
  setPixelRatio(ratio: number): void;
}

interface BufferAttribute {
  needsUpdate: boolean;
  setUsage(usage: number): BufferAttribute;
  setX(i: number, x: number): BufferAttribute;
  setXYZ(i: number, x: number, y: number, z: number): BufferAttribute;
}

interface Three {
  CanvasTexture: new (
    canvas: HTMLCanvasElement,
  ) => { image: HTMLCanvasElement; colorSpace: string; needsUpdate: boolean };
  MeshBasicMaterial: new (options: object) => object;
  ShaderMaterial: new (options: object) => object;
  InstancedBufferGeometry: new () => {
    setAttribute(name: string, attribute: BufferAttribute): void;
    setIndex(index: number[]): void;
  };
  Float32BufferAttribute: new (values: number[], items: number) => BufferAttribute;
  InstancedBufferAttribute: new (values: Float32Array, items: number) => BufferAttribute;
  Mesh: new (geometry: object, material: object) => { frustumCulled: boolean; renderOrder: number };
  SRGBColorSpace: string;
  LinearFilter: number;
  DynamicDrawUsage: number;
  DoubleSide: number;
}

declare module "*/three.module.js";

interface Window {
  THREE: Three;
  Globe: new (box: Element, options: object) => Globe;
  d3: {
    geoPath(projection: Projection, context: CanvasRenderingContext2D): (shape: Shape) => void;
    geoNaturalEarth1(): Projection;
    geoEquirectangular(): Projection;
  };
  topojson: { feature(world: object, part: object): Shape; mesh(world: object, part: object): Shape };
  /** What the benchmark measures by. */
  pinwheelLive: object;
}
