// The spectrogram's pixels: read from the grey picture in the page, coloured for light or dark.

/** Colours from the quietest to the loudest, on light and on dark paper. */
const RAMPS = {
  light: [[255, 255, 255], [214, 233, 228], [122, 187, 176], [22, 116, 106], [6, 60, 56], [2, 22, 24]],
  dark: [[15, 22, 24], [18, 48, 50], [22, 98, 92], [72, 176, 158], [176, 232, 214], [255, 255, 250]],
};

/** The colours of 256 shades as they lie in memory, one number for each. */
function shadesOf(ramp) {
  const shades = new Uint8ClampedArray(256 * 4);
  for (let shade = 0; shade < 256; shade += 1) {
    const place = (shade / 255) * (ramp.length - 1);
    const lower = Math.min(ramp.length - 2, Math.floor(place));
    for (let part = 0; part < 3; part += 1) {
      shades[4 * shade + part] = ramp[lower][part] + (place - lower) * (ramp[lower + 1][part] - ramp[lower][part]);
    }
    shades[4 * shade + 3] = 255;
  }
  return new Uint32Array(shades.buffer);
}

/** A colour ramp for CSS. */
function rampGradient(ramp) {
  return `linear-gradient(to right, ${ramp.map((colour) => `rgb(${colour.join(" ")})`).join(", ")})`;
}

class Spectrogram {
  /** Take the picture, which is loaded. */
  constructor(image) {
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const grey = new Uint8Array(canvas.width * canvas.height);
    for (let place = 0; place < grey.length; place += 1) grey[place] = pixels[4 * place];
    this.height = canvas.height;
    /** The same in ever fewer columns: of two neighbours the louder stays, so that no short sound is lost. */
    this.levels = [{ width: canvas.width, grey }];
    while (this.levels.at(-1).width > 512) this.levels.push(this.half(this.levels.at(-1)));
  }

  half({ width, grey }) {
    const narrow = Math.ceil(width / 2);
    const louder = new Uint8Array(narrow * this.height);
    for (let row = 0; row < this.height; row += 1) {
      for (let column = 0; column < narrow; column += 1) {
        const left = row * width + 2 * column;
        louder[row * narrow + column] =
          2 * column + 1 < width ? Math.max(grey[left], grey[left + 1]) : grey[left];
      }
    }
    return { width: narrow, grey: louder };
  }

  /** Colour it, at the latest when it is drawn. */
  colour(ramp) {
    this.shades = shadesOf(ramp);
    for (const level of this.levels) level.canvas = null;
  }

  /** Draw the part from `from` to `to` (0 to 1 of the whole) into a box [px of the canvas]. */
  draw(context, from, to, x, y, width, height) {
    const needed = width / Math.max(1e-9, to - from);
    const level = this.levels.findLast((each) => each.width >= needed) ?? this.levels[0];
    level.canvas ??= this.canvasOf(level);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(level.canvas, from * level.width, 0, (to - from) * level.width, this.height, x, y, width, height);
  }

  canvasOf({ width, grey }) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = this.height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, this.height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let place = 0; place < pixels.length; place += 1) pixels[place] = this.shades[grey[place]];
    context.putImageData(image, 0, 0);
    return canvas;
  }
}
