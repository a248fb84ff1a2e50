import { h } from "../dom.js";

/** @param {HTMLElement} root */
export function mount(root, { t }) {
  root.append(h("div", { class: "view" }, h("h1", {}, t("overview.title"))));
}
