// Teach a sound: name it, record it some times, record the room without it, let the program learn, try it, use it.
//
// What was recorded and learned lies with the server, so each step can be left and come back to.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { link } from "../router.js";
import { t } from "../texts.js";
import { learnStep } from "./teach/learn_step.js";
import { nameStep } from "./teach/name_step.js";
import { recordStep } from "./teach/record_step.js";
import { tryStep } from "./teach/try_step.js";

const STEPS = ["name", "record", "background", "learn", "try"];
const POLL_MS = 500;

/**
 * @typedef {object} Teach what every step gets
 * @property {any} api
 * @property {(text: string) => void} toast
 * @property {{name: string}[]} sources
 * @property {any} state the newest answer of /teach
 * @property {string} sound the name of the sound that is taught; empty before it has one
 * @property {(step: string, sound?: string) => void} go
 * @property {(call: () => Promise<any>) => Promise<any>} act calls, then looks again; undefined if it failed, which a toast has said
 * @property {() => Promise<void>} look
 */

/** @typedef {{element: HTMLElement, show: (state: any) => void, stop?: () => void}} Step */

/** @param {HTMLElement} root @param {any} context */
export async function mount(root, { api, toast, dialog, params, setParams, me }) {
  const head = h("header", { class: "view-head" }, h("h1", {}, t("teach.title")), h("a", { class: "button quiet compact", href: link("settings") }, t("teach.back")));
  const body = h("div", { class: "card teach-step" });
  const list = h("ol", { class: "teach-steps" });
  root.append(h("div", { class: "view teach" }, head, list, body));
  const found = await Promise.all([api.get("teach"), api.get("sources", {}, { quiet: true }).catch(() => ({ sources: [] }))])
    .catch((error) => { fill(body, h("p", { class: "empty" }, error.message)); });
  if (!found) return () => {};
  const [first, { sources }] = found;
  let step = /** @type {Step | null} */ (null);
  let timer = 0;
  let stopped = false;
  /** @type {Teach} */
  const teach = {
    api, toast, sources, dialog, state: first, sound: params.get("sound") ?? "",
    go: (name, sound = teach.sound) => {
      teach.sound = sound;
      setParams({ step: name, sound });
      show(name);
      body.querySelector("h2")?.focus();
    },
    act: async (call) => {
      try {
        return await call() ?? true;
      } catch {
        return undefined; // the toast has said why
      } finally {
        await teach.look();
      }
    },
    look: async () => {
      clearTimeout(timer);
      try {
        teach.state = await api.get("teach", {}, { quiet: true });
      } catch {
        // The next look may do better.
      }
      if (stopped) return;
      step?.show(teach.state);
      again();
    },
  };
  const again = () => {
    clearTimeout(timer);
    const { recording, training } = teach.state;
    if (recording || training.state === "running") timer = setTimeout(teach.look, POLL_MS);
  };
  const show = (/** @type {string} */ name) => {
    step?.stop?.();
    step = made(name, teach);
    fill(list, ...STEPS.map((one, index) => h("li", { "aria-current": one === name ? "step" : null }, h("span", { class: "teach-number", "aria-hidden": "true" }, index + 1), h("span", {}, t(`teach.step.${one}`)))));
    fill(body, notice(me, teach.state),
      h("fieldset", { class: "teach-fields", disabled: me.read_only }, step.element));
    step.show(teach.state);
    again();
  };
  show(firstStep(params.get("step"), teach));
  return () => { stopped = true; clearTimeout(timer); step?.stop?.(); };
}

/** Why nothing can be recorded; nothing where it can. @param {{read_only: boolean}} me @param {any} state */
function notice({ read_only: readOnly }, { sound_allowed: allowed, why_not: why }) {
  if (readOnly) return h("p", { class: "banner", "data-tone": "good" }, icon("lock"), t("settings.read_only"));
  return allowed === false && h("p", { class: "banner" }, icon("warning"), why ?? t("teach.no_sound"));
}

/** The step that is asked for, if it can be shown. @param {string | null} wanted @param {Teach} teach */
function firstStep(wanted, { state, sound }) {
  if (state.training.state === "running") return "learn";
  if (!STEPS.includes(wanted) || (wanted === "record" && !sound) || (wanted === "try" && !state.result)) return "name";
  return wanted;
}

/** @param {string} name @param {Teach} teach @returns {Step} */
function made(name, teach) {
  if (name === "name") return nameStep(teach);
  if (name === "learn") return learnStep(teach);
  return name === "try" ? tryStep(teach) : recordStep(teach, name === "background");
}
