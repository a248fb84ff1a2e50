// How uPlot draws the levels: calm lines in the colours of the page.

import { clock } from "../../format.js";
import { dayName } from "./when.js";

const FONT = "12px system-ui, sans-serif";
const STEP_DB = 5;
/** How far below the usual averages the axis goes: some digital silence must not flatten the rest. */
const DEPTH_DB = 20;
const MEAN = 4;

/**
 * @param {HTMLElement} box the chart's place: its width and its colours count
 * @param {number} height [px]
 * @param {(level: number) => string} shownLevel
 * @param {(chart: any) => void} onCursor
 */
export function plotOptions(box, height, shownLevel, onCursor) {
  const [accent, soft, line] = ["--accent", "--soft", "--line"].map((name) => colour(box, name));
  const axis = { stroke: soft, font: FONT, ticks: { show: false }, grid: { stroke: line, width: 1 } };
  const hidden = { stroke: "transparent", points: { show: false } };
  return {
    width: box.clientWidth, height, padding: [8, 6, 0, 0], legend: { show: false }, hooks: { setCursor: [onCursor] },
    cursor: { y: false, points: { size: 7, fill: accent, show: (/** @type {any} */ chart, /** @type {number} */ index) => index === MEAN && point(accent) }, drag: { x: true, y: false } },
    scales: { y: { range: (/** @type {any} */ chart, /** @type {number} */ low, /** @type {number} */ high) => around(Math.max(low, usualLow(chart) - DEPTH_DB), high) } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, space: 64, values: (/** @type {any} */ _, /** @type {number[]} */ times) => times.map(tick) },
      { ...axis, size: 40, values: (/** @type {any} */ _, /** @type {number[]} */ levels) => levels.map(shownLevel) },
    ],
    series: [
      {}, hidden, hidden,
      { stroke: translucent(soft, 0.55), width: 1, points: { show: false } },
      { stroke: accent, width: 1.75, points: { show: false } },
    ],
    bands: [{ series: [1, 2], fill: translucent(accent, 0.2) }],
  };
}

/** A level that nine tenths of the averages shown reach. @param {any} chart */
function usualLow(chart) {
  const [from, to] = chart.series[0].idxs ?? [];
  const means = chart.data[MEAN].slice(from ?? 0, (to ?? chart.data[MEAN].length) + 1).filter((/** @type {number | null} */ level) => level !== null);
  return means.length > 0 ? Float64Array.from(means).sort()[Math.floor(means.length / 10)] : -Infinity;
}

/** The range of the axis: full steps around what was measured. @param {number} low @param {number} high */
function around(low, high) {
  return [Math.floor((low - 2) / STEP_DB) * STEP_DB, Math.ceil((high + 2) / STEP_DB) * STEP_DB];
}

/** A midnight is named by its day. @param {number} time [s] */
function tick(time) {
  const then = new Date(1000 * time);
  return then.getHours() + then.getMinutes() === 0 ? dayName(then, { weekday: "short", day: "numeric" }) : clock(then, false);
}

/** @param {string} accent */
function point(accent) {
  const mark = document.createElement("div");
  mark.style.background = accent;
  return mark;
}

/** The colour behind a token, as rgb(...): tokens may hold a pair for light and dark. @param {HTMLElement} box @param {string} token */
function colour(box, token) {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  box.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** @param {string} rgb rgb(1, 2, 3) @param {number} opacity 0 to 1 */
function translucent(rgb, opacity) {
  return rgb.replace(/^rgb\((.+)\)$/, `rgba($1, ${opacity})`);
}
