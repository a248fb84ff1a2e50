// Says when the web process or the daemon is gone, and when they are back.

import { fill, h } from "./dom.js";
import { clock } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

const PATIENCE_MS = 1500;
const BACK_MS = 4000;

/**
 * @param {import("./stream.js").Stream} stream
 * @returns {{element: HTMLElement, stop: () => void}}
 */
export function banner(stream) {
  const words = h("span", {});
  const box = h("div", { class: "banner", hidden: true }, words);
  const element = h("div", { role: "status", "aria-live": "polite" }, box);
  const gone = { web: /** @type {number | null} */ (null), daemon: /** @type {number | null} */ (null) };
  let timer = 0;

  const show = (tone, text) => {
    box.dataset.tone = tone;
    fill(box, icon(tone === "good" ? "check" : "warning"), h("span", {}, text));
    box.hidden = false;
  };
  const look = () => {
    clearTimeout(timer);
    if (gone.web !== null) {
      const since = gone.web;
      timer = setTimeout(() => show("bad", t("banner.web", { time: clock(since, false) })), PATIENCE_MS);
    } else if (gone.daemon !== null) {
      show("bad", t("banner.daemon", { time: clock(gone.daemon, false) }));
    } else if (!box.hidden && box.dataset.tone === "bad") {
      show("good", t("banner.back"));
      timer = setTimeout(() => {
        box.hidden = true;
      }, BACK_MS);
    }
  };
  const stops = [
    stream.on("lost", () => {
      gone.web ??= Date.now();
      look();
    }),
    stream.on("open", () => {
      gone.web = null;
      look();
    }),
    stream.on("daemon", ({ data }) => {
      gone.daemon = data.connected
        ? null
        : (gone.daemon ?? (data.gone_since ? Date.parse(data.gone_since) : Date.now()));
      look();
    }),
  ];
  return {
    element,
    stop: () => {
      clearTimeout(timer);
      stops.forEach((stop) => stop());
    },
  };
}
