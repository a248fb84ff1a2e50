// How loud it was, minute by minute: the average, where it mostly was, the loudest moment.
//
// The chart is uPlot's, loaded when the first chart is drawn. Dragging zooms, and so do the buttons, which the keyboard
// reaches too. The same figures stand below as a table, hour by hour.

import { h } from "../../dom.js";
import { number } from "../../format.js";
import { t } from "../../texts.js";
import { changes } from "../../theme.js";
import { byHour, energyMean, loudest, moved, series } from "./level_series.js";
import { plotOptions } from "./plot_options.js";
import { loadPlot } from "./plot_library.js";
import { timeOfDay } from "./when.js";

const HEIGHT = 220;
const TABLE_HOURS = 24 * 7;
const BUTTONS = [["earlier", "←"], ["later", "→"], ["closer", "+"], ["wider", "−"]];

/** @typedef {import("./level_series.js").Levels} Levels */

/** @param {number | null | undefined} level */
export function shownLevel(level) {
  return level === null || level === undefined ? t("nothing") : number(level).replace("-", "−");
}

/**
 * @param {Levels & {offset_db?: number, step?: number}} answer of /levels, with at least one minute
 * @param {Date} now
 * @returns {Promise<{node: HTMLElement, isZoomed: () => boolean, close: () => void}>}
 */
export async function levelChart(answer, now) {
  const Plot = await loadPlot();
  const levels = series(answer);
  const unit = t(answer.offset_db ? "overview.level.spl" : "overview.level.dbfs");
  const when = (/** @type {number} */ time) => timeOfDay(1000 * time, now);
  const summary = summaryOf(levels, unit, when);
  const box = h("div", { class: "level-chart" });
  const said = h("p", { class: "said soft small" }, summary);
  const whole = /** @type {[number, number]} */ ([levels.minutes[0], levels.minutes.at(-1)]);
  let plot = /** @type {any} */ (null);

  const onCursor = (/** @type {any} */ chart) => {
    const index = chart.cursor.idx;
    const there = index !== null && index !== undefined && levels.leq[index] !== null;
    said.textContent = there ? wordsAt(levels, index, unit, when) : summary;
  };
  const draw = () => {
    const shown = plot ? plot.scales.x : { min: whole[0], max: whole[1] };
    plot?.destroy();
    plot = new Plot(plotOptions(box, HEIGHT, shownLevel, onCursor), [levels.minutes, levels.l10, levels.l90, levels.max, levels.leq], box);
    plot.setScale("x", { min: shown.min, max: shown.max });
  };
  const show = (/** @type {[number, number]} */ [min, max]) => plot?.setScale("x", { min, max });
  const buttons = BUTTONS.map(([way, sign]) => h(
    "button", { type: "button", class: "button compact only-icon", "aria-label": t(`overview.level.${way}`), title: t(`overview.level.${way}`), onclick: () =>
      show(moved(/** @type {any} */ (way), [plot.scales.x.min, plot.scales.x.max], whole)) }, sign));
  const all = h("button", { type: "button", class: "button compact", onclick: () => show(whole) }, t("overview.level.all"));

  const observer = new ResizeObserver(() => {
    if (box.clientWidth === 0) return;
    if (plot) plot.setSize({ width: box.clientWidth, height: HEIGHT });
    else draw();
  });
  observer.observe(box);
  changes.addEventListener("theme", draw);
  const node = h(
    "div", {}, key(), h("div", { role: "img", "aria-label": summary }, box),
    h("div", { class: "level-foot" }, said, h("div", { class: "buttons", role: "group", "aria-label": t("overview.level.part") }, buttons, all)),
    table(levels, unit, when),
  );
  const isZoomed = () => plot !== null && (plot.scales.x.min > whole[0] || plot.scales.x.max < whole[1]);
  return { node, isZoomed, close: () => { observer.disconnect(); changes.removeEventListener("theme", draw); plot?.destroy(); } };
}

/** @param {Levels} levels @param {string} unit @param {(time: number) => string} when */
function summaryOf(levels, unit, when) {
  const index = loudest(levels);
  if (index < 0) return t("overview.level.none");
  const words = { mean: shownLevel(energyMean(levels.leq)), max: shownLevel(levels.max[index]), when: when(levels.minutes[index]), unit };
  return t("overview.level.summary", words);
}

/** @param {Levels} levels @param {number} index @param {string} unit @param {(time: number) => string} when */
function wordsAt({ minutes, leq, max, l10, l90 }, index, unit, when) {
  const [mean, top, high, low] = [leq, max, l10, l90].map((levels) => shownLevel(levels[index]));
  return t("overview.level.at", { when: when(minutes[index]), mean, max: top, high, low, unit });
}

function key() {
  const marks = ["mean", "band", "max"].map((kind) => h("span", {}, h("i", { class: `level-mark ${kind}` }), t(`overview.level.key_${kind}`)));
  return h("p", { class: "level-key soft small", "aria-hidden": "true" }, marks);
}

/** @param {Levels} levels @param {string} unit @param {(time: number) => string} when */
function table(levels, unit, when) {
  const head = ["hour", "mean", "loudest"].map((name) => h("th", { scope: "col" }, t(`overview.level.table_${name}`, { unit })));
  const rows = byHour(levels).slice(0, TABLE_HOURS).map(({ hour, mean, max }) =>
    h("tr", {}, h("td", {}, when(hour)), h("td", {}, shownLevel(mean)), h("td", {}, shownLevel(max))));
  const title = t("overview.level.table");
  return h("details", { class: "level-table" }, h("summary", { class: "soft small" }, title),
    h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": title },
      h("table", { class: "table small" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows))));
}
