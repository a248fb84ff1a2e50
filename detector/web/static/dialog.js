// A dialog over the page: the browser's own, so that focus stays inside and Escape closes it.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

let count = 0;

/**
 * Open a dialog.
 * @param {{title: string, body: (Node|string)[], foot?: Node[], onClose?: () => void}} parts
 * @returns {() => void} closes it
 */
export function openDialog({ title, body, foot = [], onClose = () => {} }) {
  const id = `dialog-${++count}`;
  const cross = h(
    "button",
    { class: "button quiet only-icon", type: "button", "aria-label": t("close"), onclick: () => box.close() },
    icon("cross"),
  );
  const head = h("div", { class: "dialog-head" }, h("h2", { id }, title), cross);
  const box = /** @type {HTMLDialogElement} */ (
    h(
      "dialog",
      { class: "dialog", "aria-labelledby": id },
      head,
      h("div", { class: "dialog-body" }, ...body),
      foot.length > 0 && h("div", { class: "dialog-foot" }, ...foot),
    )
  );
  box.addEventListener("click", (event) => {
    if (event.target === box) box.close();
  });
  box.addEventListener("close", () => {
    box.remove();
    onClose();
  });
  document.body.append(box);
  box.showModal();
  return () => box.close();
}

/**
 * Ask before something is done that cannot be undone.
 * @param {{title: string, text: string, yes: string, alert?: boolean}} words
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, yes, alert = false }) {
  return new Promise((resolve) => {
    let answer = false;
    const decide = (value) => () => {
      answer = value;
      close();
    };
    const close = openDialog({
      title,
      body: [h("p", {}, text)],
      foot: [
        h("button", { class: "button", type: "button", onclick: decide(false) }, t("cancel")),
        h(
          "button",
          { class: alert ? "button alert" : "button primary", type: "button", onclick: decide(true) },
          yes,
        ),
      ],
      onClose: () => resolve(answer),
    });
  });
}
