// How far something is: a bar, and the words for it.

import { h } from "../../dom.js";

/**
 * @param {string} name what is on its way
 * @returns {{element: HTMLElement, show: (share: number | null, words: string) => void}} share: 0 to 1; null: not known
 */
export function progress(name) {
  const bar = /** @type {HTMLProgressElement} */ (h("progress", { class: "progress", "aria-label": name, max: 1 }));
  const words = h("p", { class: "soft small" });
  const show = (/** @type {number | null} */ share, /** @type {string} */ text) => {
    if (share === null) bar.removeAttribute("value");
    else bar.value = Math.min(1, Math.max(0, share));
    words.textContent = text;
  };
  return { element: h("div", { class: "progress-box" }, bar, words), show };
}
