// Recording: a countdown, the level while it records, and each take with a picture, to hear, keep or throw away.
//
// A good take is kept at once; one with a fault waits for a word of the user.

import { fill, h } from "../../dom.js";
import { icon } from "../../icons.js";
import { Level } from "../../live/level.js";
import { LiveSocket } from "../../live/live_socket.js";
import { t } from "../../texts.js";
import { progress } from "../settings/progress.js";
import { sourceChoice, stepHead, way } from "./parts.js";
import { takeRow } from "./take_row.js";

const COUNTDOWN = 3;
const SECOND_MS = 1000;
const TAKE_SECONDS = 3;
const BACKGROUND_SECONDS = 30;
const MOST_MEGABYTES = 12;

/** @param {import("../teach.js").Teach} teach @param {boolean} background whether it is the room that is recorded @returns {import("../teach.js").Step} */
export function recordStep(teach, background) {
  const { api, act, go, sources } = teach;
  const name = background ? teach.state.background : teach.sound;
  const seconds = background ? BACKGROUND_SECONDS : TAKE_SECONDS;
  const source = sourceChoice(sources, () => listen());
  const count = h("p", { class: "teach-count", role: "status" });
  const bar = progress(t("teach.recording"));
  const button = h("button", { class: "button primary teach-record", type: "button", onclick: () => press() });
  const list = h("ul", { class: "teach-takes", "aria-label": t("teach.takes.title") });
  const fault = h("p", { class: "fault", role: "alert" });
  const dots = h("p", { class: "teach-dots" });
  const next = way(t("teach.next"), () => go(background ? "learn" : "background"), true);
  const level = new Level();
  let socket = /** @type {LiveSocket | null} */ (null);
  const files = /** @type {HTMLInputElement} */ (h("input", { class: "read-only-for-ears", type: "file", accept: ".wav,.flac", multiple: true, "aria-label": t("teach.upload"), onchange: () => upload([...files.files]) }));
  const rows = new Map();
  let waiting = 0;
  let busy = false;

  const listen = () => {
    socket?.close();
    socket = new LiveSocket(source?.value ?? sources[0]?.name ?? "", { about: () => {}, state: () => {}, frame: (frame) => level.show(frame.level) });
  };
  const press = () => {
    if (teach.state.recording) act(() => api.del("teach/record"));
    else if (waiting) stopCounting();
    else countDown(COUNTDOWN);
  };
  const stopCounting = () => { clearTimeout(waiting); waiting = 0; show(teach.state); };
  const countDown = (/** @type {number} */ left) => {
    if (left === 0) {
      waiting = 0;
      act(() => api.post("teach/record", { name, seconds, source: source?.value ?? null }));
      return;
    }
    waiting = setTimeout(() => countDown(left - 1), SECOND_MS);
    count.textContent = t("teach.countdown", { n: left });
    dress();
  };
  const dress = () => {
    const recording = Boolean(teach.state.recording);
    bar.element.hidden = !recording;
    fill(button, icon(recording || waiting ? "cross" : "ear"), t(recording || waiting ? "teach.stop" : background ? "teach.record_room" : "teach.record"));
  };
  const upload = async (/** @type {File[]} */ chosen) => {
    files.value = "";
    let n = 0;
    for (const file of chosen) {
      if (file.size > MOST_MEGABYTES * 1e6) { // a browser that is refused in the middle of sending knows not why
        teach.toast(t("teach.upload.too_large", { name: file.name, megabytes: MOST_MEGABYTES }));
        continue;
      }
      const sound = new Blob([file], { type: /\.flac$/i.test(file.name) ? "audio/flac" : "audio/wav" });
      if (await act(() => api.post(`teach/takes?name=${encodeURIComponent(name)}`, sound))) n += 1;
    }
    if (n > 0) teach.toast(t("teach.upload.done", { n }));
  };
  const keepGood = async (/** @type {any[]} */ takes) => {
    if (busy) return;
    busy = true;
    try {
      for (const { id } of takes) await act(() => api.post(`teach/takes/${encodeURIComponent(id)}/keep`));
    } finally {
      busy = false;
    }
  };
  const showTakes = async (/** @type {any} */ { pending, sounds }) => {
    const mine = pending.filter((/** @type {any} */ take) => take.name === name);
    const good = mine.filter((/** @type {any} */ take) => take.quality === "good" && !busy);
    if (good.length > 0) await keepGood(good);
    const kept = sounds.some((/** @type {any} */ sound) => sound.name === name) ? await takesOf(api, name) : [];
    const all = [...mine.filter((/** @type {any} */ take) => take.quality !== "good"), ...kept.reverse()];
    for (const take of all) {
      const before = rows.get(take.id);
      if (before?.kept !== take.kept) rows.set(take.id, { kept: take.kept, element: takeRow(take, teach) });
    }
    fill(list, ...all.map(({ id }) => rows.get(id).element));
  };
  const show = (/** @type {any} */ state) => {
    const { recording, sounds, wanted, least } = state;
    fault.textContent = recording || waiting ? "" : state.recording_error ?? "";
    dress();
    if (recording) bar.show(recording.done / recording.seconds, "");
    if (!waiting) count.textContent = recording ? t(background ? "teach.recording_room" : "teach.recording") : "";
    const mine = sounds.find((/** @type {any} */ sound) => sound.name === name);
    const enough = background ? (mine?.seconds ?? 0) > 0 : (mine?.takes ?? 0) >= least;
    next.toggleAttribute("disabled", !enough);
    fill(dots, background ? "" : t("teach.so_far", { n: mine?.takes ?? 0, wanted, least }));
    showTakes(state);
  };
  const step = background ? "background" : "record";
  const element = h(
    "div", { class: "teach-part" }, stepHead(step, { name: teach.sound }),
    h("div", { class: "teach-recorder" }, source, level.element, count, bar.element, button, h("label", { class: "button quiet compact" }, t("teach.upload"), files)), fault, dots, list,
    h("div", { class: "buttons teach-ways" }, way(t("teach.previous"), () => go(background && teach.sound ? "record" : "name")), next),
  );
  listen();
  return { element, show, stop: () => { clearTimeout(waiting); socket?.close(); } };
}

/** @param {any} api @param {string} name */
async function takesOf(api, name) {
  const { takes } = await api.get("teach/takes", { name }, { quiet: true }).catch(() => ({ takes: [] }));
  return takes;
}
