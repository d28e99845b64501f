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
  /** What the first click on its name sorts by. */
  sort?: string;
}

/** What a table is sorted by, and what sorts it otherwise: "engagement", or "-engagement" for the largest first. */
interface Sorting {
  sort: string;
  by: (sort: string) => void;
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
  "#category": HTMLSelectElement;
  "#day": HTMLInputElement;
  "#find": HTMLInputElement;
  "#days": HTMLSelectElement;
  "#sort": HTMLSelectElement;
  "#make": HTMLDetailsElement;
  "#ask": HTMLFormElement;
  '#ask [name="first_day"]': HTMLInputElement;
  "#sql": HTMLTextAreaElement;
  "#question": HTMLSelectElement;
  "#run": HTMLButtonElement;
  "#file": HTMLButtonElement;
}

interface Find {
  <Selector extends keyof PageElements>(selector: Selector, within?: ParentNode): PageElements[Selector];
  (selector: string, within?: ParentNode): HTMLElement;
}

/** What leads from a report to the list, and to another of its revisions; null: the newest. */
interface Back {
  list: () => void;
  revision: (revision: string | null) => void;
}

type EventType = "repin" | "pin" | "comment" | "login";
/** Red, green and blue. */
type Rgb = [number, number, number];
type ViewName = "globe" | "map" | "table";

/** What the live page shows; `brand` and `category`: "" is all. */
interface Filters {
  types: EventType[];
  brand: string;
  category: string;
  view: ViewName | null;
}

/** One of the two pictures of the live page. Points are pixels from the picture's upper left corner. */
interface View {
  frame(now: number): void;
  /** Turn to a place. */
  face(place: Point): void;
  pointOf(place: Point): Point | null;
  end(): void;
}

interface Place {
  city: string | null;
  country: string | null;
  types: Record<string, number>;
  events: number;
  at: Point;
}

/** Events of one type in one place, in one update. */
interface Happening {
  type: string;
  city: string | null;
  country: string | null;
  events: number;
  at: number;
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

/** Longitude and latitude, or x and y. */
type Point = [number, number];
type Shape = object;

interface Projection {
  (place: Point): Point;
  fitExtent(extent: [Point, Point], shape: Shape): Projection;
  fitSize(size: Point, shape: Shape): Projection;
  scale(): number;
}

interface GeoCircle {
  (): Shape;
  center(place: Point): GeoCircle;
  radius(degrees: number): GeoCircle;
}

interface World {
  land: Shape;
  borders: Shape;
}

interface Vector3 {
  x: number;
  y: number;
  z: number;
  clone(): Vector3;
  copy(other: Vector3): Vector3;
  sub(other: Vector3): Vector3;
  dot(other: Vector3): number;
  length(): number;
  lerp(other: Vector3, share: number): Vector3;
  normalize(): Vector3;
  project(camera: Camera): Vector3;
  setFromSphericalCoords(radius: number, phi: number, theta: number): Vector3;
  setLength(length: number): Vector3;
}

interface Camera {
  aspect: number;
  position: Vector3;
  updateProjectionMatrix(): void;
}

type OrbitControls = new (camera: Camera, canvas: HTMLCanvasElement) => Controls;

interface Controls {
  autoRotate: boolean;
  addEventListener(name: "start", act: () => void): void;
  dispose(): void;
  dollyIn(factor: number): void;
  dollyOut(factor: number): void;
  rotateLeft(radians: number): void;
  rotateUp(radians: number): void;
  update(seconds: number): void;
}

interface Renderer {
  domElement: HTMLCanvasElement;
  dispose(): void;
  forceContextLoss(): void;
  render(scene: object, camera: Camera): void;
  setClearColor(colour: string): void;
  setPixelRatio(ratio: number): void;
  setSize(width: number, height: number): void;
}

interface Mesh {
  frustumCulled: boolean;
  renderOrder: number;
  rotation: { y: number };
}

interface BufferAttribute {
  needsUpdate: boolean;
  setUsage(usage: number): BufferAttribute;
  setX(i: number, x: number): BufferAttribute;
  setXYZ(i: number, x: number, y: number, z: number): BufferAttribute;
}

interface Three {
  CanvasTexture: new (canvas: HTMLCanvasElement) => { colorSpace: string; needsUpdate: boolean };
  MeshBasicMaterial: new (options: object) => object;
  ShaderMaterial: new (options: object) => object;
  InstancedBufferGeometry: new () => {
    setAttribute(name: string, attribute: BufferAttribute): void;
    setIndex(index: number[]): void;
  };
  Float32BufferAttribute: new (values: number[], items: number) => BufferAttribute;
  InstancedBufferAttribute: new (values: Float32Array, items: number) => BufferAttribute;
  Mesh: new (geometry: object, material: object) => Mesh;
  PerspectiveCamera: new (degrees: number, aspect: number, near: number, far: number) => Camera;
  Scene: new () => { add(mesh: Mesh): void };
  SphereGeometry: new (radius: number, around: number, down: number) => object;
  Vector3: new (x?: number, y?: number, z?: number) => Vector3;
  WebGLRenderer: new (options: object) => Renderer;
  BackSide: number;
  SRGBColorSpace: string;
  LinearFilter: number;
  DynamicDrawUsage: number;
  DoubleSide: number;
}

declare module "*/three.module.js";
declare module "*/OrbitControls.js";

interface Window {
  d3: {
    extent<Item>(items: Item[], value: (item: Item) => number): [number, number];
    ticks(from: number, to: number, count: number): number[];
    geoPath(projection: Projection, context: CanvasRenderingContext2D): (shape: Shape) => void;
    geoNaturalEarth1(): Projection;
    geoEquirectangular(): Projection;
    geoCircle(): GeoCircle;
  };
  topojson: { feature(world: object, part: object): Shape; mesh(world: object, part: object): Shape };
  /** What the benchmark measures by. */
  pinwheelLive: object;
}
