// The one stream of messages (server-sent events) that all views share; it comes back by itself.

import { address } from "./api.js";

const TYPES = ["event", "status", "clip", "daemon", "dropped"];
const HIDDEN_MS = 5000; // a page that is hidden for so long needs no stream
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

/**
 * Browsers open six connections to a server at most, for all tabs together, and a stream takes one for good. So a tab
 * that nobody sees lets go of it, and gets what it missed when it is seen again.
 *
 * Listeners get `{type, data, id}`. Besides the server's types there are `open` (connected; data: whether it was lost
 * before) and `lost` (the server does not answer, or refuses; told at each attempt).
 */
export class Stream {
  #source = /** @type {EventSource | null} */ (null);
  #listeners = new Map();
  #lastId = "";
  #wait = FIRST_WAIT_MS;
  #timer = 0;
  #lost = false;

  start() {
    if (!document.hidden) this.#open();
    document.addEventListener("visibilitychange", this.#lookAgain);
    window.addEventListener("online", this.#lookAgain);
    window.addEventListener("offline", this.#again);
  }

  stop() {
    document.removeEventListener("visibilitychange", this.#lookAgain);
    window.removeEventListener("online", this.#lookAgain);
    window.removeEventListener("offline", this.#again);
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  /**
   * @param {string} type @param {(message: {type: string, data: any, id: string}) => void} listener
   * @returns {() => void} stops listening
   */
  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
    return () => this.#listeners.get(type).delete(listener);
  }

  #open() {
    clearTimeout(this.#timer);
    this.#source?.close();
    // A new EventSource cannot set Last-Event-ID: the number travels in the address.
    const source = new EventSource(address("events/stream", { since: this.#lastId }));
    this.#source = source;
    source.addEventListener("open", () => {
      this.#wait = FIRST_WAIT_MS;
      const back = this.#lost;
      this.#lost = false;
      this.#tell("open", back, this.#lastId);
    });
    source.addEventListener("error", this.#again);
    for (const type of TYPES) {
      source.addEventListener(type, (message) => {
        if (message.lastEventId !== "") this.#lastId = message.lastEventId;
        this.#tell(type, JSON.parse(message.data), message.lastEventId);
      });
    }
  }

  #again = () => {
    this.#source?.close();
    if (document.hidden) return; // it is opened when the page is seen
    this.#lost = true;
    this.#tell("lost", null, this.#lastId);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
  };

  #lookAgain = () => {
    if (document.hidden) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#source?.close(), HIDDEN_MS);
    } else if (this.#source === null || this.#source.readyState !== EventSource.OPEN) {
      this.#open();
    } else {
      clearTimeout(this.#timer);
    }
  };

  #tell(type, data, id) {
    for (const listener of this.#listeners.get(type) ?? []) listener({ type, data, id });
  }
}
