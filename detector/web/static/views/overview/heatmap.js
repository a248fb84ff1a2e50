// How often each sound came in each hour of the day: a grid of coloured squares.
//
// It is a grid in the sense of ARIA: Tab reaches it once, the arrow keys walk through its squares, Enter opens the
// sounds of one in the feed. Each square says in words what it shows, so the grid is its own table for screen readers.

import { h } from "../../dom.js";
import { number } from "../../format.js";
import { t } from "../../texts.js";
import { fullHour } from "./when.js";

const HOURS = 24;
const STEPS = 4;
const SHOWN_FIRST = 10;

/**
 * How dark a square is: 0 for nothing, else 1 to STEPS. The root keeps rare sounds visible beside frequent ones.
 * @param {number} count @param {number} most
 */
export function step(count, most) {
  return count > 0 ? Math.max(1, Math.ceil(STEPS * Math.sqrt(count / most))) : 0;
}

/**
 * The square that a key leads to from (row, column); null for other keys.
 * @param {string} key @param {number} row @param {number} column @param {number} rows
 * @returns {[number, number] | null}
 */
export function neighbour(key, row, column, rows) {
  switch (key) {
    case "ArrowLeft": return [row, Math.max(0, column - 1)];
    case "ArrowRight": return [row, Math.min(HOURS - 1, column + 1)];
    case "ArrowUp": return [Math.max(0, row - 1), column];
    case "ArrowDown": return [Math.min(rows - 1, row + 1), column];
    case "Home": return [row, 0];
    case "End": return [row, HOURS - 1];
    default: return null;
  }
}

/**
 * @param {{labels: string[], hours: Record<string, number[]>}} overview the labels in the order of the rows
 * @param {(label: string, hour: number | null) => string} address where a square or, without an hour, a label leads
 * @returns {HTMLElement}
 */
export function heatMap(overview, address) {
  const most = Math.max(1, ...overview.labels.flatMap((label) => overview.hours[label]));
  const said = h("p", { class: "said soft small" }, t("overview.heat.hint"));
  const grid = h("div", { class: "heat", role: "grid", "aria-label": t("overview.heat.title"), onkeydown: (event) => walk(event, grid) });
  grid.addEventListener("pointerleave", () => { said.textContent = t("overview.heat.hint"); });

  const square = (/** @type {string} */ label, /** @type {number} */ count, /** @type {number} */ hour) => {
    const words = t("overview.heat.cell", { label, from: fullHour(hour), to: fullHour(hour + 1), n: count, count: number(count) });
    const tell = () => { said.textContent = words; };
    const shared = { tabindex: "-1", "aria-label": words, onpointerenter: tell, onfocus: tell };
    const inside = count ? h("a", { href: address(label, hour), ...shared }, number(count)) : h("span", { role: "img", ...shared });
    return h("div", { role: "gridcell", class: `heat-cell heat-${step(count, most)}` }, inside);
  };
  const row = (/** @type {string} */ label) => h(
    "div", { role: "row", class: "heat-row" },
    h("div", { role: "rowheader", class: "heat-name" }, h("a", { href: address(label, null), tabindex: "-1", title: label }, label)),
    overview.hours[label].map((count, hour) => square(label, count, hour)),
  );
  const draw = (/** @type {boolean} */ all) => {
    grid.replaceChildren(head(), ...overview.labels.slice(0, all ? undefined : SHOWN_FIRST).map(row));
    cell(grid, 0, 0)?.setAttribute("tabindex", "0");
  };
  draw(false);
  const more = overview.labels.length > SHOWN_FIRST && moreButton(overview.labels.length, draw);
  return h("div", {}, grid, h("div", { class: "heat-foot" }, said, legend()), more);
}

function head() {
  const hours = Array.from({ length: HOURS }, (_, hour) => h(
    "div", { role: "columnheader", class: "heat-hour" },
    h("span", { "aria-hidden": "true" }, hour % 3 === 0 ? hour : ""),
    h("span", { class: "read-only-for-ears" }, fullHour(hour)),
  ));
  const corner = h("div", { role: "columnheader", class: "heat-corner" }, h("span", { class: "read-only-for-ears" }, t("overview.heat.sound")));
  return h("div", { role: "row", class: "heat-row heat-head" }, corner, hours);
}

/** @param {number} n @param {(all: boolean) => void} draw */
function moreButton(n, draw) {
  let all = false;
  const words = () => t(all ? "overview.heat.fewer" : "overview.heat.all", { n });
  const button = h("button", { type: "button", class: "button compact heat-more", "aria-expanded": "false", onclick: () => {
    all = !all;
    button.setAttribute("aria-expanded", String(all));
    button.textContent = words();
    draw(all);
  } }, words());
  return button;
}

function legend() {
  const swatches = Array.from({ length: STEPS + 1 }, (_, index) => h("i", { class: `heat-swatch heat-${index}` }));
  return h("p", { class: "soft small heat-legend", "aria-hidden": "true" }, t("overview.heat.less"), swatches, t("overview.heat.more"));
}

/** @param {HTMLElement} grid */
function rowsOf(grid) {
  return [...grid.querySelectorAll(".heat-row:not(.heat-head)")];
}

/** @param {HTMLElement} grid @param {number} row @param {number} column @returns {HTMLElement | undefined} */
function cell(grid, row, column) {
  return /** @type {HTMLElement | undefined} */ (rowsOf(grid)[row]?.querySelectorAll(".heat-cell > *")[column]);
}

/** @param {KeyboardEvent} event @param {HTMLElement} grid */
function walk(event, grid) {
  const here = /** @type {HTMLElement} */ (event.target);
  const rows = rowsOf(grid);
  const row = rows.findIndex((one) => one.contains(here));
  const column = [...(rows[row]?.querySelectorAll(".heat-cell > *") ?? [])].indexOf(here);
  const next = column < 0 ? null : neighbour(event.key, row, column, rows.length);
  if (next === null) return;
  event.preventDefault();
  const target = cell(grid, ...next);
  here.tabIndex = -1;
  target.tabIndex = 0;
  target.focus();
}
