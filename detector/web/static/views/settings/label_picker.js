// Labels and groups to choose from: a field that searches, and what was chosen as chips.
//
// The field is a combobox in the sense of ARIA: the arrow keys walk through the list, Enter takes, Escape closes.

import { fill, h } from "../../dom.js";
import { icon } from "../../icons.js";
import { t } from "../../texts.js";
import { faultOf, follow, freshId } from "./fields.js";

const MOST_SHOWN = 8;

/** @typedef {{labels: string[], groups: Record<string, string[]>}} Labels */

/**
 * What fits the words that were typed: groups first, then labels that begin with them, then labels that have them.
 * @param {Labels} all @param {string} typed @param {string[]} taken
 * @returns {{name: string, group: boolean}[]}
 */
export function matches({ labels, groups }, typed, taken) {
  const wanted = typed.trim().toLowerCase();
  const fits = (/** @type {string} */ name) => name.toLowerCase().includes(wanted) && !taken.includes(name);
  const begins = (/** @type {string} */ name) => Number(!name.toLowerCase().startsWith(wanted));
  const found = [...Object.keys(groups).map((name) => ({ name, group: true })), ...labels.map((name) => ({ name, group: false }))];
  return found.filter(({ name }) => fits(name)).sort((a, b) => begins(a.name) - begins(b.name) || Number(b.group) - Number(a.group)).slice(0, MOST_SHOWN);
}

/**
 * A field that searches labels; it says what was taken and is empty again.
 * @param {Labels} all @param {string} words @param {() => string[]} taken @param {(name: string) => void} take
 */
export function labelSearch(all, words, taken, take) {
  const [id, listId] = [freshId("search"), freshId("list")];
  const known = all.labels.length > 0; // the daemon tells them: without it, names are taken as they are written
  let found = /** @type {{name: string, group: boolean}[]} */ ([]);
  let active = -1;
  const input = /** @type {HTMLInputElement} */ (h("input", {
    class: "input", id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder: t(known ? "settings.labels.search" : "settings.labels.write"),
    "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list",
    oninput: () => open(), onfocus: () => open(), onblur: () => close(), onkeydown: (/** @type {KeyboardEvent} */ event) => press(event),
  }));
  const list = h("ul", { class: "options", id: listId, role: "listbox", "aria-label": words, hidden: true });

  const open = () => {
    found = matches(all, input.value, taken());
    active = input.value.trim() && found.length ? 0 : -1;
    draw();
    list.scrollIntoView({ block: "nearest" });
  };
  const close = () => { found = []; active = -1; draw(); };
  const choose = (/** @type {number} */ index) => {
    const { name } = found[index];
    input.value = "";
    close();
    take(name);
  };
  const draw = () => {
    fill(list, ...found.map(({ name, group }, index) => h(
      "li", { class: "option", id: `${listId}-${index}`, role: "option", "aria-selected": String(index === active), onpointerdown: (/** @type {Event} */ event) => { event.preventDefault(); choose(index); } },
      h("span", { class: "clip-text" }, name), group && h("span", { class: "chip" }, t("settings.labels.group", { n: all.groups[name].length })))));
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
    if (active >= 0) input.setAttribute("aria-activedescendant", `${listId}-${active}`);
    else input.removeAttribute("aria-activedescendant");
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (!found.length) open();
      active = found.length ? (active + step + found.length) % found.length : -1;
      draw();
    } else if (event.key === "Enter" && !known && input.value.trim()) {
      event.preventDefault();
      const name = input.value.trim();
      input.value = "";
      take(name);
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      choose(active);
    } else if (event.key === "Escape" && found.length) {
      event.stopPropagation();
      close();
    }
  };
  return h("div", { class: "field search" }, h("label", { for: id }, words), h("div", { class: "search-box" }, icon("search"), input, list));
}

/**
 * A setting that is a list of labels and groups.
 * @param {import("./draft.js").Draft} draft @param {string} key @param {Labels} all @param {string} words @param {string} none what an empty list means
 */
export function labelList(draft, key, all, words, none) {
  const chosen = () => /** @type {string[]} */ (draft.value(key) ?? []);
  const chips = h("ul", { class: "chips" });
  const search = labelSearch(all, words, chosen, (name) => draft.set(key, [...chosen(), name]));
  follow(draft, () => {
    const names = chosen();
    fill(chips, ...(names.length ? names.map((name) => h("li", {}, chip(name, () => {
      draft.set(key, chosen().filter((one) => one !== name));
      search.querySelector("input").focus();
    }))) : [h("li", { class: "soft small" }, none)]));
  });
  return h("div", { class: "picks" }, search, chips, faultOf(draft, key));
}

/** @param {string} name @param {() => void} remove */
function chip(name, remove) {
  const words = t("settings.labels.remove", { label: name });
  return h("span", { class: "chip accent removable", title: name }, h("span", { class: "clip-text" }, name),
    h("button", { type: "button", class: "chip-cross", "aria-label": words, onclick: remove }, icon("cross")));
}
