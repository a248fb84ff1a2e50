// Plays a clip: its spectrogram over its waveform (wavesurfer.js), a cursor through both, seeking, download.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import * as theme from "../theme.js";
import WaveSurfer from "../vendor/wavesurfer.esm.js";
import { followTheme, paint } from "./picture.js";
import { spectrogram } from "./spectrogram.js";

const COLUMNS = 480;
const STEP_SECONDS = 1;
const WAVE_HEIGHT = 48;

let playing = /** @type {HTMLAudioElement | null} */ (null);

/**
 * Show a clip that plays already, or is about to.
 * @param {HTMLElement} root
 * @param {{id: string, duration: number}} clip
 * @param {HTMLAudioElement} audio
 * @param {import("../shell.js").Context} context
 * @param {() => void} onDeleted
 * @returns {{toggle: () => void, stop: () => void}}
 */
export function openPlayer(root, clip, audio, context, onDeleted) {
  const { api, t, format, me } = context;
  const toggle = () => (audio.paused ? audio.play().catch(() => {}) : audio.pause());
  const button = h("button", { class: "button primary only-icon", type: "button", onclick: toggle });
  const time = h("span", { class: "number small soft", "aria-hidden": "true" });
  const save = h(
    "a",
    {
      class: "button quiet only-icon",
      href: api.address(`clips/${encodeURIComponent(clip.id)}/sound`, { download: 1 }),
      download: "",
      "aria-label": t("player.download"),
      title: t("player.download"),
    },
    icon("download"),
  );
  const picture = /** @type {HTMLCanvasElement} */ (
    h("canvas", { class: "player-picture", "aria-hidden": "true" })
  );
  const wave = h("div", { class: "player-wave" });
  const cursor = h("span", { class: "player-cursor" });
  const seek = h(
    "div",
    {
      class: "player-seek",
      role: "slider",
      tabindex: "0",
      "aria-label": t("player.seek"),
      "aria-valuemin": 0,
    },
    picture,
    wave,
    cursor,
  );
  const words = h("p", { class: "soft small", role: "status" }, t("player.loading"));
  fill(
    root,
    seek,
    h(
      "div",
      { class: "player-row" },
      button,
      time,
      words,
      me.read_only ? null : lockButton(clip, context),
      me.read_only ? null : deleteButton(clip, context, onDeleted),
      save,
    ),
  );

  let surfer = /** @type {WaveSurfer | null} */ (null);
  const length = () =>
    Number.isFinite(audio.duration) && audio.duration > 0 ? audio.duration : clip.duration;
  const go = (seconds) => {
    audio.currentTime = Math.min(Math.max(seconds, 0), length());
    show();
  };
  const show = () => {
    cursor.style.left = `${(100 * audio.currentTime) / length()}%`;
    time.textContent = t("player.time", { now: minutes(audio.currentTime), all: minutes(length()) });
    seek.setAttribute("aria-valuemax", length().toFixed(1));
    seek.setAttribute("aria-valuenow", audio.currentTime.toFixed(1));
    seek.setAttribute(
      "aria-valuetext",
      t("player.at", { now: format.span(audio.currentTime), all: format.span(length()) }),
    );
  };
  let frame = 0;
  const flow = () => {
    show();
    frame = requestAnimationFrame(flow);
  };
  const dress = () => {
    fill(button, icon(audio.paused ? "play" : "pause"));
    button.setAttribute("aria-label", t(audio.paused ? "player.play" : "player.pause"));
    cancelAnimationFrame(frame);
    if (audio.paused) show();
    else flow();
  };
  const alone = () => {
    if (playing !== audio) playing?.pause();
    playing = audio;
    dress();
  };
  audio.addEventListener("play", alone);
  for (const name of ["pause", "ended"]) audio.addEventListener(name, dress);
  for (const name of ["seeked", "durationchange"]) audio.addEventListener(name, show);
  audio.addEventListener("error", () => {
    words.textContent = t("player.fault");
  });
  seek.addEventListener("keydown", (press) => {
    const places = {
      ArrowRight: audio.currentTime + STEP_SECONDS,
      ArrowUp: audio.currentTime + STEP_SECONDS,
      ArrowLeft: audio.currentTime - STEP_SECONDS,
      ArrowDown: audio.currentTime - STEP_SECONDS,
      Home: 0,
      End: length(),
    };
    if (press.key in places) go(places[press.key]);
    else if (press.key === " " || press.key === "Enter") toggle();
    else return;
    press.preventDefault();
  });
  dragTo(seek, (share) => go(share * length()));
  if (audio.error) words.textContent = t("player.fault");
  if (audio.paused) dress();
  else alone();
  load(audio.src).then(
    ({ samples, rate }) => {
      const drawn = spectrogram(samples, rate, COLUMNS);
      const draw = () => paint(picture, drawn.grey, drawn.width, drawn.height);
      draw();
      followTheme(picture, draw);
      surfer = waveform(wave, audio, samples, samples.length / rate);
      words.textContent = "";
    },
    () => {
      words.textContent = t("player.no.picture");
    },
  );
  return {
    toggle,
    stop: () => {
      cancelAnimationFrame(frame);
      audio.pause();
      audio.removeAttribute("src");
      surfer?.destroy();
    },
  };
}

/** A button that keeps the clip for good, until it is pressed again. */
function lockButton(clip, { api, t }) {
  const path = `clips/${encodeURIComponent(clip.id)}`;
  const show = ({ locked }) => button.setAttribute("aria-pressed", String(locked));
  const press = async () => {
    const locked = button.getAttribute("aria-pressed") !== "true";
    await api
      .post(`${path}/lock`, { locked })
      .then(show)
      .catch(() => {});
  };
  const button = h(
    "button",
    {
      class: "button quiet only-icon",
      type: "button",
      "aria-label": t("player.lock"),
      "aria-pressed": "false",
      title: t("player.lock.about"),
      onclick: press,
    },
    icon("lock"),
  );
  api
    .get(path, {}, { quiet: true })
    .then(show)
    .catch(() => {});
  return button;
}

/** A button that asks, and deletes. */
function deleteButton(clip, { api, t, dialog }, onDeleted) {
  const ask = async () => {
    const sure = await dialog.confirm({
      title: t("player.delete.title"),
      text: t("player.delete.about"),
      yes: t("player.delete"),
      alert: true,
    });
    if (!sure) return;
    const done = await api.del(`clips/${encodeURIComponent(clip.id)}`).then(
      () => true,
      () => false,
    );
    if (done) onDeleted();
  };
  return h(
    "button",
    {
      class: "button quiet only-icon",
      type: "button",
      "aria-label": t("player.delete"),
      title: t("player.delete"),
      onclick: ask,
    },
    icon("trash"),
  );
}

/** Fetch and decode; the picture is made from the samples. */
async function load(url) {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  const decoded = await new OfflineAudioContext(1, 1, 16_000).decodeAudioData(await answer.arrayBuffer());
  return { samples: decoded.getChannelData(0), rate: decoded.sampleRate };
}

/** The waveform. It seeks and plays through the same audio element. */
function waveform(root, media, samples, duration) {
  const container = document.createElement("div");
  const colours = () => ({ waveColor: resolved(root, "--edge"), progressColor: resolved(root, "--accent") });
  const surfer = WaveSurfer.create({
    container,
    media,
    peaks: [samples],
    duration,
    height: WAVE_HEIGHT,
    cursorWidth: 0,
    barWidth: 2,
    barGap: 1,
    barRadius: 1,
    interact: false,
    normalize: true,
    ...colours(),
  });
  // Its style element would be refused by the page's rules (no inline styles); a style sheet object is allowed.
  const shadow = container.firstElementChild.shadowRoot;
  const style = shadow.querySelector("style");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style.textContent);
  style.remove();
  shadow.adoptedStyleSheets = [sheet];
  root.append(container);
  const again = () =>
    root.isConnected ? surfer.setOptions(colours()) : theme.changes.removeEventListener("theme", again);
  theme.changes.addEventListener("theme", again);
  return surfer;
}

/** The colour that a token has now: canvases do not know custom properties. */
function resolved(root, token) {
  const probe = h("span", { hidden: true });
  probe.style.color = `var(${token})`;
  root.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Press and draw along: the place as a share of the width. */
function dragTo(element, onPlace) {
  const place = (event) => {
    const { left, width } = element.getBoundingClientRect();
    onPlace(Math.min(Math.max((event.clientX - left) / width, 0), 1));
  };
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    place(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) place(event);
  });
}

function minutes(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
