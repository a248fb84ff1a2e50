// The levels of a period, ready to be drawn: pure functions of what the server answered.

const MINUTE = 60;
/** Times that are further apart than so many steps have a gap between them. */
const GAP_STEPS = 1.6;

/**
 * @typedef {object} Levels
 * @property {number[]} minutes unix time [s]
 * @property {(number|null)[]} leq [dB], as the next three; null: not heard
 * @property {(number|null)[]} max
 * @property {(number|null)[]} l10
 * @property {(number|null)[]} l90
 */

const KINDS = /** @type {const} */ (["leq", "max", "l10", "l90"]);

/**
 * The series of the chart: the offset added, a gap where minutes are missing.
 * @param {Levels & {offset_db?: number, step?: number}} answer of /levels
 * @returns {Levels}
 */
export function series(answer) {
  const offset = answer.offset_db ?? 0;
  const step = answer.step ?? MINUTE;
  /** @type {Levels} */
  const made = { minutes: [], leq: [], max: [], l10: [], l90: [] };
  answer.minutes.forEach((time, index) => {
    const before = made.minutes.at(-1);
    if (before !== undefined && time - before > step * GAP_STEPS) {
      made.minutes.push(before + step);
      for (const kind of KINDS) made[kind].push(null);
    }
    made.minutes.push(time);
    for (const kind of KINDS) {
      const level = answer[kind][index] ?? null;
      made[kind].push(level === null ? null : level + offset);
    }
  });
  return made;
}

/**
 * The mean of levels by their energy [dB]; null of none.
 * @param {(number|null)[]} levels
 */
export function energyMean(levels) {
  const heard = levels.filter((level) => level !== null);
  return heard.length ? 10 * Math.log10(heard.reduce((sum, level) => sum + 10 ** (level / 10), 0) / heard.length) : null;
}

/**
 * The mean of each hour and its loudest moment, the newest hour first.
 * @param {Levels} levels
 * @returns {{hour: number, mean: number, max: number}[]}
 */
export function byHour(levels) {
  /** @type {Map<number, {leq: number[], max: number}>} */
  const hours = new Map();
  levels.minutes.forEach((time, index) => {
    const level = levels.leq[index];
    if (level === null) return;
    const hour = Math.floor(time / 3600) * 3600;
    const known = hours.get(hour) ?? { leq: [], max: -Infinity };
    known.leq.push(level);
    known.max = Math.max(known.max, levels.max[index] ?? level);
    hours.set(hour, known);
  });
  return [...hours].reverse().map(([hour, { leq, max }]) => ({ hour, mean: energyMean(leq), max }));
}

/**
 * The index of the loudest moment; -1 if nothing was heard.
 * @param {Levels} levels
 */
export function loudest({ max }) {
  return max.reduce((best, level, index) => (level !== null && (best < 0 || level > max[best]) ? index : best), -1);
}

/**
 * The part of the period that is shown after a button: closer and wider keep its middle.
 * @param {"earlier" | "later" | "closer" | "wider"} way
 * @param {[number, number]} shown
 * @param {[number, number]} whole
 * @returns {[number, number]}
 */
export function moved(way, [from, to], [first, last]) {
  const width = to - from;
  const quarter = width / 4;
  const [start, end] = {
    earlier: [from - 2 * quarter, to - 2 * quarter],
    later: [from + 2 * quarter, to + 2 * quarter],
    closer: [from + quarter, to - quarter],
    wider: [from - 2 * quarter, to + 2 * quarter],
  }[way];
  const size = Math.min(Math.max(end - start, Math.min(10 * MINUTE, width)), last - first);
  const kept = Math.min(Math.max((start + end - size) / 2, first), last - size);
  return [kept, kept + size];
}
