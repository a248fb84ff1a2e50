// Learning: what there is to learn from, how far it is, and how to stop it.

import { fill, h } from "../../dom.js";
import { span } from "../../format.js";
import { t } from "../../texts.js";
import { progress } from "../settings/progress.js";
import { stepHead, way } from "./parts.js";

/** @param {import("../teach.js").Teach} teach @returns {import("../teach.js").Step} */
export function learnStep(teach) {
  const { api, act, go } = teach;
  const box = h("div", { class: "teach-part" });
  const bar = progress(t("teach.learn.title"));
  const running = h("div", { class: "teach-part" }, bar.element, h("div", { class: "buttons" }, way(t("cancel"), () => act(() => api.del("teach/train")))));
  let began = false;
  const start = async () => {
    began = true;
    if (await act(() => api.post("teach/train", {})) === undefined) began = false;
  };
  const show = (/** @type {any} */ { training, sounds, background }) => {
    if (training.state === "running") {
      began = true;
      if (box.firstChild !== running) fill(box, running);
      const words = t("teach.learn.running", { span: span(training.seconds ?? 0), step: training.step ?? "" });
      bar.show(training.total ? training.done / training.total : null, words);
      return;
    }
    if (began && training.state === "done") { go("try"); return; }
    const material = sounds.filter((/** @type {any} */ sound) => sound.takes > 0);
    const room = material.some((/** @type {any} */ sound) => sound.name === background && sound.ready);
    const taught = material.some((/** @type {any} */ sound) => sound.name !== background && sound.ready);
    const startButton = way(t("teach.learn.start"), start, true);
    startButton.toggleAttribute("disabled", !room || !taught);
    fill(box,
      training.state === "failed" && h("p", { class: "fault", role: "alert" }, training.error),
      h("ul", { class: "teach-list" }, material.map((/** @type {any} */ { name, takes, seconds, ready }) => h(
        "li", {}, h("div", { class: "teach-known" }, h("b", {}, name === background ? t("teach.room") : name), h("span", { class: "soft small" }, t("teach.takes", { n: takes })), h("span", { class: "soft small" }, span(seconds))),
        !ready && name !== background && h("span", { class: "chip alert" }, t("teach.too_few"))))),
      !room && h("p", { class: "soft" }, t("teach.learn.no_room")),
      h("div", { class: "buttons teach-ways" }, way(t("teach.previous"), () => go("background")), startButton));
  };
  return { element: h("div", { class: "teach-part" }, stepHead("learn"), box), show };
}
