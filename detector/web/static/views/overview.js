// The overview: what was heard when, how loud it was, and what was missed.

import { fill, h } from "../dom.js";
import { number, percent, span, timeZone } from "../format.js";
import { link } from "../router.js";
import { t } from "../texts.js";
import { barChart, barsOf } from "./overview/bars.js";
import { heatMap } from "./overview/heatmap.js";
import { levelChart } from "./overview/level_chart.js";
import { moment, timeOfDay } from "./overview/when.js";

const PERIODS = [1, 7, 30];
const USUAL = 7;
const MOST_FIRST = 6;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The feed shows this much before and after a single sound. */
const AROUND_MS = 60_000;
const AGAIN_MS = 60_000;

/** @typedef {{days: number, source: string | null}} Choice */

/** @param {HTMLElement} root @param {any} context */
export async function mount(root, { api, params, setParams }) {
  const days = Number(params.get("days"));
  /** @type {Choice} */
  const choice = { days: PERIODS.includes(days) ? days : USUAL, source: params.get("source") };
  const body = h("div", { class: "overview" }, h("div", { class: "waiting overview-waiting" }));
  const head = h("header", { class: "view-head" }, h("h1", {}, t("overview.title")));
  root.append(h("div", { class: "view" }, head, body));
  let shown = /** @type {{close: () => void, isZoomed: () => boolean} | null} */ (null);
  let turn = 0;

  const load = async (again = false) => {
    const mine = ++turn;
    const now = new Date();
    const [from, to] = period(choice.days, now);
    const wanted = { from: from.toISOString(), to: to.toISOString(), source: choice.source };
    try {
      const [overview, levels] = await Promise.all([overviewOf(api, choice), api.get("levels", wanted, { quiet: again })]);
      if (mine !== turn) return;
      const cards = cardsOf(overview, choice, now);
      const chart = levels.minutes.length > 0 ? await levelChart(levels, now) : null;
      if (mine !== turn) { chart?.close(); return; }
      shown?.close();
      shown = chart;
      fill(body, ...cards, chart && card("level", levelTitle(levels), chart.node));
    } catch (error) {
      if (mine === turn && !again) fill(body, h("p", { class: "empty" }, error.message));
    } finally {
      if (mine === turn) body.removeAttribute("aria-busy");
    }
  };
  const change = (/** @type {Partial<Choice>} */ parts) => {
    Object.assign(choice, parts);
    body.setAttribute("aria-busy", "true");
    setParams({ days: choice.days === USUAL ? null : choice.days, source: choice.source });
    return load();
  };

  head.append(h("div", { class: "overview-choice" }, await sourceChoice(api, choice, change), periodChoice(choice, change)));
  await load();
  const timer = setInterval(() => { if (!document.hidden && !inUse(body, shown)) load(true); }, AGAIN_MS);
  return () => { clearInterval(timer); turn += 1; shown?.close(); };
}

/** Whether somebody is just looking closely, so that nothing may be drawn anew under them. @param {HTMLElement} body @param {{isZoomed: () => boolean} | null} chart */
function inUse(body, chart) {
  return body.contains(document.activeElement) || body.matches(":hover") || body.querySelector("details[open]") !== null || Boolean(chart?.isZoomed());
}

/** By the reader's calendar, not the daemon's; unless that machine knows no time zones. @param {any} api @param {Choice} choice */
async function overviewOf(api, choice) {
  const tz = timeZone();
  try {
    return await api.get("overview", { ...choice, tz }, { quiet: true });
  } catch (error) {
    if (error.status !== 400) throw error;
    return api.get("overview", choice);
  }
}

/** From the midnight that begins the period to now. @param {number} days @param {Date} now @returns {[Date, Date]} */
export function period(days, now) {
  return [new Date(now.getFullYear(), now.getMonth(), now.getDate() - (days - 1)), now];
}

/** @param {Choice} choice @param {(parts: Partial<Choice>) => void} change */
function periodChoice(choice, change) {
  const mark = () => buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(PERIODS[index] === choice.days)));
  const buttons = PERIODS.map((days) => h("button", { type: "button", onclick: () => { change({ days }); mark(); } }, t(`overview.period.${days}`)));
  mark();
  return h("div", { class: "tabs", role: "group", "aria-label": t("overview.period") }, buttons);
}

/** A choice among the microphones; nothing where there is only one. @param {any} api @param {Choice} choice @param {(parts: Partial<Choice>) => void} change */
async function sourceChoice(api, choice, change) {
  const { sources } = await api.get("sources", {}, { quiet: true }).catch(() => ({ sources: [] }));
  if (sources.length < 2) return null;
  const options = sources.map((/** @type {{name: string}} */ { name }) => h("option", { value: name, selected: name === choice.source }, name));
  const select = /** @type {HTMLSelectElement} */ (h(
    "select", { class: "select", "aria-label": t("overview.source"), onchange: () => change({ source: select.value || null }) },
    h("option", { value: "" }, t("overview.source.all")), options,
  ));
  return select;
}

/** @param {any} overview the answer of /overview @param {Choice} choice @param {Date} now */
function cardsOf(overview, { days, source }, now) {
  if (!overview.events && !overview.heard?.seconds) return [nothing("empty", h("a", { class: "button primary", href: link("live") }, t("overview.empty.live")))];
  const lead = overview.heard && h("p", { class: "soft" }, heardWords(overview.heard));
  if (!overview.events) return [lead, nothing("quiet")];
  const [from, to] = period(days, now);
  const feed = (/** @type {Record<string, unknown>} */ wanted, /** @type {Date} */ start, /** @type {Date} */ end) =>
    link("feed", { ...wanted, source, from: start.toISOString(), to: end.toISOString() });
  const ofBar = (/** @type {string} */ date, /** @type {number | undefined} */ hour) => {
    const start = moment(date).getTime() + (hour ?? 0) * HOUR_MS;
    return feed({}, new Date(start), new Date(start + (hour === undefined ? DAY_MS : HOUR_MS)));
  };
  const title = t(days === 1 ? "overview.bars.by_hour" : "overview.bars.by_day");
  return [
    lead,
    figures(overview, now),
    card("hours", t("overview.heat.title"), heatMap(overview, (label, hour) => feed({ label, hour }, from, to))),
    h("div", { class: "overview-pair" },
      card("days", title, barChart(barsOf(overview, ofBar), title)),
      card("first", t("overview.first.title"), firstTimes(overview.first_this_week, now, feed))),
  ];
}

/** Levels are those of one source: it is named where there are several. @param {{source?: string | null, sources?: string[]}} levels */
function levelTitle({ source, sources = [] }) {
  return sources.length > 1 && source ? t("overview.level.title_of", { source }) : t("overview.level.title");
}

/** @param {string} kind @param {string} title @param {Node} content */
function card(kind, title, content) {
  const id = `overview-${kind}`;
  return h("section", { class: "card", "aria-labelledby": id }, h("div", { class: "card-head" }, h("h2", { id }, title)), content);
}

/** @param {string} kind @param {Node} [way] */
function nothing(kind, way) {
  return h("div", { class: "empty" }, h("h2", {}, t(`overview.${kind}.title`)), h("p", {}, t(`overview.${kind}.text`)), way);
}

/**
 * How long it listened, in a sentence that says 100 % only if nothing at all is missing.
 * @param {{seconds: number, share: number, lost_seconds: number}} heard
 */
function heardWords(heard) {
  const share = percent(Math.floor(heard.share * 1000) / 1000, 1);
  const lost = heard.lost_seconds >= 0.5 ? t("overview.lost", { span: span(heard.lost_seconds) }) : t("overview.lost.none");
  return `${t("overview.heard", { span: span(heard.seconds), share })} ${lost}`;
}

/** @param {any} overview @param {Date} now */
function figures({ events, labels, hours, longest_silence: silence }, now) {
  const often = hours[labels[0]].reduce((/** @type {number} */ sum, /** @type {number} */ count) => sum + count, 0);
  const figure = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ note) =>
    h("div", { class: "fact" }, h("dt", { class: "soft small" }, t(name)), h("dd", {}, h("b", { title: value }, value), h("span", { class: "soft small" }, note)));
  return h("dl", { class: "card facts" },
    figure("overview.figure.sounds", number(events), t("overview.figure.kinds", { n: labels.length })),
    figure("overview.figure.often", labels[0], t("overview.figure.times", { n: often, count: number(often) })),
    silence && figure("overview.figure.silence", span(silence.seconds), betweenWords(timeOfDay(silence.start, now), timeOfDay(silence.end, now))));
}

/** @param {string} from @param {string} to */
function betweenWords(from, to) {
  return from === to ? t("overview.figure.at", { time: from }) : t("overview.figure.between", { from, to });
}

/** @param {{label: string, time: string}[]} first @param {Date} now @param {Function} feed */
function firstTimes(first, now, feed) {
  if (first.length === 0) return h("p", { class: "soft" }, t("overview.first.none"));
  const more = first.length > MOST_FIRST && h("p", { class: "soft small first-more" }, t("overview.first.more", { n: first.length - MOST_FIRST }));
  return h("div", {}, h("ul", { class: "first-times" }, first.slice(0, MOST_FIRST).map(({ label, time }) => {
    const then = moment(time).getTime();
    const address = feed({ label }, new Date(then - AROUND_MS), new Date(then + AROUND_MS));
    return h("li", {}, h("a", { class: "clip-text", href: address, title: label }, label), h("time", { class: "soft small", datetime: time }, timeOfDay(time, now)));
  })), more);
}
