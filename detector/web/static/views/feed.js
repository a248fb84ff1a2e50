// Feed: what was heard, newest first, as it happens.

import { fill, h } from "../dom.js";
import { newsOf } from "../events.js";
import { EventList } from "../feed/event_list.js";
import { asked, chosenChips, chosenIn, filterFields, inHour, passes } from "../feed/filters.js";
import { labelsOf } from "../feed/labels.js";
import { icon } from "../icons.js";

const PAGE = 30;
const BIG_PAGE = 200; // where the page itself leaves most of them out
const MOST_PAGES = 20;
const SETTLE_MS = 1500; // after the end of a sound its picture is stored
const AWAY = 240; // pixels: whoever has scrolled further is not disturbed by new cards

/**
 * @param {HTMLElement} root
 * @param {import("../shell.js").Context} context
 */
export function mount(root, context) {
  const { api, t, format, stream, params, setParams } = context;
  const list = new EventList(context);
  const told = new Set();
  const waiting = new Map();
  const meanwhile = new Map(); // what was heard while the list was asked for: the answer may not have it
  let chosen = chosenIn(params);
  let groups = /** @type {Record<string, string[]>} */ ({});
  let next = /** @type {number | null} */ (null);
  let turn = 0;
  let stopped = false;

  const news = h("p", { class: "read-only-for-ears", "aria-live": "polite" });
  const fresh = h("button", { class: "button primary compact fresh", type: "button", hidden: true, onclick: () => { showWaiting(); window.scrollTo({ top: 0 }); } });
  const older = h("button", { class: "button older", type: "button", hidden: true, onclick: () => loadOlder() }, icon("down"), t("feed.older"));
  const empty = h("div", { class: "empty", hidden: true });
  const chips = h("div", { class: "chosen", hidden: true });
  const changeFilters = (now) => {
    chosen = now;
    setParams(now);
    showChosen();
    load();
  };
  const fields = filterFields(chosen, context, changeFilters);
  const badge = h("span", { class: "chip accent", hidden: true });
  const opener = h("button", { class: "button filter-opener", type: "button", "aria-expanded": "false", "aria-controls": "feed-filters", onclick: () => {
    const open = panel.classList.toggle("open");
    opener.setAttribute("aria-expanded", String(open));
  } }, icon("filter"), t("filter.title"), badge);
  const panel = h("aside", { class: "card filter-panel", id: "feed-filters" }, h("h2", {}, t("filter.title")), fields.element);
  root.append(h(
    "div", { class: "view feed" },
    h("div", { class: "view-head" }, h("h1", {}, t("feed.title")), opener),
    h("div", { class: "feed-columns" }, panel, h("div", { class: "feed-main" }, chips, fresh, list.element, empty, older, news)),
  ));

  const showChosen = () => {
    chosenChips(chips, chosen, context, (changes) => fields.set(changes));
    badge.hidden = fields.count() === 0;
    badge.textContent = String(fields.count());
  };
  const load = async () => {
    const mine = ++turn;
    meanwhile.clear();
    list.element.setAttribute("aria-busy", "true");
    const answer = await ask(null).catch(() => null);
    if (mine !== turn || stopped) return;
    list.element.setAttribute("aria-busy", "false");
    if (answer === null) return;
    list.clear();
    waiting.clear();
    showFresh();
    take(answer);
    meanwhile.forEach(heard);
  };
  /** One page of events: of an hour of the day, as many requests as that takes. */
  const ask = async (before) => {
    const wanted = { ...asked(chosen), limit: chosen.hour ? BIG_PAGE : PAGE };
    const found = [];
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const answer = await api.get("events", { ...wanted, before });
      found.push(...answer.events.filter((event) => inHour(event, chosen)));
      before = answer.next;
      if (before === null || found.length >= PAGE) break;
    }
    return { events: found, next: before };
  };
  const loadOlder = async () => {
    const mine = turn;
    older.disabled = true;
    const answer = await ask(next).catch(() => null);
    older.disabled = false;
    if (mine !== turn || stopped || answer === null) return;
    take(answer);
  };
  const take = ({ events, next: following }) => {
    for (const event of events) {
      told.add(event.id);
      list.put(event);
    }
    next = following;
    older.hidden = next === null;
    showEmpty();
  };
  const showEmpty = () => {
    empty.hidden = list.size > 0;
    const filtered = Object.keys(chosen).length > 0;
    fill(empty, icon(filtered ? "search" : "silence"), h("h3", {}, t(filtered ? "feed.none" : "feed.quiet")), h("p", {}, t(filtered ? "feed.none.about" : "feed.quiet.about")));
  };
  const showFresh = () => {
    fresh.hidden = waiting.size === 0;
    fresh.textContent = t("feed.fresh", { n: waiting.size });
  };
  const showWaiting = () => {
    for (const event of waiting.values()) list.put(event);
    waiting.clear();
    list.trim();
    showFresh();
    showEmpty();
  };
  const heard = (event) => {
    if (list.element.getAttribute("aria-busy") === "true") meanwhile.set(event.id, event);
    if (list.card(event.id)) list.put(newsOf(event));
    else if (passes(event, chosen, groups) && !(next !== null && event.start_time < list.oldest)) {
      waiting.set(event.id, { ...waiting.get(event.id), ...newsOf(event) });
      if (window.scrollY < AWAY) showWaiting();
      else showFresh();
      if (!told.has(event.id)) news.textContent = t("feed.heard", { label: event.label.slice(0, 120), time: format.clock(event.start_time) });
    }
    told.add(event.id);
    if (event.type === "end") setTimeout(() => refresh(event.id), SETTLE_MS);
  };
  const refresh = async (id) => {
    const card = list.card(id);
    if (!card || stopped) return;
    const event = await api.get(`events/${encodeURIComponent(id)}`, {}, { quiet: true }).catch(() => null);
    if (event !== null) card.update(event);
  };

  const stops = [
    stream.on("event", ({ data }) => heard(data)),
    stream.on("clip", ({ data }) => data.events.forEach(refresh)),
    stream.on("dropped", load),
  ];
  labelsOf(api).then((known) => { groups = known.groups; });
  showChosen();
  load();
  return () => {
    stopped = true;
    stops.forEach((stop) => stop());
    list.clear();
  };
}
