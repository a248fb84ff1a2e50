// The result in plain words, a trial at the microphone, and whether it is used.

import { fill, h } from "../../dom.js";
import { percent } from "../../format.js";
import { icon } from "../../icons.js";
import { t } from "../../texts.js";
import { sourceChoice, stepHead, way } from "./parts.js";

const TRIAL_SECONDS = 5;
const SECOND_MS = 1000;

/** @param {import("../teach.js").Teach} teach @returns {import("../teach.js").Step} */
export function tryStep(teach) {
  const { api, act, go, sources } = teach;
  const source = sourceChoice(sources);
  const words = h("div", { class: "teach-result" });
  const trial = h("p", { class: "teach-trial", role: "status" });
  const best = h("ul", { class: "teach-best" });
  const ways = h("div", { class: "buttons teach-ways" });
  const listen = h("button", { class: "button", type: "button", onclick: () => tryIt() }, icon("ear"), t("teach.try.listen", { n: TRIAL_SECONDS }));
  const tryIt = async () => {
    listen.setAttribute("disabled", "");
    trial.textContent = t("teach.try.listening");
    const heard = setTimeout(() => { trial.textContent = t("teach.try.thinking"); }, TRIAL_SECONDS * SECOND_MS);
    fill(best);
    try {
      const answer = await api.post("teach/try", { live: true, seconds: TRIAL_SECONDS, source: source?.value ?? null });
      clearTimeout(heard);
      trial.textContent = answer.text;
      fill(best, ...answer.best.map((/** @type {any} */ one) => h("li", {}, h("span", { class: "clip-text" }, one.label), share(one.score), h("span", { class: "number small" }, percent(one.score)))));
    } catch {
      trial.textContent = "";
    } finally {
      clearTimeout(heard);
      listen.removeAttribute("disabled");
    }
  };
  const use = async () => {
    const answer = await act(() => api.post("teach/use", {}));
    if (answer) teach.toast(answer.message ?? t("teach.in_use"));
  };
  const stopUsing = async () => {
    if (await act(() => api.del("teach/use"))) teach.toast(t("teach.no_longer"));
  };
  const show = (/** @type {any} */ { result, in_use: used }) => {
    const shown = result ?? used;
    listen.hidden = !shown;
    fill(words, ...(shown ? told(shown) : [h("p", { class: "soft" }, t("teach.try.nothing"))]));
    const current = Boolean(used) && (!result || result.time === used.time);
    fill(ways,
      way(t("teach.start"), () => go("name", "")),
      used && way(t("teach.stop_using"), stopUsing),
      current ? h("span", { class: "chip accent" }, icon("check"), t("teach.in_use")) : result && way(t("teach.use"), use, true));
  };
  return { element: h("div", { class: "teach-part" }, stepHead("try"), words, h("div", { class: "teach-part" }, h("div", { class: "buttons" }, source, listen), trial, best), ways), show };
}

/** @param {any} result */
function told({ sentences, notes }) {
  return [
    h("ul", { class: "teach-sentences" }, sentences.map((/** @type {string} */ sentence) => h("li", {}, sentence))),
    notes.length > 0 && h("details", {}, h("summary", { class: "soft small" }, t("teach.try.notes")), h("ul", { class: "soft small teach-sentences" }, notes.map((/** @type {string} */ note) => h("li", {}, note)))),
  ].filter(Boolean);
}

/** @param {number} score 0 to 1 */
function share(score) {
  const bar = h("span", { class: "share", "aria-hidden": "true" });
  bar.style.setProperty("--share", String(score));
  return bar;
}
