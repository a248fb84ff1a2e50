// The picture: the spectrogram over one row for each label, with a time axis; it zooms and moves.

const MOST_ROWS = 14; // the others share a last row until all are asked for
const LEAST_COLUMNS = 24; // of the spectrogram: it zooms no further
const TICKS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800,
];
const FREQUENCIES = [125, 250, 500, 1000, 2000, 4000, 8000, 16000];
const AXIS = 24;
const STRIP = 30;

const two = (number) => String(number).padStart(2, "0");
const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);

/** Text that fits, or its beginning with an ellipsis. */
function fitting(context, text, width) {
  const start = text.slice(0, 200);
  if (start === text && context.measureText(text).width <= width) return text;
  let low = 0;
  let high = start.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(`${start.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return `${start.slice(0, low)}…`;
}

/** `1:04:09`, or with tenths `0:07.3`. */
function positionText(seconds, tenths = false) {
  const whole = tenths ? Math.round(seconds * 10) / 10 : Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = tenths ? (whole % 60).toFixed(1).padStart(4, "0") : two(Math.floor(whole % 60));
  return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

class Picture {
  /** `events`: {label, on, off, score, alarm, shown}; `chosen` is told which of them was pressed, or which second. */
  constructor(place, spectrogram, events, chosen) {
    this.spectrogram = spectrogram;
    this.events = events;
    this.chosen = chosen;
    this.seconds = Math.max(Number(place.dataset.seconds), 0.001);
    this.low = mel(Number(place.dataset.low));
    this.high = mel(Number(place.dataset.high));
    this.start = place.dataset.start === undefined ? null : Number(place.dataset.start);
    this.clock = (place.dataset.clock ?? "").split(" ").map((pair) => pair.split(":").map(Number));
    this.from = 0;
    this.to = this.seconds;
    this.least = Math.min(this.seconds, (LEAST_COLUMNS * this.seconds) / spectrogram.levels[0].width);
    this.order = "matters";
    this.all = false;
    this.marked = null;
    this.canvas = document.createElement("canvas");
    this.strip = document.createElement("canvas");
    this.stage = document.createElement("div");
    this.tip = document.createElement("div");
    this.line = document.createElement("div");
    this.stage.className = "stage";
    this.strip.className = "strip";
    this.tip.className = "tip";
    this.line.className = "line";
    this.tip.hidden = this.line.hidden = true;
    this.stage.tabIndex = 0;
    this.stage.setAttribute("role", "group");
    this.stage.setAttribute(
      "aria-label",
      "Spectrogram over the timeline of the events, which are also in the table. Plus and minus zoom, arrows move.",
    );
    this.canvas.setAttribute("aria-hidden", "true");
    this.strip.setAttribute("aria-hidden", "true");
    this.stage.append(this.canvas, this.line, this.tip);
    place.replaceChildren(this.strip, this.stage);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", () => this.recolour());
    new ResizeObserver(() => this.draw()).observe(place);
    listenTo(this);
    this.arrange();
    this.recolour();
  }

  get isZoomed() {
    return this.to - this.from < this.seconds * 0.999;
  }

  recolour() {
    const style = getComputedStyle(document.documentElement);
    const ramp = this.dark.matches ? RAMPS.dark : RAMPS.light;
    this.colours = Object.fromEntries(
      ["ink", "soft", "line", "accent", "alert", "card", "sunken"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
    document.documentElement.style.setProperty("--ramp", rampGradient(ramp));
    this.spectrogram.colour(ramp);
    this.draw();
  }

  /** Put the events into rows, in the order that is asked for: of what is shown, all where it is the whole. */
  arrange() {
    this.sortRows();
    this.draw();
  }

  sortRows() {
    const rows = new Map();
    for (const event of this.events) {
      if (!event.shown || (this.isZoomed && (event.off < this.from || event.on > this.to))) continue;
      const row = rows.get(event.label) ?? { label: event.label, events: [], seconds: 0, weight: 0, alarm: event.alarm };
      row.events.push(event);
      row.seconds += event.off - event.on;
      row.weight += (event.off - event.on) * event.score;
      rows.set(event.label, row);
    }
    const first = { matters: (row) => -row.weight, count: (row) => -row.events.length, first: (row) => row.events[0].on, name: () => 0 };
    const rank = first[this.order];
    const alarmsFirst = this.order === "matters";
    const sorted = [...rows.values()].sort(
      (a, b) => (alarmsFirst ? b.alarm - a.alarm : 0) || rank(a) - rank(b) || collator.compare(a.label, b.label),
    );
    if (!this.isZoomed) this.rowCount = sorted.length;
    if (!this.all && sorted.length > MOST_ROWS + 1) {
      const rest = sorted.splice(MOST_ROWS);
      sorted.push({ label: `${rest.length} others`, events: rest.flatMap((row) => row.events), isRest: true });
    }
    this.rows = sorted;
  }

  /** Show this part [s]; it is kept inside the recording, and wide enough. */
  show(from, to) {
    const width = Math.min(this.seconds, Math.max(this.least, to - from));
    const middle = (from + to) / 2;
    this.from = Math.min(Math.max(0, middle - width / 2), this.seconds - width);
    this.to = this.from + width;
    this.arrange();
  }

  zoom(factor, at = (this.from + this.to) / 2) {
    const width = Math.min(this.seconds, Math.max(this.least, (this.to - this.from) * factor));
    const share = (at - this.from) / (this.to - this.from);
    this.show(at - share * width, at + (1 - share) * width);
  }

  move(share) {
    const by = share * (this.to - this.from);
    this.show(this.from + by, this.to + by);
  }

  /** Show an event with what is around it. */
  showEvent(event) {
    const room = Math.max(6 * (event.off - event.on), 20);
    const middle = (event.on + event.off) / 2;
    this.marked = event;
    this.show(middle - room / 2, middle + room / 2);
  }

  /** The line at what is heard now [s]; null takes it away. */
  playing(second) {
    this.second = second;
    const shown = second !== null && second >= this.from && second <= this.to;
    this.line.hidden = !shown;
    if (shown) this.line.style.transform = `translateX(${this.x(second)}px)`;
  }

  x(second) {
    return this.gutter + ((second - this.from) / (this.to - this.from)) * (this.width - this.gutter);
  }

  secondAt(x) {
    return this.from + ((x - this.gutter) / (this.width - this.gutter)) * (this.to - this.from);
  }

  /** Make a canvas so large, in pixels of the screen; returns its context, which counts in CSS pixels. */
  static sized(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return context;
  }

  /** Draw soon, and once for all that changes until then. */
  draw() {
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.drawNow();
    });
  }

  drawNow() {
    this.width = this.stage.clientWidth;
    if (!this.width) return;
    const wide = this.width >= 640;
    this.gutter = wide ? 168 : 0;
    this.sound = wide ? 220 : 160;
    this.pitch = wide ? 26 : 36; // of the rows
    this.bar = wide ? 14 : 12;
    // While it is moved, what is below the picture stays where it is.
    this.most = this.isZoomed ? Math.max(this.most ?? 1, this.rows.length) : Math.max(1, this.rows.length);
    const height = this.sound + AXIS + this.most * this.pitch + 4;
    const context = Picture.sized(this.canvas, this.width, height);
    context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    this.drawSpectrogram(context, wide);
    this.drawAxis(context, height, wide);
    this.rows.forEach((row, place) => this.drawRow(context, row, this.sound + AXIS + place * this.pitch, wide));
    if (!this.rows.length) {
      context.fillStyle = this.colours.soft;
      context.textAlign = "center";
      context.fillText(this.isZoomed ? "no events in this part" : "no events", (this.gutter + this.width) / 2, this.sound + AXIS + this.pitch / 2);
    }
    this.drawStrip();
    this.playing(this.second ?? null);
  }

  drawSpectrogram(context, wide) {
    context.save();
    context.beginPath();
    context.roundRect(this.gutter, 0, this.width - this.gutter, this.sound, 6);
    context.clip();
    const [from, to] = [this.from / this.seconds, this.to / this.seconds];
    this.spectrogram.draw(context, from, to, this.gutter, 0, this.width - this.gutter, this.sound);
    context.restore();
    context.strokeStyle = this.colours.line;
    context.strokeRect(this.gutter + 0.5, 0.5, this.width - this.gutter - 1, this.sound - 1);
    let free = 8; // the next word goes no higher
    for (const hertz of FREQUENCIES.toReversed()) {
      const y = this.sound * (1 - (mel(hertz) - this.low) / (this.high - this.low));
      if (y < free || y > this.sound - 6) continue;
      free = y + 18;
      const text = hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`;
      if (wide) {
        context.textAlign = "right";
      } else {
        context.textAlign = "left";
        context.globalAlpha = 0.75;
        context.fillStyle = this.colours.card;
        context.fillRect(3, y - 7, context.measureText(text).width + 6, 14);
        context.globalAlpha = 1;
      }
      context.fillStyle = this.colours.soft;
      context.fillText(text, wide ? this.gutter - 10 : 6, y);
    }
  }

  /** Round times, as a clock shows them where the start is known, and their lines through the rows. */
  drawAxis(context, height, wide) {
    const span = this.to - this.from;
    const most = Math.max(2, Math.floor((this.width - this.gutter) / (wide ? 92 : 68)));
    const step = TICKS.find((each) => span / each <= most) ?? TICKS.at(-1);
    const base = this.start === null ? 0 : this.start + this.ahead(this.from);
    const first = Math.ceil((base + this.from) / step - 1e-6) * step - base;
    context.textAlign = "center";
    for (let tick = first; tick <= this.to + 1e-9; tick += step) {
      const x = this.x(tick);
      context.fillStyle = this.colours.line;
      context.fillRect(Math.round(x), this.sound + AXIS, 1, height - this.sound - AXIS);
      context.fillStyle = this.colours.soft;
      const text = this.timeText(tick, step);
      const half = context.measureText(text).width / 2;
      context.fillText(text, Math.min(Math.max(x, this.gutter + half), this.width - half), this.sound + AXIS / 2 + 1);
    }
  }

  ahead(second) {
    return this.clock.findLast(([since]) => since <= second)?.[1] ?? this.clock[0][1];
  }

  timeText(second, step) {
    if (this.start === null) return step < 1 || this.seconds < 60 ? `${second.toFixed(step < 1 ? 1 : 0)} s` : positionText(second);
    const local = new Date(Math.round((this.start + second + this.ahead(second)) * 10) * 100);
    const [hours, minutes] = [two(local.getUTCHours()), two(local.getUTCMinutes())];
    if (step >= 86400) return local.toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
    if (step >= 60) return `${hours}:${minutes}`;
    const seconds = two(local.getUTCSeconds());
    return `${hours}:${minutes}:${seconds}${step < 1 ? `.${Math.floor(local.getUTCMilliseconds() / 100)}` : ""}`;
  }

  drawRow(context, row, top, wide) {
    const middle = wide ? top + this.pitch / 2 : top + this.pitch - this.bar / 2 - 3;
    row.middle = middle;
    context.textAlign = wide ? "right" : "left";
    context.fillStyle = row.alarm ? this.colours.alert : row.isRest ? this.colours.soft : this.colours.ink;
    const text = fitting(context, row.label, wide ? this.gutter - 20 : this.width - 8);
    context.fillText(text, wide ? this.gutter - 10 : 2, wide ? middle : top + 10);
    context.fillStyle = this.colours.sunken;
    context.fillRect(this.gutter, middle - this.bar / 2, this.width - this.gutter, this.bar);
    context.save();
    context.beginPath();
    context.rect(this.gutter, top, this.width - this.gutter, this.pitch);
    context.clip();
    context.fillStyle = row.alarm ? this.colours.alert : row.isRest ? this.colours.soft : this.colours.accent;
    for (const event of row.events) {
      if (event.off < this.from || event.on > this.to) continue;
      const x = this.x(event.on);
      const width = Math.max(2, this.x(event.off) - x);
      context.globalAlpha = 0.2 + 0.8 * Math.min(1, event.score);
      context.beginPath();
      context.roundRect(x, middle - this.bar / 2, width, this.bar, Math.min(3, width / 2));
      context.fill();
      if (event === this.marked) {
        context.globalAlpha = 1;
        context.strokeStyle = this.colours.ink;
        context.lineWidth = 1.5;
        context.strokeRect(x - 1.5, middle - this.bar / 2 - 1.5, width + 3, this.bar + 3);
        context.lineWidth = 1;
      }
    }
    context.restore();
  }

  /** The whole recording in a narrow strip, with a window on the part that is shown. */
  drawStrip() {
    this.strip.hidden = !this.isZoomed;
    if (!this.isZoomed) return;
    const context = Picture.sized(this.strip, this.width, STRIP);
    const width = this.width - this.gutter;
    this.spectrogram.draw(context, 0, 1, this.gutter, 0, width, STRIP);
    const [left, right] = [this.from, this.to].map((second) => this.gutter + (second / this.seconds) * width);
    context.fillStyle = this.colours.card;
    context.globalAlpha = 0.72;
    context.fillRect(this.gutter, 0, left - this.gutter, STRIP);
    context.fillRect(right, 0, this.width - right, STRIP);
    context.globalAlpha = 1;
    context.strokeStyle = this.colours.accent;
    context.lineWidth = 2;
    context.strokeRect(left, 1, Math.max(3, right - left), STRIP - 2);
  }
}
