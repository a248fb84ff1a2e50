// Sounds with a threshold of their own: a slider each, and how many of yesterday's events would remain.

import { fill, h } from "../../dom.js";
import { number } from "../../format.js";
import { icon } from "../../icons.js";
import { t } from "../../texts.js";
import { keyOfLabel, labelKey } from "./draft.js";
import { faultOf, follow, freshId } from "./fields.js";
import { labelSearch } from "./label_picker.js";

const NAME = "threshold_on";
const START = 0.5;

/** The labels that have a threshold of their own, with the changes. @param {import("./draft.js").Draft} draft @returns {string[]} */
export function ownLabels(draft) {
  const changed = [...draft.changes.keys()].map(labelKey).filter((found) => found?.name === NAME).map((found) => found.label);
  const names = new Set([...Object.keys(draft.settings.labels ?? {}), ...changed]);
  return [...names].filter((label) => draft.value(keyOfLabel(label, NAME)) !== null);
}

/** @param {import("./draft.js").Draft} draft @param {import("./label_picker.js").Labels} labels */
export function ownThresholds(draft, labels) {
  const rows = new Map();
  const list = h("ul", { class: "own-thresholds" });
  const search = labelSearch({ labels: labels.labels, groups: {} }, t("settings.own.add"), () => ownLabels(draft), (label) => {
    draft.set(keyOfLabel(label, NAME), START);
    rows.get(label)?.querySelector("input").focus();
  });
  follow(draft, () => {
    const names = ownLabels(draft);
    for (const label of names) if (!rows.has(label)) rows.set(label, row(draft, label));
    for (const label of [...rows.keys()]) if (!names.includes(label)) rows.delete(label);
    const wanted = names.map((label) => rows.get(label));
    if (wanted.length !== list.children.length || wanted.some((one, index) => list.children[index] !== one)) fill(list, ...wanted);
  });
  return h("div", { class: "picks" }, search, list);
}

/** @param {import("./draft.js").Draft} draft @param {string} label */
function row(draft, label) {
  const key = keyOfLabel(label, NAME);
  const id = freshId("own");
  const slider = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", class: "slider", id, min: 0.05, max: 0.95, step: 0.01, oninput: () => draft.set(key, Number(slider.value)) }));
  const shown = h("output", { class: "number", for: id });
  const remove = h("button", { type: "button", class: "button quiet only-icon compact", "aria-label": t("settings.labels.remove", { label }), onclick: () => draft.set(key, null) }, icon("cross"));
  follow(draft, () => {
    const value = draft.value(key);
    if (value === null) return;
    if (document.activeElement !== slider) slider.value = String(value);
    shown.textContent = number(Number(slider.value), 2);
  });
  return h("li", {}, h("label", { class: "clip-text", for: id, title: label }, label), slider, shown, remove, faultOf(draft, key, [slider]));
}
