// The models that are on this computer, and which of them listen.

import { fill, h } from "../../dom.js";
import { number } from "../../format.js";
import { t } from "../../texts.js";
import { section } from "./fields.js";

/** @param {Promise<{models: any[]}>} asked of /models, which takes a while */
export function modelsPart(asked) {
  const list = h("ul", { class: "models", "aria-busy": "true" }, h("li", { class: "waiting models-waiting" }));
  asked.then(({ models }) => {
    list.removeAttribute("aria-busy");
    fill(list, ...models.filter((model) => model.installed || model.runs).map(row));
  });
  return section("models", list);
}

/** @param {any} model */
function row({ name, kind, description, licence, labels, runs }) {
  const about = [description, labels ? t("settings.models.labels", { n: labels, count: number(labels) }) : "", licence].filter(Boolean).join(" · ");
  const chip = h("span", { class: runs ? "chip accent" : "chip" }, t(runs ? "settings.models.runs" : `settings.models.kind_${kind}`));
  return h("li", {}, h("div", { class: "model-head" }, h("b", { class: "wrap" }, name), chip), h("p", { class: "soft small" }, about));
}
