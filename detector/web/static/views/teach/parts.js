// What the steps share.

import { h } from "../../dom.js";
import { t } from "../../texts.js";

/** The heading of a step and what it is for. @param {string} step @param {Record<string, string | number>} [values] */
export function stepHead(step, values = {}) {
  return h("div", {}, h("h2", { tabindex: "-1" }, t(`teach.${step}.title`, values)), h("p", { class: "soft" }, t(`teach.${step}.about`, values)));
}

/** A button that goes to another step. @param {string} words @param {() => void} onclick @param {boolean} [primary] */
export function way(words, onclick, primary = false) {
  return h("button", { class: primary ? "button primary" : "button quiet", type: "button", onclick }, words);
}

/**
 * A choice among the microphones; null where there is only one.
 * @param {{name: string}[]} sources @param {() => void} [onchange] @returns {HTMLSelectElement | null}
 */
export function sourceChoice(sources, onchange) {
  if (sources.length < 2) return null;
  return /** @type {HTMLSelectElement} */ (h("select", { class: "select", "aria-label": t("overview.source"), onchange }, sources.map(({ name }) => h("option", { value: name }, name))));
}
