// The models that are on this computer, and which of them listen.

import { h } from "../../dom.js";
import { number } from "../../format.js";
import { t } from "../../texts.js";
import { section } from "./fields.js";

/** @param {any[]} models of /models */
export function modelsPart(models) {
  const installed = models.filter((model) => model.installed || model.runs);
  const rows = installed.map(({ name, kind, description, licence, labels, runs }) => h(
    "li", {}, h("div", { class: "model-head" }, h("b", { class: "wrap" }, name), h("span", { class: runs ? "chip accent" : "chip" }, t(runs ? "settings.models.runs" : `settings.models.kind_${kind}`))),
    h("p", { class: "soft small" }, [description, labels ? t("settings.models.labels", { n: labels, count: number(labels) }) : "", licence].filter(Boolean).join(" · "))));
  return section("models", h("ul", { class: "models" }, rows));
}
