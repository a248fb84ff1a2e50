// How many sounds came by day, or by hour of one day: bars that lead to the feed.

import { h } from "../../dom.js";
import { number } from "../../format.js";
import { t } from "../../texts.js";
import { dayName, fullHour, moment } from "./when.js";

/**
 * @typedef {object} Bar
 * @property {string} name shown below the bar where there is room
 * @property {string} words what the bar says, in words
 * @property {number} count
 * @property {string | null} address where it leads; null: nowhere
 */

/**
 * The bars of an overview: one a day, or one an hour if it has only one day.
 * @param {{labels: string[], hours: Record<string, number[]>, days: {date: string, total: number, counts: Record<string, number>}[]}} overview
 * @param {(date: string, hour?: number) => string} address
 * @returns {Bar[]}
 */
export function barsOf(overview, address) {
  if (overview.days.length === 1) return hourBars(overview, address);
  const short = overview.days.length <= 7 ? { weekday: "short" } : { day: "numeric" };
  return overview.days.map(({ date, total, counts }) => {
    const most = Object.entries(counts).sort((a, b) => b[1] - a[1]).slice(0, 3).map(([label]) => label).join(", ");
    const day = dayName(moment(date), { weekday: "long", day: "numeric", month: "long" });
    const words = t(most ? "overview.bars.day_with" : "overview.bars.day", { day, n: total, count: number(total), most });
    return { name: dayName(moment(date), short), words, count: total, address: total ? address(date) : null };
  });
}

/** @param {any} overview @param {(date: string, hour?: number) => string} address @returns {Bar[]} */
function hourBars({ labels, hours, days }, address) {
  return Array.from({ length: 24 }, (_, hour) => {
    const count = labels.reduce((/** @type {number} */ sum, /** @type {string} */ label) => sum + hours[label][hour], 0);
    const words = t("overview.bars.hour", { from: fullHour(hour), to: fullHour(hour + 1), n: count, count: number(count) });
    return { name: String(hour), words, count, address: count ? address(days[0].date, hour) : null };
  });
}

/**
 * @param {Bar[]} bars
 * @param {string} title
 * @returns {HTMLElement}
 */
export function barChart(bars, title) {
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const few = bars.length <= 7;
  const every = few ? 1 : bars.length <= 24 ? 3 : 5;
  const said = h("p", { class: "said soft small" }, t("overview.bars.hint"));
  const items = bars.map(({ name, words, count, address }, index) => {
    const body = h("span", { class: "bar-body" });
    body.style.setProperty("--part", String(count / most));
    const figure = few && h("span", { class: "bar-count", "aria-hidden": "true" }, number(count));
    const below = h("span", { class: "bar-name", "aria-hidden": "true" }, index % every === 0 ? name : "");
    const tell = () => { said.textContent = words; };
    const shared = { class: "bar", onpointerenter: tell, onfocus: tell };
    const inside = [h("span", { class: "read-only-for-ears" }, words), figure, body, below];
    return h("li", {}, address ? h("a", { href: address, ...shared }, inside) : h("span", shared, inside));
  });
  const list = h("ol", { class: few ? "bars few" : "bars", "aria-label": title }, items);
  list.addEventListener("pointerleave", () => { said.textContent = t("overview.bars.hint"); });
  const top = !few && h("span", { class: "bars-top soft small", "aria-hidden": "true" }, number(most));
  return h("div", { class: "bars-box" }, top, list, said);
}
