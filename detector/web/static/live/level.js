// The level as a bar with the highest of the last seconds, and as words: often for eyes, seldom for ears.

import { h } from "../dom.js";
import { level as words } from "../format.js";
import { t } from "../texts.js";

const LOWEST = -90;
const WORDS_EVERY_MS = 250;
const EARS_EVERY_MS = 3000;
const PEAK_FALL = 6; // dB a second, after it was held
const PEAK_HOLD_MS = 1500;

export class Level {
  #peak = -Infinity;
  #peakAt = 0;
  #wordsAt = -Infinity;
  #earsAt = -Infinity;
  #before = 0;

  constructor() {
    this.bar = h("span", { class: "level-bar" });
    this.peak = h("span", { class: "level-peak" });
    this.figure = h("output", { class: "level-figure number", "aria-hidden": "true" }, "");
    this.meter = h(
      "div",
      {
        class: "level-track",
        role: "meter",
        "aria-label": t("live.level"),
        "aria-valuemin": LOWEST,
        "aria-valuemax": 0,
        "aria-valuenow": LOWEST,
      },
      this.bar,
      this.peak,
    );
    this.element = h(
      "div",
      { class: "level" },
      h("span", { class: "soft small", "aria-hidden": "true" }, t("live.level")),
      this.meter,
      this.figure,
    );
  }

  /** @param {number} level dBFS; NaN is digital silence */
  show(level) {
    const now = performance.now();
    const heard = Number.isNaN(level) ? LOWEST : level;
    if (heard >= this.#peak) {
      this.#peak = heard;
      this.#peakAt = now;
    } else if (now - this.#peakAt > PEAK_HOLD_MS) {
      this.#peak = Math.max(heard, this.#peak - (PEAK_FALL * (now - this.#before)) / 1000);
    }
    this.#before = now;
    this.bar.style.transform = `scaleX(${share(heard)})`;
    this.peak.style.left = `${100 * share(this.#peak)}%`;
    if (now - this.#wordsAt > WORDS_EVERY_MS) {
      this.#wordsAt = now;
      this.figure.textContent = words(Number.isNaN(level) ? null : level);
    }
    if (now - this.#earsAt > EARS_EVERY_MS) {
      this.#earsAt = now;
      this.meter.setAttribute("aria-valuenow", String(Math.round(heard)));
      this.meter.setAttribute("aria-valuetext", words(Number.isNaN(level) ? null : level));
    }
  }
}

function share(level) {
  return Math.min(Math.max(1 - level / LOWEST, 0), 1).toFixed(3);
}
