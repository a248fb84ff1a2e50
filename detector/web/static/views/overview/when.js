// Times of the overview in few words. Everything depends on the arguments and the browser's language alone.

import { clock } from "../../format.js";
import { locale } from "../../texts.js";

/**
 * A date alone is a day of the reader's calendar, not one of Greenwich's.
 * @param {string} time RFC 3339, or a date as 2026-11-28
 * @returns {Date}
 */
export function moment(time) {
  return new Date(/^\d{4}-\d\d-\d\d$/.test(time) ? `${time}T00:00:00` : time);
}

/**
 * A time of day, with its day where that is not today: 14:03, Mon 14:03, 3 Nov 14:03.
 * @param {string | number | Date} time
 * @param {Date} now
 */
export function timeOfDay(time, now) {
  const then = new Date(time);
  const days = Math.round((midnight(now) - midnight(then)) / 86_400_000);
  if (days === 0) return clock(then, false);
  return `${dayName(then, days > 0 && days < 7 ? { weekday: "short" } : { day: "numeric", month: "short" })} ${clock(then, false)}`;
}

/** @param {Date} day @param {Intl.DateTimeFormatOptions} options */
export function dayName(day, options) {
  return new Intl.DateTimeFormat(locale(), options).format(day);
}

/** A full hour: 7 is 07:00. @param {number} hour 0 to 24 */
export function fullHour(hour) {
  return `${String(hour).padStart(2, "0")}:00`;
}

/** @param {Date} time */
function midnight(time) {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();
}
