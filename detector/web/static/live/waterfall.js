// The flowing picture: time flows to the left, high sounds are at the top, now is at the right edge.

import { palette, table } from "../palette.js";
import * as theme from "../theme.js";

const BEHIND = 3; // columns that the picture stays behind, so that it flows although columns come in pairs
const LEAST_STEP = 0.9; // pixels of the screen: less than that is no movement worth drawing
const CATCH_UP = 0.15;
const STILL_MS = 3000; // how often the picture changes where motion is unwanted
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Waterfall {
  #columns = /** @type {import("./columns.js").Columns | null} */ (null);
  #picture = new OffscreenCanvas(1, 1);
  #table = new Uint32Array(256);
  #ground = "";
  #head = 0; // the column, with fractions, at the right edge
  #drawn = NaN;
  #drawnAt = -Infinity;
  #before = 0;
  #frame = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(view: {end: number, seconds: number, width: number}) => void} onDraw
   *   after each drawing: Unix time at the right edge, seconds across, width in CSS pixels
   */
  constructor(canvas, onDraw) {
    this.canvas = canvas;
    this.onDraw = onDraw;
    this.resizing = new ResizeObserver(() => this.redraw());
    this.resizing.observe(canvas);
    theme.changes.addEventListener("theme", this.#recolour);
  }

  /** @param {import("./columns.js").Columns} columns */
  show(columns) {
    this.#columns = columns;
    this.#picture = new OffscreenCanvas(columns.kept, columns.bands);
    this.#head = columns.newest + 1;
    this.#recolour();
    this.start();
  }

  /** Columns from this one on are new. @param {number} first */
  take(first) {
    const columns = this.#columns;
    if (columns.refreshRange()) this.#recolour();
    else this.#paint(first, columns.newest);
    const target = columns.newest + 1 - BEHIND;
    if (Math.abs(target - this.#head) > columns.perSecond || first === 0) this.#head = target;
  }

  start() {
    cancelAnimationFrame(this.#frame);
    this.#before = performance.now();
    this.#frame = requestAnimationFrame(this.#step);
  }

  stop() {
    cancelAnimationFrame(this.#frame);
  }

  destroy() {
    this.stop();
    this.resizing.disconnect();
    theme.changes.removeEventListener("theme", this.#recolour);
  }

  redraw() {
    this.#drawn = NaN;
    this.#drawnAt = -Infinity;
    this.#draw(performance.now());
  }

  #step = (now) => {
    this.#flow(now);
    this.#draw(now);
    this.#frame = requestAnimationFrame(this.#step);
  };

  /** Move the right edge at the pace of time, a little faster or slower where it is not where it should be. */
  #flow(now) {
    const columns = this.#columns;
    const seconds = Math.min((now - this.#before) / 1000, 0.25);
    this.#before = now;
    const target = columns.newest + 1 - BEHIND;
    const pace = Math.max(0, 1 + CATCH_UP * (target - this.#head));
    this.#head = Math.min(this.#head + seconds * columns.perSecond * pace, columns.newest + 1);
  }

  #draw(now) {
    const columns = this.#columns;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (columns === null || width === 0) return;
    if (calm.matches && now - this.#drawnAt < STILL_MS) return;
    const scale = window.devicePixelRatio || 1;
    const wide = Math.round(width * scale);
    const high = Math.round(height * scale);
    const across = Math.min(
      columns.kept - 8,
      Math.round((wide / scale / PIXELS_PER_SECOND) * columns.perSecond),
    );
    const step = wide / across;
    if (Math.abs(this.#head - this.#drawn) * step < LEAST_STEP) return;
    this.#drawn = this.#head;
    if (columns.newest > columns.perSecond) this.#drawnAt = now; // the first second is shown as it comes
    if (this.canvas.width !== wide || this.canvas.height !== high)
      Object.assign(this.canvas, { width: wide, height: high });
    const context = this.canvas.getContext("2d", { alpha: false });
    context.imageSmoothingQuality = "high";
    context.fillStyle = this.#ground;
    context.fillRect(0, 0, wide, high);
    this.#copy(context, across, step, high);
    this.onDraw({
      end: columns.origin + this.#head / columns.perSecond,
      seconds: across / columns.perSecond,
      width,
    });
  }

  /** Copy the columns that are seen; in the ring they lie in two pieces at most. */
  #copy(context, across, step, high) {
    const { kept, bands, newest } = this.#columns;
    const first = Math.max(Math.floor(this.#head - across), newest + 1 - kept, 0);
    for (let column = first; column <= newest;) {
      const place = column % kept;
      const count = Math.min(kept - place, newest + 1 - column);
      const x = (column - (this.#head - across)) * step;
      context.drawImage(this.#picture, place, 0, count, bands, x, 0, count * step, high);
      column += count;
    }
  }

  #recolour = () => {
    const columns = this.#columns;
    if (columns === null) return;
    const colours = palette(theme.isDark());
    this.#table = table(colours, columns.span);
    this.#ground = `rgb(${colours[0]} ${colours[1]} ${colours[2]})`;
    this.#paint(Math.max(0, columns.newest + 1 - columns.kept), columns.newest);
    this.redraw();
  };

  /** Colour columns in the ring's picture: a pixel for each value, high frequencies at the top. */
  #paint(first, last) {
    const columns = this.#columns;
    const context = this.#picture.getContext("2d");
    const strip = new ImageData(1, columns.bands);
    const pixels = new Uint32Array(strip.data.buffer);
    for (let column = first; column <= last; column += 1) {
      const values = columns.at(column);
      for (let band = 0; band < columns.bands; band += 1)
        pixels[columns.bands - 1 - band] = this.#table[values[band]];
      context.putImageData(strip, column % columns.kept, 0);
    }
  }
}

/** How wide a second is: a phone sees about 11 s, a big screen 35 s. */
export const PIXELS_PER_SECOND = 32;
