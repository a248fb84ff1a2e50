// Events over the waterfall: a line where the sound began, a bar while it lasted, its label as a button.

import { h, visible } from "../dom.js";
import { isGoing } from "../events.js";
import { score } from "../format.js";

const LANES = 4;
const GAP = 6; // CSS pixels between two labels of a lane

export class Marks {
  #marks = new Map();

  /** @param {HTMLElement} layer @param {(id: string) => void} onChosen */
  constructor(layer, onChosen) {
    this.onChosen = onChosen;
    // All lines lie below all labels.
    this.lines = h("div", { class: "marks-lines", "aria-hidden": "true" });
    this.labels = h("div", { class: "marks-labels" });
    layer.append(this.lines, this.labels);
  }

  /** Show an event, or what is new about one that is shown. @param {Record<string, any>} event */
  put(event) {
    const start = Date.parse(event.start_time) / 1000;
    const mark = this.#marks.get(event.id) ?? this.#make(event.id, start);
    mark.end = isGoing(event) ? Infinity : Date.parse(event.end_time ?? event.time) / 1000;
    mark.words.textContent = visible(event.label);
    mark.score.textContent = score(event.top_score);
    mark.label.title = event.label.slice(0, 300);
    mark.width = 0; // it is measured again
    mark.line.classList.toggle("over", event.end_time !== null);
  }

  clear() {
    this.#marks.clear();
    this.lines.replaceChildren();
    this.labels.replaceChildren();
  }

  /** Bring the marks to where the picture is. @param {{end: number, seconds: number, width: number}} view */
  place({ end, seconds, width }) {
    const scale = width / seconds;
    const taken = Array(LANES).fill(Infinity); // where the labels of each lane begin, seen from the right
    const newestFirst = [...this.#marks].sort(([, a], [, b]) => b.start - a.start);
    for (const [id, mark] of newestFirst) {
      const x = width - (end - mark.start) * scale;
      const until = width - (end - Math.min(mark.end, end)) * scale;
      if (until < 0) {
        mark.line.remove();
        mark.label.remove();
        this.#marks.delete(id);
        continue;
      }
      mark.line.hidden = x > width;
      mark.line.style.transform = `translateX(${x.toFixed(1)}px)`;
      mark.bar.style.transform = `scaleX(${Math.max(0, until - x).toFixed(1)})`;
      // The label stays readable: at the left edge while its sound lasts, and never beyond the right one.
      mark.width ||= mark.label.offsetWidth;
      const left = Math.min(Math.max(x, 0), Math.max(0, width - mark.width));
      mark.label.style.transform = `translateX(${left.toFixed(1)}px)`;
      const covered = x > width || left + mark.width + GAP > taken[mark.lane];
      mark.label.classList.toggle("covered", covered);
      mark.bar.classList.toggle("covered", covered);
      if (x <= width) taken[mark.lane] = Math.min(taken[mark.lane], left);
    }
  }

  #make(id, start) {
    const words = h("span", { class: "clip-text" });
    const figure = h("span", { class: "number" });
    const lane = this.#freeLane();
    const label = h(
      "button",
      { class: `mark-label lane-${lane}`, type: "button", onclick: () => this.onChosen(id) },
      words,
      figure,
    );
    const bar = h("span", { class: "mark-bar" });
    const line = h("div", { class: `mark lane-${lane}` }, bar);
    const mark = { line, label, bar, words, score: figure, start, end: Infinity, lane, width: 0 };
    this.#marks.set(id, mark);
    this.lines.append(line);
    this.labels.append(label);
    return mark;
  }

  /** The lane whose newest mark began the longest ago: its label is the furthest away. */
  #freeLane() {
    const newest = Array(LANES).fill(-Infinity);
    for (const { lane, start, end } of this.#marks.values())
      newest[lane] = Math.max(newest[lane], end === Infinity ? Date.now() / 1000 : start);
    return newest.indexOf(Math.min(...newest));
  }
}
