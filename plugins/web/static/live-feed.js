// The stream of events: connects, reconnects, and computes the numbers of the last minute.

import { ApiError, address, get } from "./pinwheel.js";

/**
 * @typedef {object} Callbacks
 * @property {(update: Api.LiveUpdate, isPast: boolean) => void} update
 * @property {(text: string | null) => void} state
 */

/** @type {EventType[]} */
export const TYPES = ["repin", "pin", "comment", "login"];
const MINUTE = 60000;
const RATE_OVER = 12000; // ms of Kafka time over which events/s is computed: six commits
const AGAIN = 5000;

/** Calls `on.update(update, isPast)` and `on.state(text or null)`; the numbers are read by methods. */
export class Feed {
  /** @type {Query} */
  lens = {};
  /** @type {EventSource | null} */
  source = null;
  /** @type {number | undefined} */
  timer = undefined;
  /** @type {Api.LiveUpdate[]} */
  updates = [];
  /** @type {number | null} */
  newestAt = null;
  /** @type {string | null} */
  lastId = null;
  offset = 0;
  oneIn = 1;
  dropped = 0;

  /** @param {Callbacks} on */
  constructor(on) {
    this.on = on;
    addEventListener("pagehide", () => this.stop());
  }

  forget() {
    Object.assign(this, { updates: [], newestAt: null, offset: 0, oneIn: 1, dropped: 0, lastId: null });
  }

  /** Connect with another lens and reset the numbers. @param {Query} lens */
  start(lens) {
    this.stop();
    this.forget();
    this.lens = lens;
    this.connect();
  }

  stop() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  connect() {
    const source = new EventSource(address("live/events", { ...this.lens, after: this.lastId }));
    this.source = source;
    source.addEventListener("update", (event) => this.take(event, false));
    source.addEventListener("past", (event) => this.take(event, true));
    source.addEventListener("state", (event) => this.state(JSON.parse(event.data)));
    source.addEventListener("dropped", (event) => {
      this.dropped += JSON.parse(event.data).updates;
    });
    source.addEventListener("error", () => this.failed(source));
  }

  /** Ask the server why the stream was refused: a browser does not say. @param {EventSource} source */
  async failed(source) {
    if (source !== this.source || source.readyState !== EventSource.CLOSED) return;
    this.source = null;
    let text = "The stream ended. This page reconnects in a moment.";
    try {
      /** @type {Api.Watchers} */
      const seats = await get("live/watchers");
      if (seats.viewers >= seats.max_viewers) {
        text = `${seats.max_viewers} people are watching already, which is the maximum. This page retries by itself.`;
      }
    } catch (error) {
      if (error instanceof ApiError) text = error.message;
    }
    this.on.state(text);
    this.timer = setTimeout(() => this.connect(), AGAIN);
  }

  /** @param {{state: string, now: number}} event */
  state({ state, now }) {
    this.offset = now - Date.now();
    if (state === "away") this.on.state("The lake can't be read. New events appear when it is back.");
    else if (state === "ok") this.on.state(null);
  }

  /** @param {MessageEvent<string>} event @param {boolean} isPast */
  take(event, isPast) {
    /** @type {Api.LiveUpdate} */
    const update = JSON.parse(event.data);
    this.lastId = event.lastEventId;
    this.offset = update.read_at - Date.now();
    this.newestAt = Math.max(this.newestAt ?? 0, update.newest_at);
    this.oneIn = update.one_in;
    this.updates.push(update);
    const oldest = update.received_at - MINUTE;
    while (this.updates[0].received_at < oldest) this.updates.shift();
    this.on.update(update, isPast);
  }

  /** The time by the server's clock. */
  now() {
    return Date.now() + this.offset;
  }

  /** Age of the newest event in seconds; null before the first. */
  age() {
    return this.newestAt === null ? null : Math.max(0, (this.now() - this.newestAt) / 1000);
  }

  /** Events per second of these types over the last commits; null before the second commit. @param {EventType[]} types */
  rate(types) {
    const newest = this.updates.at(-1)?.received_at;
    if (newest === undefined) return null;
    const recent = this.updates.filter((u) => u.seconds !== null && u.received_at > newest - RATE_OVER);
    const seconds = recent.reduce((sum, u) => sum + (u.seconds ?? 0), 0);
    if (!seconds) return null;
    return this.now() - newest > RATE_OVER ? 0 : recent.reduce((sum, u) => sum + total(u, types), 0) / seconds;
  }

  /** Rates of the last minute, oldest first. @param {EventType[]} types */
  rates(types) {
    return this.updates.flatMap((u) => (u.seconds === null ? [] : [total(u, types) / u.seconds]));
  }

  /** Events of the last minute by type. */
  totals() {
    const recent = this.recent();
    return Object.fromEntries(TYPES.map((type) => [type, recent.reduce((sum, u) => sum + u.counts[type], 0)]));
  }

  /** Places of the last minute, busiest first: {city, country, types: {repin: n}, events}. Sampled counts are scaled up. */
  places() {
    /** @type {Map<string, Place>} */
    const found = new Map();
    for (const update of this.recent()) {
      const p = update.places;
      for (let i = 0; i < p.at.length; i += 1) {
        const key = `${p.country_code[i]}\n${p.city[i] ?? `${p.latitude[i]} ${p.longitude[i]}`}`;
        let place = found.get(key);
        if (!place) {
          const at = /** @type {Point} */ ([p.longitude[i], p.latitude[i]]);
          place = { city: p.city[i], country: p.country_code[i], types: {}, events: 0, at };
          found.set(key, place);
        }
        const events = p.events[i] * update.one_in;
        place.types[p.event_type[i]] = (place.types[p.event_type[i]] ?? 0) + events;
        place.events += events;
      }
    }
    return [...found.values()].sort((a, b) => b.events - a.events);
  }

  /** Pins of the last minute, newest first. */
  pins() {
    /** @type {Map<string, Api.LivePin>} */
    const found = new Map();
    for (const update of this.recent().reverse())
      for (const pin of update.pins) if (!found.has(pin.pin_id)) found.set(pin.pin_id, pin);
    return [...found.values()];
  }

  /** What happened last, newest first. @param {number} most @returns {Happening[]} */
  latest(most) {
    /** @type {Happening[]} */
    const found = [];
    for (const { places: p, one_in } of this.recent().reverse()) {
      for (let i = p.at.length - 1; i >= 0 && found.length < most; i -= 1) {
        const place = { city: p.city[i], country: p.country_code[i], at: p.at[i] };
        found.push({ type: p.event_type[i], events: p.events[i] * one_in, ...place });
      }
    }
    return found;
  }

  recent() {
    return this.updates.filter((u) => u.received_at > this.now() - MINUTE - 5000);
  }
}

/** @param {Api.LiveUpdate} update @param {EventType[]} types */
function total(update, types) {
  return types.reduce((sum, type) => sum + update.counts[type], 0);
}
