// What the feed looks like: its head, filters, list, and the buttons and words around the list.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";

/**
 * @param {(key: string) => string} t
 * @param {HTMLElement} list
 * @param {HTMLElement} filters
 * @param {{showFresh: () => void, loadOlder: () => void}} acts
 */
export function buildFeed(t, list, filters, { showFresh, loadOlder }) {
  const news = h("p", { class: "read-only-for-ears", "aria-live": "polite" });
  const fresh = h("button", {
    class: "button primary compact fresh",
    type: "button",
    hidden: true,
    onclick: showFresh,
  });
  const older = /** @type {HTMLButtonElement} */ (
    h(
      "button",
      { class: "button older", type: "button", hidden: true, onclick: loadOlder },
      icon("down"),
      t("feed.older"),
    )
  );
  const empty = h("div", { class: "empty", hidden: true });
  const damaged = h("p", { class: "small", role: "status", hidden: true });
  const chips = h("div", { class: "chosen", hidden: true });
  const badge = h("span", { class: "chip accent", hidden: true });
  const panel = h(
    "aside",
    { class: "card filter-panel", id: "feed-filters" },
    h("h2", {}, t("filter.title")),
    filters,
  );
  const element = h(
    "div",
    { class: "view feed" },
    h("div", { class: "view-head" }, h("h1", {}, t("feed.title")), opener(t, panel, badge)),
    h(
      "div",
      { class: "feed-columns" },
      panel,
      h("div", { class: "feed-main" }, chips, fresh, list, damaged, empty, older, news),
    ),
  );
  return { element, news, fresh, older, damaged, empty, chips, badge };
}

/** On a narrow screen, the filters are behind this button. */
function opener(t, panel, badge) {
  const button = h(
    "button",
    {
      class: "button filter-opener",
      type: "button",
      "aria-expanded": "false",
      "aria-controls": panel.id,
      onclick: () => button.setAttribute("aria-expanded", String(panel.classList.toggle("open"))),
    },
    icon("filter"),
    t("filter.title"),
    badge,
  );
  return button;
}

/**
 * Say that there is nothing, and why.
 * @param {HTMLElement} element
 * @param {boolean} filtered
 * @param {(key: string) => string} t
 */
export function sayEmpty(element, filtered, t) {
  fill(
    element,
    icon(filtered ? "search" : "silence"),
    h("h3", {}, t(filtered ? "feed.none" : "feed.quiet")),
    h("p", {}, t(filtered ? "feed.none.about" : "feed.quiet.about")),
  );
}
