// Where notifications go, which rules send them, and a test of it.

import { fill, h } from "../../dom.js";
import { span } from "../../format.js";
import { icon } from "../../icons.js";
import { t } from "../../texts.js";
import { section, switchField, textField } from "./fields.js";

/** @param {{api: any, draft: import("./draft.js").Draft}} context */
export function notificationsPart({ api, draft }) {
  const { targets, rules } = draft.settings;
  if (targets.length === 0) return section("notifications", h("p", { class: "soft" }, t("settings.notifications.none")));
  const results = h("ul", { class: "results" });
  const button = h("button", { type: "button", class: "button", onclick: async () => {
    button.setAttribute("disabled", "");
    fill(results, h("li", { class: "soft" }, t("settings.notifications.sending")));
    try {
      const answer = await api.post("notify/test", {});
      fill(results, ...answer.results.map(result));
    } catch {
      fill(results);
    } finally {
      button.removeAttribute("disabled");
    }
  } }, t("settings.notifications.test"));
  const list = rules.map((/** @type {any} */ rule) => h(
    "li", {}, switchField(draft, `notify.rules.${rule.name}.enabled`, rule.name), h("span", { class: "soft small" }, rule.labels?.join("; ") || t("settings.notifications.all")),
    h("span", { class: "soft small" }, `→ ${(rule.to?.length ? rule.to : targets).join(", ")}`), rule.urgent && h("span", { class: "chip accent" }, t("settings.notifications.urgent"))));
  return section("notifications", h("ul", { class: "rules" }, list),
    textField(draft, "notify.quiet_hours", t("settings.notifications.quiet"), { placeholder: "22:00-07:00", hint: t("settings.notifications.quiet_hint") }),
    h("div", { role: "status" }, results), h("div", { class: "settings-line" }, button));
}

/** @param {{name: string, delivered: boolean, seconds: number, detail: string}} one */
function result({ name, delivered, seconds, detail }) {
  const words = delivered ? t("settings.notifications.delivered", { name, span: span(seconds) }) : t("settings.notifications.failed", { name, detail });
  return h("li", { class: delivered ? "good" : "fault" }, icon(delivered ? "check" : "warning"), h("span", {}, words));
}
