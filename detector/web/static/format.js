// Numbers, dates and spans in the words of the browser's language.

import { locale, t } from "./texts.js";

const made = new Map();

/** An Intl formatter; each is made once. */
function formatter(kind, options) {
  const key = kind.name + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new kind(locale(), options));
  return made.get(key);
}

/** @typedef {string | number | Date} Time RFC 3339, milliseconds, or a Date */

/** The time of day: 14:03:22. @param {Time} time */
export function clock(time, seconds = true) {
  return formatter(Intl.DateTimeFormat, { timeStyle: seconds ? "medium" : "short" }).format(new Date(time));
}

/** The day, in words: today, yesterday, Saturday 28 November. @param {Time} time @param {Time} [now] */
export function day(time, now = Date.now()) {
  const start = (moment) => new Date(moment).setHours(0, 0, 0, 0);
  const days = Math.round((start(time) - start(now)) / 86_400_000);
  if (days === 0 || days === -1) return t(days === 0 ? "day.today" : "day.yesterday");
  const year = new Date(time).getFullYear() === new Date(now).getFullYear() ? {} : { year: "numeric" };
  return formatter(Intl.DateTimeFormat, { weekday: "long", day: "numeric", month: "long", ...year }).format(
    new Date(time),
  );
}

/** Day and time, for titles and sentences. @param {Time} time */
export function moment(time) {
  return formatter(Intl.DateTimeFormat, { dateStyle: "medium", timeStyle: "short" }).format(new Date(time));
}

/** How sure: as a percentage, which is 100 only for certainty. @param {number | null | undefined} score */
export function score(score) {
  return percent(score < 1 ? Math.min(score, 0.99) : score);
}

/** A share, as 87 %. @param {number | null | undefined} share */
export function percent(share, digits = 0) {
  return share === null || share === undefined
    ? t("nothing")
    : formatter(Intl.NumberFormat, { style: "percent", maximumFractionDigits: digits }).format(share);
}

/** @param {number} value */
export function number(value, digits = 0) {
  return formatter(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value).replace("-", "−");
}

/** A level in dBFS; null is digital silence. @param {number | null | undefined} level */
export function level(level) {
  return level === null || level === undefined || !Number.isFinite(level)
    ? t("level.none")
    : t("level.dbfs", { level: number(level) });
}

/** How long: 0.8 s, 12 s, 3 min 20 s, 2 h 5 min. @param {number} seconds */
export function span(seconds) {
  if (seconds < 10) return t("span.seconds", { s: number(seconds, 1) });
  const whole = Math.round(seconds);
  if (whole < 60) return t("span.seconds", { s: number(whole) });
  if (whole < 3600) return t("span.minutes", { m: Math.floor(whole / 60), s: whole % 60 });
  if (whole < 86_400)
    return t("span.hours", { h: Math.floor(whole / 3600), m: Math.floor((whole % 3600) / 60) });
  return t("span.days", { d: Math.floor(whole / 86_400), h: Math.floor((whole % 86_400) / 3600) });
}

/** The time zone that the page shows times in, as `Europe/Berlin`. */
export function timeZone() {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
