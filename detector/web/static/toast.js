// Short words at the edge of the page, read aloud once, gone after a while.

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

const STAY_MS = 7000;
const MOST = 3;

const place = h("div", { class: "toasts", role: "status", "aria-live": "polite" });

/** Put the place for toasts into the page, once. */
export function start() {
  document.body.append(place);
}

/**
 * Show a toast; with an action, a button that does it.
 * @param {string} text
 * @param {{label: string, act: () => void} | null} [action]
 * @returns {() => void} takes it away
 */
export function toast(text, action = null) {
  const close = () => box.remove();
  const button =
    action &&
    h(
      "button",
      {
        class: "button compact",
        type: "button",
        onclick: () => {
          close();
          action.act();
        },
      },
      action.label,
    );
  const cross = h(
    "button",
    { class: "button compact only-icon", type: "button", "aria-label": t("close"), onclick: close },
    icon("cross"),
  );
  const box = h("div", { class: "toast" }, h("span", {}, text), button, cross);
  fill(place, ...[...place.children].slice(1 - MOST), box);
  let timer = setTimeout(close, STAY_MS);
  const hold = () => clearTimeout(timer);
  const release = () => {
    timer = setTimeout(close, STAY_MS);
  };
  box.addEventListener("pointerenter", hold);
  box.addEventListener("pointerleave", release);
  box.addEventListener("focusin", hold);
  box.addEventListener("focusout", release);
  return close;
}
