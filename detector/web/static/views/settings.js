// The settings that matter, without a shell. What is changed here is gathered, previewed, and saved together.

import { fill, h } from "../dom.js";
import { number } from "../format.js";
import { icon } from "../icons.js";
import { link } from "../router.js";
import { t } from "../texts.js";
import { calibrationPart } from "./settings/calibration.js";
import { Draft } from "./settings/draft.js";
import { choiceCards, section, selectField, sliderField, switchField, textField } from "./settings/fields.js";
import { filePart } from "./settings/file_part.js";
import { labelList } from "./settings/label_picker.js";
import { listeningPart } from "./settings/listening.js";
import { modelsPart } from "./settings/models_list.js";
import { notificationsPart } from "./settings/notifications.js";
import { ownThresholds } from "./settings/own_thresholds.js";
import { saveBar } from "./settings/save_bar.js";
import { changeWords } from "./settings/setting_words.js";

const PRESETS = ["alert", "home", "quiet"];
const OLDER_PRESETS = { responsive: "alert", balanced: "home", sure: "quiet" };
const SPEECH = ["drop", "keep"];
const USUAL_THRESHOLD = 0.4;
const NO_LABELS = { labels: [], groups: {} };

/** @param {HTMLElement} root @param {any} context */
export async function mount(root, context) {
  const { api, stream, toast, me } = context;
  const title = h("h1", {}, t("settings.title"));
  const listening = listeningPart({ api, stream });
  const first = parts(me.read_only, listening.element);
  const view = h("div", { class: "view settings" }, title, first, h("div", { class: "waiting settings-waiting" }));
  root.append(view);
  const quiet = (/** @type {string} */ path, /** @type {any} */ otherwise) => api.get(path, {}, { quiet: true }).catch(() => otherwise);
  let settings;
  try {
    settings = await api.get("settings");
  } catch (error) {
    fill(view, title, first, h("p", { class: "empty" }, error.message));
    return listening.stop;
  }
  const [labels, { sources }] = await Promise.all([quiet("labels", NO_LABELS), quiet("sources", { sources: [] })]);

  const draft = new Draft(withPresentPreset(settings));
  const reload = async (keep = false) => draft.replace(withPresentPreset(await api.get("settings")), keep);
  const done = async (/** @type {any} */ answer, /** @type {string} */ words) => {
    const warnings = answer.warnings.map((/** @type {string} */ warning) => ` ${warning}`).join("");
    const restart = answer.needs_restart.length > 0 ? ` ${t("settings.restart")}` : "";
    toast(`${answer.reloaded ? words : answer.message}${restart}${warnings}`, answer.undo?.available ? { label: t("undo"), act: undo } : null);
    await reload(true);
  };
  const save = async () => {
    try {
      const answer = await api.put("settings", { changes: draft, version: draft.settings.version, what: changeWords(draft) }, { quiet: true });
      draft.changes.clear();
      await done(answer, t("settings.saved"));
    } catch (error) {
      if (error.status === 422) showFaults(draft, error, view, toast);
      else {
        toast(error.message);
        if (error.status === 409) await reload(true);
      }
    }
  };
  const undo = async () => {
    try {
      const answer = await api.post("settings/undo", {});
      toast(answer.message);
      if (settings.faults.length > 0) location.reload();
      else await reload(true);
    } catch {
      // The toast has said why.
    }
  };

  const calibration = calibrationPart({ api, sources, applied: (answer) => done(answer, t("settings.saved")) });
  const bar = saveBar(draft, { api, save });
  const readOnly = settings.read_only;
  const changed = settings.faults.length > 0 ? [] : [surenessPart(draft, labels), labelsPart(draft, labels), sourcesPart(draft), calibration.element, clipsPart(draft), notificationsPart({ api, draft })];
  fill(view, title, notice(settings), first,
    parts(readOnly || !settings.writable, ...changed), parts(readOnly, teachPart(), modelsPart(quiet("models", { models: [] })), filePart({ draft, undo })), bar.element);
  return () => { listening.stop(); calibration.stop(); bar.stop(); };
}

/** Parts of the settings; `locked` ones can be read, not changed. @param {boolean} locked @param {...(Node | null)} content */
function parts(locked, ...content) {
  return content.length > 0 && h("fieldset", { class: "settings-parts", disabled: locked }, ...content);
}

/** The names that presets had before are shown as the present ones. @param {any} settings */
function withPresentPreset(settings) {
  const preset = settings.values?.["events.preset"];
  return preset in OLDER_PRESETS ? { ...settings, values: { ...settings.values, "events.preset": OLDER_PRESETS[preset] } } : settings;
}

/** Why nothing can be changed; nothing where it can. @param {any} settings */
function notice({ read_only: readOnly, writable, why_not: why, faults, path }) {
  if (faults.length > 0) return h("div", { class: "banner wrap", role: "alert" }, icon("warning"), h("div", {}, h("p", {}, t("settings.faults", { path })), h("ul", {}, faults.map((/** @type {string} */ fault) => h("li", {}, fault)))));
  if (readOnly) return h("p", { class: "banner", "data-tone": "good" }, icon("lock"), t("settings.read_only"));
  return !writable && h("p", { class: "banner" }, icon("lock"), why ?? t("settings.not_writable"));
}

/** @param {Draft} draft @param {import("./settings/label_picker.js").Labels} labels */
function surenessPart(draft, labels) {
  const presets = PRESETS.map((value) => ({ value, title: t(`settings.preset.${value}`), text: t(`settings.preset.${value}_about`) }));
  return section(
    "sureness", choiceCards(draft, "events.preset", presets, t("settings.preset")),
    sliderField(draft, "events.threshold_on", {
      words: t("settings.threshold"), low: 0.05, high: 0.95, step: 0.01, start: draft.settings.default_threshold ?? USUAL_THRESHOLD, unset: unsetWords(draft.settings.default_threshold), own: t("settings.threshold.own"), hint: t("settings.threshold.hint"),
    }),
    h("h3", {}, t("settings.own.title")), ownThresholds(draft, labels),
  );
}

/** Show what the server refused beside its fields, and go to the first. @param {Draft} draft @param {any} error @param {HTMLElement} view @param {Function} toast */
function showFaults(draft, { message, body }, view, toast) {
  draft.blame(body.faults ?? [message]);
  toast(draft.otherFaults.length > 0 ? message : t("settings.marked"));
  /** @type {HTMLElement | null} */ (view.querySelector("[aria-invalid='true']"))?.focus();
}

/** @param {number | null} threshold the model's */
function unsetWords(threshold) {
  return threshold === null ? t("settings.threshold.unset") : t("settings.threshold.unset_at", { score: number(threshold, 2) });
}

/** @param {Draft} draft @param {import("./settings/label_picker.js").Labels} labels */
function labelsPart(draft, labels) {
  return section(
    "labels", h("div", { class: "settings-pair" },
      labelList(draft, "events.include", labels, t("settings.include"), t("settings.include.none")),
      labelList(draft, "events.exclude", labels, t("settings.exclude"), t("settings.exclude.none"))),
    switchField(draft, "alarms.patterns", t("settings.patterns"), t("settings.patterns.hint")),
  );
}

/** What holds for one source alone; nothing where the file names none. @param {Draft} draft */
function sourcesPart(draft) {
  const names = draft.settings.sources;
  if (names.length === 0) return null;
  return section("sources", ...names.map((/** @type {string} */ name) => h(
    "div", { class: "settings-source" }, h("h3", {}, name),
    textField(draft, `sources.${name}.quiet_hours`, t("settings.sources.quiet"), { placeholder: "22:00-07:00", hint: t("settings.sources.quiet_hint") }),
    sliderField(draft, `sources.${name}.threshold_on`, {
      words: t("settings.sources.threshold"), low: 0.05, high: 0.95, step: 0.01, start: draft.settings.default_threshold ?? USUAL_THRESHOLD,
      unset: t("settings.sources.threshold_unset"), own: t("settings.sources.threshold_own"),
    }),
  )));
}

/** @param {Draft} draft */
function clipsPart(draft) {
  if (!draft.settings.clips_folder) return section("clips", h("p", { class: "soft" }, t("settings.clips.none")));
  return section("clips", switchField(draft, "clips.enabled", t("settings.clips.enabled")),
    selectField(draft, "clips.speech", SPEECH.map((value) => [value, t(`settings.clips.speech_${value}`)]), t("settings.clips.speech")));
}

function teachPart() {
  return section("teach", h("div", { class: "settings-line" }, h("a", { class: "button", href: link("teach") }, t("settings.teach.go"))));
}
