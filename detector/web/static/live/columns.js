// The newest columns of a spectrogram, each at its place in time; what was not received stays empty, gaps that are
// hardly seen apart.

import { range } from "../palette.js";

const RANGE_EVERY = 40; // columns: how often the range of loudness is looked at again
const SMALL_GAP = 2; // columns: so few that were lost, or came late by a rounding, are drawn like the one before
const RANGE_STEP = 8; // half decibels: smaller changes of the range are left alone, or the picture would flicker

export class Columns {
  /**
   * @param {number} bands values in a column, low frequency first
   * @param {number} perSecond
   * @param {number} kept how many columns
   */
  constructor(bands, perSecond, kept) {
    Object.assign(this, { bands, perSecond, kept });
    this.values = new Uint8Array(bands * kept);
    this.span = { low: 60, high: 200 };
    this.newest = -1; // number of the newest column since `origin`
    this.origin = 0; // Unix time of the beginning of column 0
    this.looked = -Infinity;
  }

  /** Unix time of the end of the newest column. */
  get end() {
    return this.origin + (this.newest + 1) / this.perSecond;
  }

  /**
   * Take columns that end at a time.
   * @param {number} end Unix time of the end of the last one
   * @param {Uint8Array} data count * bands values
   * @returns {number} the first column that changed, gaps included
   */
  add(end, data) {
    const count = data.length / this.bands;
    let last = Math.round((end - this.origin) * this.perSecond) - 1;
    const late = last - this.newest;
    // The first columns, a clock that was set, or a long pause: begin anew.
    if (this.newest < 0 || late > this.kept || late < -this.perSecond) {
      this.values.fill(0);
      this.origin = end - count / this.perSecond;
      this.newest = -1;
      last = count - 1;
    } else if (late <= count + 1) {
      last = this.newest + count; // they follow on, give or take a rounding
    }
    const first = this.newest + 1;
    const filling = late - count <= SMALL_GAP && this.newest >= 0 ? this.at(this.newest).slice() : null;
    for (let column = first; column <= last - count; column += 1) this.#put(column, filling);
    for (let k = 0; k < count; k += 1)
      this.#put(last - count + 1 + k, data.subarray(k * this.bands, (k + 1) * this.bands));
    this.newest = last;
    return first;
  }

  /** Look at the range of loudness again, if it is time. @returns {boolean} whether it changed */
  refreshRange() {
    if (this.newest - this.looked < RANGE_EVERY && this.newest >= this.looked) return false;
    this.looked = this.newest;
    const { low, high } = range(this.values);
    if (Math.abs(low - this.span.low) < RANGE_STEP && Math.abs(high - this.span.high) < RANGE_STEP)
      return false;
    this.span = { low, high };
    return true;
  }

  /** The values of a column. @param {number} column */
  at(column) {
    const place = (column % this.kept) * this.bands;
    return this.values.subarray(place, place + this.bands);
  }

  #put(column, values) {
    if (values === null) this.at(column).fill(0);
    else this.at(column).set(values);
  }
}
