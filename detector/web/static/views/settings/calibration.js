// Calibrate now: the program listens to the room for a while, then proposes thresholds, which the user may apply.

import { fill, h } from "../../dom.js";
import { span } from "../../format.js";
import { t } from "../../texts.js";
import { keyOfLabel, labelKey } from "./draft.js";
import { section } from "./fields.js";
import { progress } from "./progress.js";
import { settingName, settingValue } from "./setting_words.js";

const POLL_MS = 1000;
const LENGTHS = [60, 300, 900];
const USUAL = 300;
const LEAST = 60;

/**
 * @param {{api: any, sources: {name: string}[], applied: (answer: any) => void}} context applied: told the answer once a proposal was applied
 * @returns {{element: HTMLElement, stop: () => void}}
 */
export function calibrationPart({ api, sources, applied }) {
  const box = h("div", { class: "calibration", "aria-live": "polite" });
  let timer = 0;
  let stopped = false;
  let shown = "";
  let bar = progress(t("settings.calibration.title"));

  const call = async (/** @type {() => Promise<any>} */ what) => {
    try {
      const job = await what();
      if (!stopped) show(job ?? { state: "none" });
    } catch {
      // The toast has said why.
    }
  };
  const poll = () => call(() => api.get("calibrate", {}, { quiet: true }));
  const show = (/** @type {any} */ job) => {
    clearTimeout(timer);
    if (job.state === "running") {
      timer = setTimeout(poll, POLL_MS);
      if (shown !== "running") { bar = progress(t("settings.calibration.title")); fill(box, ...running(bar, { api, call })); }
      bar.show(job.heard / job.seconds, t("settings.calibration.heard", { heard: span(job.heard), all: minutes(job.seconds) }));
      /** @type {HTMLElement} */ (box.querySelector(".finish")).hidden = job.heard < LEAST || job.heard >= job.seconds;
    } else if (job.state === "done") fill(box, ...proposal(job, { apply, again }));
    else fill(box, job.state === "failed" && h("p", { class: "fault" }, job.error), starter(sources, start));
    shown = job.state;
  };
  const start = (/** @type {number} */ seconds, /** @type {string | null} */ source) => call(() => api.post("calibrate", { seconds, source }));
  const again = () => fill(box, starter(sources, start));
  const apply = async (/** @type {HTMLButtonElement} */ button) => {
    button.disabled = true;
    try {
      applied(await api.post("calibrate/apply", {}));
      fill(box, h("p", {}, t("settings.calibration.applied")));
    } catch {
      button.disabled = false; // the toast has said why
    }
  };
  poll();
  return { element: section("calibration", box), stop: () => { stopped = true; clearTimeout(timer); } };
}

/** @param {number} seconds */
function minutes(seconds) {
  return t("settings.calibration.minutes", { n: Math.round(seconds / 60) });
}

/** @param {{name: string}[]} sources @param {(seconds: number, source: string | null) => void} start */
function starter(sources, start) {
  const seconds = /** @type {HTMLSelectElement} */ (h("select", { class: "select", "aria-label": t("settings.calibration.length") },
    LENGTHS.map((length) => h("option", { value: length, selected: length === USUAL }, minutes(length)))));
  const source = /** @type {HTMLSelectElement | null} */ (sources.length > 1 ? h("select", { class: "select", "aria-label": t("settings.calibration.source") },
    sources.map(({ name }) => h("option", { value: name }, name))) : null);
  return h("div", { class: "buttons" }, source, seconds,
    h("button", { type: "button", class: "button", onclick: () => start(Number(seconds.value), source?.value ?? null) }, t("settings.calibration.start")));
}

/** @param {any} bar @param {{api: any, call: Function}} ways */
function running(bar, { api, call }) {
  const button = (/** @type {string} */ name, /** @type {string} */ className, /** @type {() => void} */ onclick) =>
    h("button", { type: "button", class: className, onclick }, t(`settings.calibration.${name}`));
  return [bar.element, h("div", { class: "buttons" },
    button("finish", "button finish", () => call(() => api.post("calibrate/finish", {}))),
    button("cancel", "button quiet", () => call(() => api.del("calibrate"))))];
}

/** @param {any} job @param {{apply: (button: HTMLButtonElement) => void, again: () => void}} ways */
function proposal({ proposal: made, applied, report }, { apply, again }) {
  const repeat = h("button", { type: "button", class: "button quiet", onclick: again }, t("settings.calibration.again"));
  const details = report?.length > 0 && h("details", {}, h("summary", { class: "soft small" }, t("settings.calibration.report")), h("pre", { class: "report small", tabindex: "0" }, report.join("\n")));
  if (applied) return [h("p", {}, t("settings.calibration.applied")), repeat];
  if (!made || made.nothing) return [h("p", {}, t("settings.calibration.nothing")), details, repeat];
  const shown = made.rows.filter((/** @type {any} */ { key }) => !followsAnother(key, made.rows));
  const rows = shown.map((/** @type {any} */ { key, label, before, after }) =>
    h("tr", {}, h("td", { class: "wrap" }, settingName(key)), h("td", {}, settingValue(before)), h("td", {}, settingValue(after))));
  const head = ["what", "before", "after"].map((one) => h("th", { scope: "col" }, t(`settings.calibration.${one}`)));
  return [
    h("p", {}, t("settings.calibration.proposal", { n: shown.length })),
    h("div", { class: "table-scroll calibration-rows", tabindex: "0", role: "region", "aria-label": t("settings.calibration.changes") }, h("table", { class: "table" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows))),
    h("div", { class: "buttons" }, h("button", { type: "button", class: "button primary", onclick: (/** @type {Event} */ event) => apply(/** @type {HTMLButtonElement} */ (event.currentTarget)) }, t("settings.calibration.apply")), repeat),
    details,
  ];
}

/** Whether a key is the score at which a sound ends, beside the one at which it begins. @param {string} key @param {{key: string}[]} rows */
function followsAnother(key, rows) {
  const own = labelKey(key);
  return own?.name === "threshold_off" && rows.some((row) => row.key === keyOfLabel(own.label, "threshold_on"));
}
