// The connection that brings the live spectrogram: open while the page is seen, and opened again when it is lost.

import { address } from "../api.js";

const VERSION = 1;
const HEADER_BYTES = 16;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

/**
 * @typedef {{bands: number, low_hertz: number, high_hertz: number, columns_per_second: number, source: string}} About
 * @typedef {{time: number, level: number, columns: Uint8Array}} Frame level in dBFS, NaN for digital silence
 */

/** @param {ArrayBuffer} bytes @returns {Frame | null} null for a version that is not known */
export function decode(bytes) {
  const view = new DataView(bytes);
  if (bytes.byteLength < HEADER_BYTES || view.getUint8(0) !== VERSION) return null;
  return {
    time: view.getFloat64(4, true),
    level: view.getFloat32(12, true),
    columns: new Uint8Array(bytes, HEADER_BYTES),
  };
}

export class LiveSocket {
  #socket = /** @type {WebSocket | null} */ (null);
  #wait = FIRST_WAIT_MS;
  #timer = 0;

  /**
   * @param {string} source
   * @param {{about: (about: About) => void, frame: (frame: Frame) => void, state: (state: "connecting" | "open" | "lost") => void}} told
   */
  constructor(source, told) {
    Object.assign(this, { source, told });
    document.addEventListener("visibilitychange", this.#look);
    this.#look();
  }

  close() {
    document.removeEventListener("visibilitychange", this.#look);
    this.#drop();
  }

  #look = () => {
    this.#drop();
    if (!document.hidden) this.#open();
  };

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #open() {
    this.told.state("connecting");
    const url = address("live", { source: this.source }).replace(/^http/, "ws");
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#wait = FIRST_WAIT_MS;
      if (typeof data === "string") this.told.about(JSON.parse(data));
      else this.#frame(data);
    };
    socket.onclose = () => {
      if (socket !== this.#socket) return;
      this.told.state("lost");
      this.#timer = setTimeout(() => this.#open(), this.#wait);
      this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
    };
  }

  #frame(bytes) {
    const frame = decode(bytes);
    if (frame === null) return;
    this.told.state("open");
    this.told.frame(frame);
  }
}
