// The frequencies beside the waterfall and the seconds below it.

import { fill, h } from "../dom.js";
import { number } from "../format.js";
import { t } from "../texts.js";

const TICKS = [125, 250, 500, 1000, 2000, 4000, 8000, 16_000];
const SECONDS_BETWEEN = 5;

/**
 * Where a frequency lies on the mel scale of the bands: 0 at the bottom, 1 at the top.
 * @param {number} hertz @param {{low_hertz: number, high_hertz: number}} about
 */
export function height(hertz, { low_hertz: low, high_hertz: high }) {
  const mel = (f) => Math.log1p(f / 700);
  return (mel(hertz) - mel(low)) / (mel(high) - mel(low));
}

/** @param {HTMLElement} element @param {{low_hertz: number, high_hertz: number}} about */
export function showFrequencies(element, about) {
  const places = TICKS.map((hertz) => [hertz, height(hertz, about)]).filter(
    ([, place]) => place > 0.03 && place < 0.97,
  );
  fill(
    element,
    ...places
      .filter(([, place], k) => k === 0 || place - places[k - 1][1] > 0.07)
      .map(([hertz, place]) => {
        const text =
          hertz < 1000
            ? t("live.hertz", { f: number(hertz) })
            : t("live.kilohertz", { f: number(hertz / 1000) });
        const tick = h("span", {}, text);
        tick.style.bottom = `${100 * place}%`;
        return tick;
      }),
  );
}

/** @param {HTMLElement} element @param {number} seconds how many the picture shows */
export function showSeconds(element, seconds) {
  if (element.dataset.seconds === String(seconds)) return;
  element.dataset.seconds = String(seconds);
  const ticks = [];
  for (let ago = SECONDS_BETWEEN; ago < seconds - 1; ago += SECONDS_BETWEEN) ticks.push(ago);
  fill(
    element,
    h("span", { class: "now" }, t("live.now")),
    ...ticks.map((ago) => {
      const tick = h("span", {}, t("live.ago", { s: ago }));
      tick.style.right = `${(100 * ago) / seconds}%`;
      return tick;
    }),
  );
}
