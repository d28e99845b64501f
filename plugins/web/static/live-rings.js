// The live circles: a fixed capacity, so that a burst of events costs no more than a steady stream.

export const CAPACITY = 400;
const LIFE = 2600; // ms
const SPREAD = 1000; // ms over which one commit's events appear, in their order
const LARGEST = 9; // degrees

/** Fields are parallel arrays, which the renderers read directly. `born` 0 is a free slot. */
export class Rings {
  constructor() {
    this.latitude = new Float32Array(CAPACITY);
    this.longitude = new Float32Array(CAPACITY);
    this.size = new Float32Array(CAPACITY); // degrees when fully grown
    this.born = new Float64Array(CAPACITY); // performance.now()
    this.type = new Array(CAPACITY).fill("repin");
    this.life = LIFE;
    this.next = 0;
    /** @type {[number, Circle][]} */
    this.coming = []; // [due, entry], earliest first
    /** @type {number[]} */
    this.changed = []; // slots written since the renderer last read them
    /** @type {number[]} */
    this.latencies = []; // ms from Kafka to the circle, the last 5000; read by bench/live.py
  }

  clear() {
    this.born.fill(0);
    this.coming = [];
    this.changed = [...this.born.keys()];
  }

  /**
   * Schedule one update's places; `clock` is the time of day in ms, for the latencies.
   * @param {Api.LiveUpdate} update
   * @param {number} clock
   * @param {boolean} isPast
   */
  add(update, clock, isPast) {
    const p = update.places;
    const now = performance.now();
    const first = p.at[0] ?? 0;
    const span = Math.max(1, (p.at.at(-1) ?? 0) - first);
    const spread = Math.min(SPREAD, span);
    for (let i = 0; i < p.at.length; i += 1) {
      const due = now + ((p.at[i] - first) / span) * spread;
      /** @type {Circle} */
      const entry = { type: p.event_type[i], latitude: p.latitude[i], longitude: p.longitude[i], events: p.events[i] };
      if (!isPast) entry.age = clock - p.at[i] - now;
      this.coming.push([due, entry]);
    }
    // Events that could not be shown in time are skipped; the counters include them.
    if (this.coming.length > 4 * CAPACITY) this.coming.splice(0, this.coming.length - 4 * CAPACITY);
  }

  /** Start the circles that are due. @param {number} now */
  advance(now) {
    let n = 0;
    while (n < this.coming.length && this.coming[n][0] <= now) this.show(this.coming[n++][1], now);
    if (n) this.coming.splice(0, n);
  }

  /** @param {Circle} entry @param {number} now */
  show(entry, now) {
    const i = this.next;
    this.next = (i + 1) % CAPACITY;
    this.latitude[i] = entry.latitude;
    this.longitude[i] = entry.longitude;
    this.size[i] = Math.min(LARGEST, 1.8 + 1.7 * Math.sqrt(entry.events));
    this.type[i] = entry.type;
    this.born[i] = now;
    this.changed.push(i);
    if (entry.age !== undefined) this.latencies.push(entry.age + now);
    if (this.latencies.length > 5000) this.latencies.splice(0, 1000);
  }

  /** Number of live circles. @param {number} now */
  alive(now) {
    let n = 0;
    for (const born of this.born) if (born && now - born < LIFE) n += 1;
    return n;
  }
}
