// Which events are shown: what the address keeps of it, what the server is asked, whether an event is among them.

import { timeZone } from "../format.js";

export const KEYS = ["label", "group", "source", "min_score", "when", "from", "to", "hour", "vetoed"];
const DAY_MS = 86_400_000;

/** @typedef {Record<string, string>} Chosen filters as text, as in the address; those that are not set are missing */

/** @param {URLSearchParams} params @returns {Chosen} */
export function chosenIn(params) {
  const chosen = Object.fromEntries(
    KEYS.map((key) => [key, params.get(key)]).filter(([, value]) => value !== null && value !== ""),
  );
  return chosen.from || chosen.to ? { ...chosen, when: "own" } : chosen;
}

/**
 * The parameters of the request for events.
 * @param {Chosen} chosen @param {number} [now] milliseconds
 */
export function asked(chosen, now = Date.now()) {
  const { when, from, to, ...others } = chosen;
  return { ...others, ...spanOf(chosen, now), ...(chosen.hour ? { tz: timeZone() } : {}) };
}

/** From and to as RFC 3339, or nothing. */
function spanOf({ when, from, to }, now) {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const iso = (milliseconds) => new Date(milliseconds).toISOString();
  if (when === "hour") return { from: iso(now - 3_600_000) };
  if (when === "today") return { from: iso(midnight) };
  if (when === "yesterday")
    return { from: iso(new Date(midnight - DAY_MS / 2).setHours(0, 0, 0, 0)), to: iso(midnight) };
  if (when === "week") return { from: iso(now - 7 * DAY_MS) };
  if (when !== "own") return {};
  return { ...(from ? { from } : {}), ...(to ? { to } : {}) };
}

function inHour(event, { hour }) {
  return !hour || new Date(event.start_time).getHours() === Number(hour);
}

/**
 * Whether a live event passes the filters, as far as the page can tell.
 * @param {import("../events.js").SoundEvent} event @param {Chosen} chosen @param {Record<string, string[]>} groups
 */
export function passes(event, chosen, groups) {
  const names = [event.label, event.class_id, ...(event.ancestors ?? [])].map((name) => name.toLowerCase());
  const named = (wanted) => wanted.some((name) => names.includes(name.toLowerCase()));
  const { from, to } = spanOf(chosen, Date.now());
  if (chosen.vetoed) return false; // the stream has none of these
  return (
    inHour(event, chosen) &&
    (!chosen.label || named([chosen.label])) &&
    (!chosen.group || named(groups[chosen.group] ?? [])) &&
    (!chosen.source || event.source === chosen.source) &&
    (!chosen.min_score || (event.top_score ?? 0) >= Number(chosen.min_score)) &&
    (!from || event.start_time >= from) &&
    (!to || event.start_time < to)
  );
}
