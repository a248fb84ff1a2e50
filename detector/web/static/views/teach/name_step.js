// The first step: what was taught so far, and the name of what comes next.

import { fill, h } from "../../dom.js";
import { icon } from "../../icons.js";
import { t } from "../../texts.js";
import { stepHead } from "./parts.js";

/** @param {import("../teach.js").Teach} teach @returns {import("../teach.js").Step} */
export function nameStep(teach) {
  const { api, act, go } = teach;
  const known = h("div", {});
  const input = /** @type {HTMLInputElement} */ (h("input", { class: "input", id: "teach-name", maxlength: 60, autocomplete: "off", required: true, placeholder: t("teach.name.example") }));
  const form = h(
    "form", { class: "teach-form", onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); if (input.value.trim()) go("record", knownName(teach.state.sounds, input.value.trim())); } },
    h("div", { class: "field" }, h("label", { for: "teach-name" }, t("teach.name.label")), input),
    h("button", { class: "button primary", type: "submit" }, t("teach.next")),
  );
  const forget = async (/** @type {string} */ name) => {
    const yes = await teach.dialog.confirm({ title: t("teach.forget.title", { name }), text: t("teach.forget.text"), yes: t("teach.forget"), alert: true });
    if (yes) await act(() => api.del(`teach/sounds/${encodeURIComponent(name)}`));
  };
  const row = (/** @type {any} */ { name, takes, learned }) => h(
    "li", {}, h("div", { class: "teach-known" }, h("b", {}, name), h("span", { class: "soft small" }, t("teach.takes", { n: takes }))),
    learned && h("span", { class: "chip accent" }, t("teach.learned")),
    h("div", { class: "take-ways" },
      h("button", { class: "button compact", type: "button", onclick: () => go("record", name) }, t("teach.record_more")),
      h("button", { class: "button quiet only-icon compact", type: "button", "aria-label": t("teach.forget.one", { name }), onclick: () => forget(name) }, icon("trash"))),
  );
  const show = (/** @type {any} */ { sounds, background, result, in_use: used }) => {
    const taught = sounds.filter((/** @type {any} */ sound) => sound.name !== background);
    const ready = taught.some((/** @type {any} */ sound) => sound.ready);
    fill(known,
      taught.length > 0 && h("h3", {}, t("teach.known")),
      taught.length > 0 && h("ul", { class: "teach-list" }, taught.map(row)),
      h("div", { class: "buttons" },
        ready && h("button", { class: "button", type: "button", onclick: () => go("learn") }, t("teach.learn_now")),
        (result ?? used) && h("button", { class: "button quiet", type: "button", onclick: () => go("try") }, t("teach.see_result"))));
  };
  return { element: h("div", { class: "teach-part" }, stepHead("name"), form, known), show };
}

/** The name of a sound that is there already, however it was written now. @param {{name: string}[]} sounds @param {string} name */
function knownName(sounds, name) {
  return sounds.find((sound) => sound.name.toLowerCase() === name.toLowerCase())?.name ?? name;
}
