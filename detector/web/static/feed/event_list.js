// The cards of the feed, newest first, under a heading for each day.

import { h } from "../dom.js";
import { Card } from "./card.js";

const MOST = 400; // cards: beyond that, the oldest are taken away when new ones come by themselves

export class EventList {
  #cards = /** @type {Map<string, Card>} */ (new Map());

  /** @param {import("../shell.js").Context} context */
  constructor(context) {
    this.context = context;
    this.element = h("div", { class: "event-list" });
  }

  get size() {
    return this.#cards.size;
  }

  /** When the oldest sound that is shown began; empty if none is. */
  get oldest() {
    const last = this.element.lastElementChild?.lastElementChild;
    return last ? this.#cards.get(last.dataset.id).event.start_time : "";
  }

  /** @param {string} id */
  card(id) {
    return this.#cards.get(id);
  }

  clear() {
    for (const card of this.#cards.values()) card.stop();
    this.#cards.clear();
    this.element.replaceChildren();
  }

  /** Put an event where it belongs by time, or tell its card what is new. @returns {boolean} whether it is new */
  put(event) {
    const known = this.#cards.get(event.id);
    if (known) {
      known.update(event);
      return false;
    }
    const card = new Card(event, this.context);
    this.#cards.set(event.id, card);
    const day = this.#day(event.start_time);
    const later = [...day.children].find(
      (child) => child.dataset.id && this.#cards.get(child.dataset.id).event.start_time < event.start_time,
    );
    day.insertBefore(card.element, later ?? null);
    return true;
  }

  /** Take away the oldest cards if there are very many. */
  trim() {
    while (this.#cards.size > MOST) {
      const last = this.element.lastElementChild;
      const element = /** @type {HTMLElement} */ (last.lastElementChild);
      this.#cards.get(element.dataset.id).stop();
      this.#cards.delete(element.dataset.id);
      element.remove();
      if (last.childElementCount === 1) last.remove();
    }
  }

  /** The section of a day; days are in order too. */
  #day(time) {
    const start = new Date(time).setHours(0, 0, 0, 0);
    const sections = /** @type {HTMLElement[]} */ ([...this.element.children]);
    const there = sections.find((section) => section.dataset.day === String(start));
    if (there) return there;
    const id = `day-${start}`;
    const section = h(
      "section",
      { class: "day", "data-day": start, "aria-labelledby": id },
      h("h2", { class: "day-name", id }, this.context.format.day(time)),
    );
    this.element.insertBefore(section, sections.find((other) => Number(other.dataset.day) < start) ?? null);
    return section;
  }
}
