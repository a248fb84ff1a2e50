// What a person says of an event: right, wrong, or what it was instead; and how that is taken back.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { chooseLabel } from "./label_chooser.js";

/**
 * @param {() => import("../events.js").SoundEvent} event the event as it is now
 * @param {import("../shell.js").Context} context
 * @param {(said: string | null) => void} onSaid
 * @returns {{element: HTMLElement, show: () => void}}
 */
export function verdictRow(event, context, onSaid) {
  const { api, t, me } = context;
  const element = h("div", { class: "verdict", role: "group", "aria-label": t("verdict.question") });
  const allowed = me.role === "owner" && !me.read_only;
  let shown = /** @type {string | null | undefined} */ (undefined);

  const send = async (request, said) => {
    for (const button of element.querySelectorAll("button")) button.disabled = true;
    try {
      await request();
      onSaid(said);
    } catch {
      shown = undefined;
      show();
    }
    element.querySelector("button")?.focus();
  };
  const path = () => `events/${encodeURIComponent(event().id)}/verdict`;
  const say = (said) => send(() => api.post(path(), { said }), said);
  const takeBack = () => send(() => api.del(path()), null);
  const correct = async () => {
    const label = await chooseLabel(event(), context);
    if (label !== null) say(label);
  };

  const show = () => {
    const said = event().verdict_given ?? null;
    if (said === shown) return;
    shown = said;
    if (said === null) {
      fill(
        element,
        button(t("verdict.right"), "check", () => say("right")),
        button(t("verdict.wrong"), "cross", () => say("wrong")),
        button(t("verdict.other"), "pencil", correct),
      );
    } else {
      const words =
        said === "right" || said === "wrong"
          ? t(`verdict.said.${said}`)
          : t("verdict.said.label", { label: said });
      fill(
        element,
        h(
          "p",
          { class: "chip accent verdict-said", role: "status" },
          icon(said === "wrong" ? "cross" : said === "right" ? "check" : "pencil"),
          h("span", { class: "clip-text" }, words),
        ),
        allowed && button(t("undo"), "undo", takeBack),
      );
    }
    element.hidden = !allowed && said === null;
  };
  return { element, show };
}

function button(words, name, act) {
  return h("button", { class: "button quiet compact", type: "button", onclick: act }, icon(name), words);
}
