// Pause and go on, at once and without a file: the daemon is told.

import { fill, h } from "../../dom.js";
import { icon } from "../../icons.js";
import { t } from "../../texts.js";
import { section } from "./fields.js";

/**
 * @param {{api: any, stream: any}} context
 * @returns {{element: HTMLElement, stop: () => void}}
 */
export function listeningPart({ api, stream }) {
  const words = h("p", { role: "status" });
  const button = h("button", { type: "button", class: "button", onclick: () => press() });
  let paused = false;

  const show = (/** @type {string} */ state) => {
    paused = state === "paused";
    words.textContent = t(`state.${state}`);
    fill(button, icon(paused ? "play" : "pause"), t(paused ? "settings.listening.resume" : "settings.listening.pause"));
  };
  const press = async () => {
    button.setAttribute("disabled", "");
    try {
      const answer = await api.post("pause", { paused: !paused });
      show(answer.paused ? "paused" : "listening");
    } catch {
      // The toast has said why.
    } finally {
      button.removeAttribute("disabled");
    }
  };
  const ask = () => api.get("status", {}, { quiet: true }).then(
    (/** @type {any} */ status) => show(status.connected ? status.overall ?? status.state : "gone"), () => show("unknown"));
  show("unknown");
  ask();
  const stops = [
    stream.on("status", (/** @type {any} */ { data }) => show(data.overall ?? data.state)),
    stream.on("daemon", (/** @type {any} */ { data }) => (data.connected ? ask() : show("gone"))),
  ];
  const element = section("listening", h("div", { class: "settings-line" }, words, button));
  return { element, stop: () => stops.forEach((stop) => stop()) };
}
