// The file that holds the settings: where it is, what was changed last, and the way back.

import { h } from "../../dom.js";
import { moment } from "../../format.js";
import { icon } from "../../icons.js";
import { t } from "../../texts.js";
import { follow, section } from "./fields.js";
import { settingName } from "./setting_words.js";

/** @param {{draft: import("./draft.js").Draft, undo: () => Promise<void>}} parts */
export function filePart({ draft, undo }) {
  const last = h("p", { class: "wrap" });
  const why = h("p", { class: "soft small wrap" });
  const button = h("button", { type: "button", class: "button", onclick: async () => {
    button.setAttribute("disabled", "");
    try { await undo(); } finally { button.removeAttribute("disabled"); }
  } }, icon("undo"), t("undo"));
  const restart = h("p", { class: "wrap" });
  follow(draft, () => {
    const { undo: made, needs_restart: waiting } = draft.settings;
    last.textContent = made ? t("settings.file.last", { what: made.what, time: moment(1000 * made.time) }) : t("settings.file.unchanged");
    why.textContent = made?.why_not ?? "";
    button.hidden = !made?.available;
    restart.textContent = waiting.length ? t("settings.file.restart", { keys: waiting.map(settingName).join("; ") }) : "";
    restart.hidden = !waiting.length;
  });
  return section("file", h("p", { class: "wrap" }, h("code", {}, draft.settings.path)), restart, h("div", { class: "settings-line" }, h("div", {}, last, why), button));
}
