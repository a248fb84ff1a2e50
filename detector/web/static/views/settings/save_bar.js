// The bar at the bottom while something is changed and not saved: what it would have meant yesterday, save, discard.

import { h } from "../../dom.js";
import { t } from "../../texts.js";
import { reworded } from "./setting_words.js";

const WAIT_MS = 300;

/**
 * @param {import("./draft.js").Draft} draft
 * @param {{api: any, save: () => Promise<void>}} ways
 * @returns {{element: HTMLElement, stop: () => void}}
 */
export function saveBar(draft, { api, save }) {
  const count = h("b", {});
  const words = h("p", { class: "small", role: "status" });
  const button = h("button", { type: "button", class: "button primary", onclick: () => busy(save) }, t("settings.save"));
  const discard = h("button", { type: "button", class: "button", onclick: () => draft.discard() }, t("settings.discard"));
  const bar = h("div", { class: "save-bar", role: "region", "aria-label": t("settings.unsaved"), hidden: true }, h("div", {}, count, words), h("div", { class: "buttons" }, discard, button));
  let timer = 0;
  let asked = "";
  let turn = 0;

  const busy = async (/** @type {() => Promise<void>} */ what) => {
    button.setAttribute("disabled", "");
    clearTimeout(timer);
    turn += 1; // what a preview finds no longer counts: saving checks more
    try { await what(); } finally { button.removeAttribute("disabled"); }
  };
  const preview = async () => {
    const mine = ++turn;
    try {
      const answer = await api.post("settings/preview", { changes: draft }, { quiet: true });
      if (mine !== turn) return;
      draft.blame(answer.faults);
      words.textContent = answer.faults.length ? draft.otherFaults.join(" ") : [answer.text, reworded(answer.note ?? "", draft.changes.keys())].filter(Boolean).join(". ").replace(/\.\. /, ". ");
    } catch (error) {
      if (mine === turn) words.textContent = error.message;
    }
  };
  const show = () => {
    const n = draft.changes.size;
    bar.hidden = n === 0;
    count.textContent = t("settings.changes", { n });
    const now = JSON.stringify(draft);
    if (now === asked) return;
    asked = now;
    clearTimeout(timer);
    turn += 1;
    if (n === 0) words.textContent = "";
    else timer = setTimeout(preview, WAIT_MS);
  };
  draft.addEventListener("change", show);
  show();
  return { element: bar, stop: () => { clearTimeout(timer); turn += 1; draft.removeEventListener("change", show); } };
}
