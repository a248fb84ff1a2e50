// The newest sounds as a short list: a card opens for the one that is chosen.

import { openEvent } from "../feed/event_dialog.js";
import { fill, h } from "../dom.js";
import { isGoing, newsOf } from "../events.js";
import { icon } from "../icons.js";

const SHOWN = 6;

export class RecentSounds {
  /** @type {Record<string, any>[]} newest first */
  events = [];

  /** @param {import("../shell.js").Context} context */
  constructor(context) {
    this.context = context;
    const { t, link } = context;
    this.list = h("ul", { class: "recent", "aria-live": "off" });
    this.news = h("p", { class: "read-only-for-ears", "aria-live": "polite" });
    const more = h("a", { class: "small", href: link("feed") }, t("live.all"));
    this.element = h(
      "section",
      { class: "card" },
      h("div", { class: "card-head" }, h("h2", {}, t("live.recent")), more),
      this.list,
      this.news,
    );
    this.told = new Set();
  }

  async load() {
    const { events } = await this.context.api
      .get("events", { limit: SHOWN }, { quiet: true })
      .catch(() => ({ events: [] }));
    this.events = events;
    for (const { id } of events) this.told.add(id);
    this.#show();
  }

  /** A message about a sound: a new one goes to the top, a known one is corrected where it is. */
  take(event) {
    const known = this.events.findIndex(({ id }) => id === event.id);
    if (known >= 0) this.events[known] = { ...this.events[known], ...newsOf(event) };
    else
      this.events = [event, ...this.events]
        .sort((a, b) => b.start_time.localeCompare(a.start_time))
        .slice(0, SHOWN);
    if (!this.told.has(event.id)) {
      this.told.add(event.id);
      const { t, format } = this.context;
      this.news.textContent = t("feed.heard", {
        label: event.label.slice(0, 120),
        time: format.clock(event.start_time),
      });
    }
    this.#show();
  }

  open(id) {
    const event = this.events.find((other) => other.id === id);
    openEvent(id, event ?? null, this.context);
  }

  stop() {
    this.events = [];
  }

  #show() {
    const { t } = this.context;
    if (this.events.length === 0) {
      fill(this.list, h("li", { class: "empty" }, icon("silence"), h("p", {}, t("live.quiet"))));
      return;
    }
    const rows = this.events.map((event) => this.#row(event));
    for (const row of [...this.list.children]) if (!rows.includes(row)) row.remove();
    rows.forEach((row, k) => {
      if (this.list.children[k] !== row) this.list.insertBefore(row, this.list.children[k] ?? null);
    });
  }

  /** The row of an event; one that is there stays there, with the focus it may have. */
  #row(event) {
    const { t, format } = this.context;
    const rows = [...this.list.children];
    const known = rows.find((row) => row.firstElementChild?.getAttribute("data-id") === event.id);
    const row =
      known ??
      h(
        "li",
        {},
        h("button", {
          class: "recent-sound",
          type: "button",
          "data-id": event.id,
          onclick: () => this.open(event.id),
        }),
      );
    fill(
      row.firstElementChild,
      h(
        "time",
        { class: "number soft", datetime: event.start_time, title: format.moment(event.start_time) },
        format.clock(event.start_time),
      ),
      h("span", { class: "clip-text recent-label", title: event.label.slice(0, 300) }, event.label),
      isGoing(event) && h("span", { class: "chip accent" }, t("feed.now")),
      h("span", { class: "clip-text soft small recent-source" }, event.source),
      h("span", { class: "number soft recent-score" }, format.score(event.top_score)),
    );
    return row;
  }
}
