// A list of all labels that can be searched: what was it?

import { fill, h, visible } from "../dom.js";
import { labelsOf } from "./labels.js";

const MOST = 80;

/**
 * Ask which label is right.
 * @param {import("../events.js").SoundEvent} event
 * @param {import("../shell.js").Context} context
 * @returns {Promise<string | null>} null if none was chosen
 */
export async function chooseLabel(event, { api, t, dialog }) {
  const { labels } = await labelsOf(api);
  return new Promise((resolve) => {
    let chosen = /** @type {string | null} */ (null);
    const take = (label) => {
      chosen = label;
      close();
    };
    const search = /** @type {HTMLInputElement} */ (
      h("input", {
        class: "input",
        type: "search",
        id: "label-search",
        autocomplete: "off",
        spellcheck: "false",
        placeholder: t("chooser.search"),
        oninput: () => show(),
      })
    );
    const list = h("ul", { class: "chooser-list" });
    const count = h("p", { class: "soft small", role: "status" });
    const likely = (event.alternatives ?? [])
      .map(({ label }) => label)
      .filter((label) => labels.includes(label));

    const show = () => {
      const wanted = search.value.trim().toLowerCase();
      const found = wanted === "" ? [...new Set([...likely, ...labels])] : ranked(labels, wanted);
      fill(
        list,
        ...found
          .slice(0, MOST)
          .map((label) =>
            h(
              "li",
              {},
              h(
                "button",
                { class: "label-choice", type: "button", onclick: () => take(label) },
                h("span", { class: "clip-text", title: label.slice(0, 300) }, label),
              ),
            ),
          ),
      );
      count.textContent =
        found.length > 0
          ? t("chooser.count", { n: found.length })
          : t("chooser.none", { words: visible(search.value) });
    };
    const move = (press) => {
      const places = [search, ...list.querySelectorAll("button")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[press.key];
      const at = places.indexOf(document.activeElement);
      if (press.key === "Enter" && document.activeElement === search && search.value.trim() !== "") {
        press.preventDefault();
        /** @type {HTMLButtonElement | undefined} */ (places[1])?.click();
      }
      if (step === undefined || at < 0) return;
      press.preventDefault();
      places[Math.min(Math.max(at + step, 0), places.length - 1)].focus();
    };
    const body = h(
      "div",
      { class: "chooser", onkeydown: move },
      h(
        "label",
        { class: "soft small", for: "label-search" },
        t("chooser.about", { label: event.label.slice(0, 80) }),
      ),
      search,
      count,
      list,
    );
    const close = dialog.openDialog({
      title: t("chooser.title"),
      body: [body],
      onClose: () => resolve(chosen),
    });
    show();
    search.focus();
  });
}

/** Labels with the words in them; those that begin with them come first. */
function ranked(labels, wanted) {
  const found = labels.filter((label) => label.toLowerCase().includes(wanted));
  return found.sort(
    (a, b) => Number(b.toLowerCase().startsWith(wanted)) - Number(a.toLowerCase().startsWith(wanted)),
  );
}
