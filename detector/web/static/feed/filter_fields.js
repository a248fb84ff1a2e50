// The fields that choose which events are shown, and what is chosen as chips.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { KEYS } from "./filters.js";
import { labelsOf } from "./labels.js";

const TIMES = ["hour", "today", "yesterday", "week", "own"];

/**
 * The fields. `onChange` gets what is chosen after each change.
 * @param {import("./filters.js").Chosen} chosen
 * @param {import("../shell.js").Context} context
 * @param {(chosen: import("./filters.js").Chosen) => void} onChange
 * @returns {{element: HTMLElement, count: () => number, set: (changes: Record<string, string | null>) => void}}
 */
export function filterFields(chosen, { api, t, format }, onChange) {
  let now = { ...chosen };
  const change = (changes) => {
    now = Object.fromEntries(Object.entries({ ...now, ...changes }).filter(([, value]) => value));
    show();
    onChange(now);
  };
  const label = /** @type {HTMLInputElement} */ (
    h("input", {
      class: "input",
      id: "filter-label",
      type: "search",
      list: "filter-labels",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: t("filter.label.any"),
      onchange: () => change({ label: label.value.trim() }),
    })
  );
  const labels = h("datalist", { id: "filter-labels" });
  const group = select("filter-group", (value) => change({ group: value }));
  const source = select("filter-source", (value) => change({ source: value }));
  const score = /** @type {HTMLInputElement} */ (
    h("input", {
      class: "slider",
      id: "filter-score",
      type: "range",
      min: 0,
      max: 0.95,
      step: 0.05,
      oninput: () => showScore(),
      onchange: () => change({ min_score: Number(score.value) > 0 ? score.value : "" }),
    })
  );
  const figure = h("output", { class: "number", for: "filter-score" });
  const when = select("filter-when", (value) =>
    change({ when: value, ...(value === "own" ? {} : { from: "", to: "" }) }),
  );
  const from = moment("filter-from", () => change({ from: asUtc(from.value) }));
  const to = moment("filter-to", () => change({ to: asUtc(to.value) }));
  const vetoed = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "checkbox",
      role: "switch",
      onchange: () => change({ vetoed: vetoed.checked ? "1" : "" }),
    })
  );
  const clear = h(
    "button",
    {
      class: "button compact",
      type: "button",
      onclick: () => change(Object.fromEntries(KEYS.map((key) => [key, ""]))),
    },
    t("filter.clear"),
  );
  const own = h("div", { class: "filter-own" }, field(t("filter.from"), from), field(t("filter.to"), to));
  const sources = field(t("filter.source"), source);
  const scoreField = h(
    "div",
    { class: "field" },
    h("label", { for: "filter-score", class: "filter-score-label" }, t("filter.score"), figure),
    score,
  );
  const element = h(
    "form",
    { class: "filters", "aria-label": t("filter.title"), onsubmit: (event) => event.preventDefault() },
    field(t("filter.label"), label),
    labels,
    field(t("filter.group"), group),
    sources,
    scoreField,
    field(t("filter.when"), when),
    own,
    h("label", { class: "switch" }, vetoed, h("span", {}, t("filter.vetoed"))),
    clear,
  );

  const showScore = () => {
    figure.textContent =
      Number(score.value) > 0
        ? t("filter.score.from", { score: format.percent(Number(score.value)) })
        : t("filter.score.any");
  };
  const show = () => {
    label.value = now.label ?? "";
    score.value = now.min_score ?? "0";
    showScore();
    for (const [box, key] of [
      [group, "group"],
      [source, "source"],
      [when, "when"],
    ])
      choose(box, now[key] ?? "");
    from.value = asLocal(now.from);
    to.value = asLocal(now.to);
    own.hidden = now.when !== "own";
    vetoed.checked = now.vetoed === "1";
    clear.hidden = Object.keys(now).length === 0;
  };
  fill(
    when,
    option("", t("filter.when.any")),
    ...TIMES.map((name) => option(name, t(`filter.when.${name}`))),
  );
  fill(group, option("", t("filter.group.any")));
  fill(source, option("", t("filter.source.any")));
  sources.hidden = true;
  show();
  labelsOf(api).then((known) => {
    fill(labels, ...known.labels.filter((name) => name.length < 200).map((name) => option(name, "")));
    group.append(
      ...Object.keys(known.groups)
        .sort()
        .map((name) => option(name, name)),
    );
    show();
  });
  api.get("sources", {}, { quiet: true }).then(
    (answer) => {
      source.append(...answer.sources.map(({ name }) => option(name, name)));
      sources.hidden = answer.sources.length < 2;
      show();
    },
    () => {},
  );
  return {
    element,
    count: () => Object.keys(now).filter((key) => key !== "from" && key !== "to").length,
    set: change,
  };
}

/** @returns {HTMLSelectElement} */
function select(id, onChange) {
  const box = /** @type {HTMLSelectElement} */ (
    h("select", { class: "select", id, onchange: () => onChange(box.value) })
  );
  return box;
}

/** Choose a value, which may be one that the list does not have (yet). */
function choose(box, value) {
  if (value !== "" && ![...box.options].some((one) => one.value === value)) box.append(option(value, value));
  box.value = value;
}

function option(value, words) {
  return h("option", { value }, words);
}

function moment(id, onChange) {
  return /** @type {HTMLInputElement} */ (
    h("input", { class: "input", id, type: "datetime-local", onchange: onChange })
  );
}

/** What a field for day and time has, which is local, as the address has it. */
function asUtc(local) {
  return local === "" ? "" : new Date(local).toISOString();
}

function asLocal(utc) {
  const time = Date.parse(utc ?? "");
  return Number.isNaN(time)
    ? ""
    : new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function field(words, input) {
  return h("div", { class: "field" }, h("label", { for: input.id }, words), input);
}

function spanWords({ when, from, to }, t, format) {
  if (when !== "own") return t(`filter.when.${when}`);
  if (from && to) return t("filter.span", { from: format.moment(from), to: format.moment(to) });
  if (from || to) return t(from ? "filter.span.from" : "filter.span.to", { time: format.moment(from ?? to) });
  return t("filter.when.own");
}

function hourOf(hour, format) {
  return format.clock(new Date(2026, 0, 1, Number(hour)), false);
}

/** What is chosen, as chips that can be taken away one by one. */
export function chosenChips(element, chosen, { t, format }, set) {
  const words = {
    label: (v) => v,
    group: (v) => v,
    source: (v) => v,
    min_score: (v) => t("filter.score.from", { score: format.percent(Number(v)) }),
    when: () => spanWords(chosen, t, format),
    hour: (v) => t("filter.hour", { from: hourOf(v, format), to: hourOf(Number(v) + 1, format) }),
    vetoed: () => t("filter.vetoed"),
  };
  const shown = Object.entries(chosen).filter(([key]) => key in words);
  fill(
    element,
    ...shown.map(([key, value]) => {
      const text = words[key](value);
      const gone = { [key]: "", ...(key === "when" ? { from: "", to: "" } : {}) };
      return h(
        "button",
        {
          class: "chip",
          type: "button",
          "aria-label": t("filter.remove", { what: text.slice(0, 80) }),
          onclick: () => set(gone),
        },
        h("span", { class: "clip-text" }, text),
        icon("cross"),
      );
    }),
  );
  element.hidden = shown.length === 0;
}
