// The fields of the settings: each shows a key of the draft, changes it, and has its fault beside it.

import { h } from "../../dom.js";
import { number } from "../../format.js";
import { t } from "../../texts.js";

let count = 0;

/** An id that no other element has. @param {string} name */
export function freshId(name) {
  count += 1;
  return `${name}-${count}`;
}

/**
 * Where the fault of a key is said; empty while there is none.
 * @param {import("./draft.js").Draft} draft @param {string} key @param {HTMLElement[]} [inputs] marked as invalid meanwhile
 */
export function faultOf(draft, key, inputs = []) {
  const place = h("p", { class: "fault", id: freshId("fault") });
  const show = () => {
    const faults = draft.faultsOf(key);
    place.textContent = faults.join(" ");
    place.hidden = faults.length === 0;
    for (const input of inputs) {
      input.setAttribute("aria-invalid", String(faults.length > 0));
      if (faults.length > 0) input.setAttribute("aria-describedby", place.id);
      else input.removeAttribute("aria-describedby");
    }
  };
  draft.addEventListener("change", show);
  show();
  return place;
}

/**
 * One of a few, each with a sentence: radio buttons as cards.
 * @param {import("./draft.js").Draft} draft @param {string} key
 * @param {{value: string, title: string, text: string}[]} choices @param {string} legend
 */
export function choiceCards(draft, key, choices, legend) {
  const name = freshId("choice");
  const inputs = choices.map(({ value }) => /** @type {HTMLInputElement} */ (
    h("input", { type: "radio", name, value, onchange: () => draft.set(key, value) })));
  const cards = choices.map(({ title, text }, index) =>
    h("label", { class: "choice" }, inputs[index], h("span", {}, h("b", {}, title), h("span", { class: "soft small" }, text))));
  follow(draft, () => { for (const input of inputs) input.checked = input.value === draft.value(key); });
  return h("fieldset", { class: "choices" }, h("legend", { class: "label" }, legend), h("div", { class: "choice-row" }, cards), faultOf(draft, key));
}

/**
 * Yes or no.
 * @param {import("./draft.js").Draft} draft @param {string} key @param {string} words @param {string} [hint]
 */
export function switchField(draft, key, words, hint = "") {
  const input = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", role: "switch", onchange: () => draft.set(key, input.checked) }));
  follow(draft, () => { input.checked = draft.value(key) === true; });
  return h("div", { class: "field" }, h("label", { class: "switch" }, input, h("span", {}, words)), hint && h("p", { class: "hint" }, hint), faultOf(draft, key, [input]));
}

/**
 * One of a list.
 * @param {import("./draft.js").Draft} draft @param {string} key @param {[string, string][]} choices value and words @param {string} words
 */
export function selectField(draft, key, choices, words) {
  const id = freshId("select");
  const input = /** @type {HTMLSelectElement} */ (h("select", { class: "select", id, onchange: () => draft.set(key, input.value) },
    choices.map(([value, name]) => h("option", { value }, name))));
  follow(draft, () => { input.value = String(draft.value(key)); });
  return h("div", { class: "field" }, h("label", { for: id }, words), input, faultOf(draft, key, [input]));
}

/**
 * Text that may be left empty, which is null.
 * @param {import("./draft.js").Draft} draft @param {string} key @param {string} words @param {{hint?: string, placeholder?: string}} [more]
 */
export function textField(draft, key, words, { hint = "", placeholder = "" } = {}) {
  const id = freshId("text");
  const input = /** @type {HTMLInputElement} */ (
    h("input", { class: "input", id, placeholder, autocomplete: "off", oninput: () => draft.set(key, input.value.trim() || null) }));
  follow(draft, () => { if (document.activeElement !== input) input.value = String(draft.value(key) ?? ""); });
  return h("div", { class: "field" }, h("label", { for: id }, words), input, hint && h("p", { class: "hint" }, hint), faultOf(draft, key, [input]));
}

/**
 * A number on a slider, which may be left to the program (null).
 * @param {import("./draft.js").Draft} draft @param {string} key
 * @param {{words: string, low: number, high: number, step: number, start: number, digits?: number, unit?: string, unset: string, own: string, hint?: string}} look
 *   start: where the slider stands when it is first switched on; unset, own: the words of the two ways
 */
export function sliderField(draft, key, { words, low, high, step, start, digits = 2, unit = "", unset, own, hint = "" }) {
  const id = freshId("slider");
  const shown = h("output", { class: "number", for: id });
  const slider = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", class: "slider", id, min: low, max: high, step, oninput: () => draft.set(key, Number(slider.value)) }));
  const set = /** @type {HTMLInputElement} */ (
    h("input", { type: "checkbox", role: "switch", onchange: () => draft.set(key, set.checked ? Number(slider.value) : null) }));
  const line = h("div", { class: "slider-line" }, slider, shown);
  const name = h("span", {});
  follow(draft, () => {
    const value = draft.value(key);
    set.checked = value !== null;
    line.hidden = value === null;
    if (document.activeElement !== slider) slider.value = String(value ?? start);
    shown.textContent = `${number(Number(slider.value), digits)}${unit}`;
    name.textContent = value === null ? unset : own;
  });
  return h(
    "div", { class: "field" }, h("label", { class: "label", for: id }, words), h("label", { class: "switch" }, set, name), line,
    hint && h("p", { class: "hint" }, hint), faultOf(draft, key, [slider]),
  );
}

/** Show the draft now and after each change. @param {import("./draft.js").Draft} draft @param {() => void} show */
export function follow(draft, show) {
  draft.addEventListener("change", show);
  show();
}

/** A part of the settings. @param {string} kind @param {...(Node | string | null | false)} content */
export function section(kind, ...content) {
  const id = `settings-${kind}`;
  return h("section", { class: "card settings-part", "aria-labelledby": id },
    h("div", { class: "settings-head" }, h("h2", { id }, t(`settings.${kind}.title`)), h("p", { class: "soft" }, t(`settings.${kind}.about`))), ...content);
}
