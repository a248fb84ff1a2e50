// Live: what the microphone hears now, and the events where they are in it.

import { fill, h } from "../dom.js";
import { showFrequencies, showSeconds } from "../live/axis.js";
import { Columns } from "../live/columns.js";
import { Level } from "../live/level.js";
import { Listener } from "../live/listener.js";
import { LiveSocket } from "../live/live_socket.js";
import { Marks } from "../live/marks.js";
import { RecentSounds } from "../live/recent_sounds.js";
import { Waterfall } from "../live/waterfall.js";

const KEPT_SECONDS = 64;

/**
 * @param {HTMLElement} root
 * @param {import("../shell.js").Context} context
 */
export async function mount(root, context) {
  const { api, t, stream, me } = context;
  const view = build(t);
  root.append(view.element);
  const recent = new RecentSounds(context);
  view.recent.replaceWith(recent.element);
  const marks = new Marks(view.marks, (id) => recent.open(id));
  const waterfall = new Waterfall(view.canvas, (shown) => {
    marks.place(shown);
    showSeconds(view.seconds, shown.seconds);
  });
  const listener = me.role === "owner" ? new Listener() : null;
  if (listener) view.tools.append(listener.button);
  let socket = /** @type {LiveSocket | null} */ (null);
  let source = "";

  const watch = (name) => {
    source = name;
    listener?.follow(name);
    socket?.close();
    marks.clear();
    let columns = /** @type {Columns | null} */ (null);
    view.canvas.setAttribute(
      "aria-label",
      name === "" ? t("live.picture") : t("live.picture.of", { source: name }),
    );
    socket = new LiveSocket(name, {
      about: (about) => {
        columns = new Columns(about.bands, about.columns_per_second, KEPT_SECONDS * about.columns_per_second);
        showFrequencies(view.frequencies, about);
        waterfall.show(columns);
      },
      frame: (frame) => {
        if (columns === null) return;
        waterfall.take(columns.add(frame.time, frame.columns));
        view.level.show(frame.level);
      },
      state: (state) => {
        view.words.hidden = state === "open";
        view.words.textContent = state === "open" ? "" : t(`live.${state}`);
      },
    });
    for (const event of [...recent.events].reverse()) mark(event);
  };
  const mark = (event) => {
    if (source === "" || event.source === source) marks.put(event);
  };
  const look = () => (document.hidden ? waterfall.stop() : waterfall.start());

  let names = /** @type {string[] | null} */ (null);
  const loadSources = async () => {
    const { sources } = await api.get("sources", {}, { quiet: true }).catch(() => ({ sources: [] }));
    const found = sources.map(({ name }) => name);
    if (names !== null && (found.length === 0 || found.join("\n") === names.join("\n"))) return;
    names = found;
    showTabs(view.tabs, found, context, watch);
  };
  const stops = [
    stream.on("daemon", ({ data }) => {
      if (data.connected && names !== null) loadSources();
    }),
    stream.on("event", ({ data }) => {
      recent.take(data);
      mark(data);
    }),
    stream.on("dropped", () => recent.load()),
  ];
  await recent.load();
  await loadSources();
  document.addEventListener("visibilitychange", look);
  return () => {
    document.removeEventListener("visibilitychange", look);
    stops.forEach((stop) => stop());
    socket?.close();
    listener?.destroy();
    waterfall.destroy();
    recent.stop();
  };
}

function build(t) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { class: "waterfall-canvas", role: "img" }));
  const marks = h("div", { class: "marks" });
  const words = h("p", { class: "waterfall-words", role: "status" }, t("live.connecting"));
  const frequencies = h("div", { class: "frequencies", "aria-hidden": "true" });
  const seconds = h("div", { class: "seconds", "aria-hidden": "true" });
  const level = new Level();
  const tabs = h("div", { class: "tabs", role: "group", "aria-label": t("live.sources"), hidden: true });
  const tools = h("div", { class: "live-tools" }, tabs);
  const recent = h("div", {});
  const picture = h("div", { class: "waterfall-picture" }, canvas, marks, words);
  const element = h(
    "div",
    { class: "view live" },
    h("div", { class: "view-head" }, h("h1", {}, t("live.title")), tools),
    h(
      "section",
      { class: "card waterfall", "aria-label": t("live.picture") },
      h("div", { class: "waterfall-grid" }, frequencies, picture, seconds),
      level.element,
    ),
    recent,
  );
  return { element, canvas, marks, words, frequencies, seconds, level, tabs, tools, recent };
}

/** A button for each source, if there are several; the address keeps which one is watched. */
function showTabs(element, names, { params, setParams }, watch) {
  const buttons = names.map((name) =>
    h("button", { type: "button", title: name.slice(0, 300), onclick: () => choose(name) }, name),
  );
  const choose = (name) => {
    names.forEach((other, k) => buttons[k].setAttribute("aria-pressed", String(other === name)));
    if (names.length > 1) setParams({ source: name });
    watch(name);
  };
  fill(element, ...buttons);
  element.hidden = names.length < 2;
  const wanted = params.get("source");
  choose(names.includes(wanted) ? wanted : (names[0] ?? ""));
}
