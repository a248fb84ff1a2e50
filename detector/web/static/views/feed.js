// Feed: what was heard, newest first, as it happens.

import { newsOf } from "../events.js";
import { EventList } from "../feed/event_list.js";
import { buildFeed, sayEmpty } from "../feed/feed_page.js";
import { chosenChips, filterFields } from "../feed/filter_fields.js";
import { asked, chosenIn, passes } from "../feed/filters.js";
import { labelsOf } from "../feed/labels.js";

const PAGE = 30;
const SETTLE_MS = 1500; // after the end of a sound its picture is stored
const AWAY = 240; // pixels: whoever has scrolled further is not disturbed by new cards

/**
 * @param {HTMLElement} root
 * @param {import("../shell.js").Context} context
 */
export function mount(root, context) {
  const feed = new Feed(context);
  root.append(feed.element);
  feed.start();
  return () => feed.stop();
}

class Feed {
  #groups = /** @type {Record<string, string[]>} */ ({});
  #next = /** @type {number | null} */ (null);
  /** Events of the pages that are shown which cannot be read. */
  #damaged = 0;
  #turn = 0; // counts the loads: an answer to an earlier one is left alone
  #loading = false;
  #stops = /** @type {(() => void)[]} */ ([]);
  /** The ids of the sounds that were read aloud, or were there from the start. */
  #told = new Set();
  /** New sounds, while somebody reads further down. */
  #waiting = new Map();
  /** What was heard while the list was asked for: the answer may not have it. */
  #meanwhile = new Map();

  constructor(context) {
    this.context = context;
    this.chosen = chosenIn(context.params);
    this.list = new EventList(context);
    this.fields = filterFields(this.chosen, context, (chosen) => this.#choose(chosen));
    this.parts = buildFeed(context.t, this.list.element, this.fields.element, {
      showFresh: () => {
        this.#showWaiting();
        window.scrollTo({ top: 0 });
      },
      loadOlder: () => this.#loadOlder(),
    });
    this.element = this.parts.element;
  }

  start() {
    const { stream, api } = this.context;
    this.#stops = [
      stream.on("event", ({ data }) => this.#hear(data)),
      stream.on("clip", ({ data }) => data.events.forEach((id) => this.#refresh(id))),
      stream.on("dropped", () => this.#load()),
    ];
    labelsOf(api).then(({ groups }) => {
      this.#groups = groups;
    });
    this.#showChosen();
    this.#load();
  }

  stop() {
    this.#turn += 1;
    this.#stops.forEach((stop) => stop());
    this.list.clear();
  }

  #choose(chosen) {
    this.chosen = chosen;
    this.context.setParams(chosen);
    this.#showChosen();
    this.#load();
  }

  async #load() {
    const turn = ++this.#turn;
    this.#loading = true;
    this.#meanwhile.clear();
    this.list.element.setAttribute("aria-busy", "true");
    const answer = await this.#ask(null);
    if (turn !== this.#turn) return;
    this.#loading = false;
    this.list.element.setAttribute("aria-busy", "false");
    if (answer === null) return;
    this.list.clear();
    this.#waiting.clear();
    this.#damaged = 0;
    this.#take(answer);
    this.#showFresh();
    this.#meanwhile.forEach((event) => this.#hear(event));
  }

  /** One page of events, after the one that gave `before` as `next`; null if there is no answer. */
  async #ask(before) {
    const { api } = this.context;
    const { tz, ...wanted } = { ...asked(this.chosen), limit: PAGE, before };
    // A machine without the names of time zones refuses them: its own zone is meant then.
    const here = tz ? await api.get("events", { ...wanted, tz }, { quiet: true }).catch(() => null) : null;
    return here ?? api.get("events", wanted).catch(() => null);
  }

  async #loadOlder() {
    const turn = this.#turn;
    this.parts.older.disabled = true;
    const answer = await this.#ask(this.#next);
    this.parts.older.disabled = false;
    if (turn === this.#turn && answer !== null) this.#take(answer);
  }

  #take({ events, next, damaged = 0 }) {
    for (const event of events) {
      this.#told.add(event.id);
      this.list.put(event);
    }
    this.#next = next;
    this.#damaged += damaged;
    this.parts.damaged.hidden = this.#damaged === 0;
    this.parts.damaged.textContent = this.context.t("feed.damaged", { count: this.#damaged });
    this.parts.older.hidden = next === null;
    this.#showEmpty();
  }

  /** A message about a sound: its card is corrected, or it is new. */
  #hear(event) {
    if (this.#loading) this.#meanwhile.set(event.id, event);
    if (this.list.card(event.id)) this.list.put(newsOf(event));
    else if (passes(event, this.chosen, this.#groups) && !this.#isOlder(event)) this.#hearNew(event);
    this.#told.add(event.id);
    if (event.type === "end") setTimeout(() => this.#refresh(event.id), SETTLE_MS);
  }

  #hearNew(event) {
    const { t, format } = this.context;
    this.#waiting.set(event.id, { ...this.#waiting.get(event.id), ...newsOf(event) });
    if (window.scrollY < AWAY) this.#showWaiting();
    else this.#showFresh();
    if (this.#told.has(event.id)) return;
    const words = { label: event.label.slice(0, 120), time: format.clock(event.start_time) };
    this.parts.news.textContent = t("feed.heard", words);
  }

  /** Whether a sound belongs to a page that is not loaded yet. */
  #isOlder(event) {
    return this.#next !== null && event.start_time < this.list.oldest;
  }

  /** Ask for an event again: its picture or its clip may be there now. */
  async #refresh(id) {
    const turn = this.#turn;
    const card = this.list.card(id);
    if (!card) return;
    const path = `events/${encodeURIComponent(id)}`;
    const event = await this.context.api.get(path, {}, { quiet: true }).catch(() => null);
    if (turn === this.#turn && event !== null) card.update(event);
  }

  #showWaiting() {
    for (const event of this.#waiting.values()) this.list.put(event);
    this.#waiting.clear();
    this.list.trim();
    this.#showFresh();
    this.#showEmpty();
  }

  #showFresh() {
    this.parts.fresh.hidden = this.#waiting.size === 0;
    this.parts.fresh.textContent = this.context.t("feed.fresh", { n: this.#waiting.size });
  }

  #showEmpty() {
    this.parts.empty.hidden = this.list.size > 0;
    sayEmpty(this.parts.empty, Object.keys(this.chosen).length > 0, this.context.t);
  }

  #showChosen() {
    const { chips, badge } = this.parts;
    chosenChips(chips, this.chosen, this.context, (changes) => this.fields.set(changes));
    badge.hidden = this.fields.count() === 0;
    badge.textContent = String(this.fields.count());
  }
}
