// Settings and their values in the words of the page.

import { number } from "../../format.js";
import { t } from "../../texts.js";
import { labelKey } from "./draft.js";

/** What a setting is called: of a label its name, of a source both names; else its key. @param {string} key */
export function settingName(key) {
  const own = labelKey(key);
  if (own) return t(`settings.key.label.${own.name}`, { label: own.label });
  const source = /^sources\.(.+)\.([a-z_]+)$/s.exec(key);
  if (source) return `${source[1]}: ${known(`source.${source[2]}`) ?? source[2]}`;
  return known(key) ?? key;
}

/** A value, short. @param {unknown} value */
export function settingValue(value) {
  if (value === null || value === undefined) return t("settings.value.unset");
  if (typeof value === "number") return number(value, 2).replace("-", "−");
  if (typeof value === "boolean") return t(value ? "settings.value.yes" : "settings.value.no");
  return Array.isArray(value) ? value.join("; ") || t("settings.value.none") : String(value);
}

/** What the changes of a draft are, in a line. @param {import("./draft.js").Draft} draft */
export function changeWords(draft) {
  const one = (/** @type {[string, unknown]} */ [key, value]) => `${settingName(key)}: ${settingValue(draft.saved(key))} → ${settingValue(value)}`;
  return [...draft.changes].map(one).join("; ");
}

/** A line of the server with the page's words in place of keys. @param {string} text @param {Iterable<string>} keys */
export function reworded(text, keys) {
  let line = text;
  for (const key of keys) line = line.replaceAll(key, settingName(key)).replaceAll(key[0].toUpperCase() + key.slice(1), settingName(key));
  return line;
}

/** @param {string} key */
function known(key) {
  const words = t(`settings.key.${key}`);
  return words === `settings.key.${key}` ? null : words;
}
