// One take: its picture, how good it is, and to hear it, keep it or throw it away.

import { h } from "../../dom.js";
import { followTheme, paint } from "../../feed/picture.js";
import { spectrogram } from "../../feed/spectrogram.js";
import { span } from "../../format.js";
import { icon } from "../../icons.js";
import { t } from "../../texts.js";

const COLUMNS = 160;
const RATE = 16_000;

let playing = /** @type {HTMLAudioElement | null} */ (null);

/** @param {any} take @param {import("../teach.js").Teach} teach */
export function takeRow({ id, seconds, quality, advice, kept }, { api, act }) {
  const path = `teach/takes/${encodeURIComponent(id)}`;
  const sound = api.address(`${path}/sound`);
  const picture = /** @type {HTMLCanvasElement} */ (h("canvas", { class: "take-picture", width: 1, height: 1, "aria-hidden": "true" }));
  draw(picture, sound);
  const good = quality === "good";
  const words = good ? t("teach.take.good") : advice || quality;
  return h(
    "li", {}, picture,
    h("p", { class: good ? "take-words soft small" : "take-words fault" }, h("span", { class: "number" }, span(seconds)), ` · ${words}`),
    h("div", { class: "take-ways" },
      playButton(sound),
      !kept && h("button", { class: "button compact", type: "button", onclick: () => act(() => api.post(`${path}/keep`)) }, t("teach.take.keep")),
      h("button", { class: "button quiet only-icon compact", type: "button", "aria-label": t("teach.take.discard"), title: t("teach.take.discard"), onclick: () => act(() => api.del(path)) }, icon("trash"))),
  );
}

/** @param {string} sound */
function playButton(sound) {
  const audio = new Audio();
  audio.preload = "none";
  audio.src = sound;
  const button = h("button", { class: "button only-icon compact", type: "button", "aria-label": t("teach.take.play"), onclick: () => {
    if (playing && playing !== audio) playing.pause();
    playing = audio;
    if (audio.paused) audio.play().catch(() => {});
    else audio.pause();
  } }, icon("play"));
  for (const kind of ["play", "pause", "ended"]) audio.addEventListener(kind, () => button.replaceChildren(icon(audio.paused ? "play" : "pause")));
  return button;
}

/** @param {HTMLCanvasElement} canvas @param {string} url */
async function draw(canvas, url) {
  try {
    const answer = await fetch(url, { credentials: "same-origin" });
    const decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await answer.arrayBuffer());
    const { grey, width, height } = spectrogram(decoded.getChannelData(0), decoded.sampleRate, COLUMNS);
    const show = () => paint(canvas, grey, width, height);
    show();
    followTheme(canvas, show);
  } catch {
    canvas.classList.add("failed");
  }
}
