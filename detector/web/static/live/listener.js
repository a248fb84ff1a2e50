// Listen in: the sound of a source as it is now, played through Web Audio a quarter of a second late.

import { address } from "../api.js";
import { h, fill } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../texts.js";
import { toast } from "../toast.js";

const HEADER_BYTES = 16;
const AHEAD_SECONDS = 0.25; // how much sound waits, so that an uneven network makes no gaps
const MOST_SECONDS = 1.5; // more than that is thrown away: live is live
const REFUSED = 4404;

export class Listener {
  #socket = /** @type {WebSocket | null} */ (null);
  #sound = /** @type {AudioContext | null} */ (null);
  #rate = 16_000;
  #next = 0;

  constructor() {
    this.button = h("button", {
      class: "button",
      type: "button",
      "aria-pressed": "false",
      onclick: () => (this.#sound ? this.stop() : this.#start()),
    });
    this.source = "";
    this.#dress();
    document.addEventListener("visibilitychange", this.#hide);
  }

  /** Another source is watched: who listens goes on with that one. @param {string} source */
  follow(source) {
    const listening = this.#sound !== null && source !== this.source;
    this.source = source;
    if (listening) this.#connect();
  }

  stop() {
    this.#socket?.close();
    this.#sound?.close();
    this.#socket = null;
    this.#sound = null;
    this.#dress();
  }

  destroy() {
    document.removeEventListener("visibilitychange", this.#hide);
    this.stop();
  }

  /** Called by a press of the button: only then may a page begin to sound. */
  #start() {
    this.#sound = new AudioContext({ latencyHint: "playback" });
    this.#sound.resume();
    this.#connect();
    this.#dress();
  }

  #connect() {
    this.#socket?.close();
    this.#next = 0;
    const socket = new WebSocket(address("listen", { source: this.source }).replace(/^http/, "ws"));
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#rate = JSON.parse(data).sample_rate;
      else if (socket === this.#socket) this.#play(new Int16Array(data, HEADER_BYTES));
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.stop();
      toast(t(code === REFUSED ? "listen.refused" : "listen.lost"));
    };
  }

  /** Play samples right after those before them; after a gap, a little later than now. */
  #play(samples) {
    const sound = this.#sound;
    if (sound === null || samples.length === 0) return;
    if (this.#next < sound.currentTime) this.#next = sound.currentTime + AHEAD_SECONDS;
    if (this.#next > sound.currentTime + MOST_SECONDS) return;
    const buffer = sound.createBuffer(1, samples.length, this.#rate);
    const channel = buffer.getChannelData(0);
    for (let n = 0; n < samples.length; n += 1) channel[n] = samples[n] / 32_768;
    const node = new AudioBufferSourceNode(sound, { buffer });
    node.connect(sound.destination);
    node.start(this.#next);
    this.#next += buffer.duration;
  }

  #hide = () => {
    if (document.hidden) this.stop();
  };

  #dress() {
    const listening = this.#sound !== null;
    this.button.setAttribute("aria-pressed", String(listening));
    fill(this.button, icon("speaker"), t("listen"));
  }
}
