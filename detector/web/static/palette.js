// Loudness as colour: lightness rises (dark page) or falls (light page) evenly, so that equal steps look equal.

const STEPS = 256;

/** Lightness, the most chroma, the share of it at the quiet end, hues from quiet to loud in degrees (OKLCH). */
const DARK = { from: 0.16, to: 0.96, chroma: 0.125, quiet: 0.2, hues: [212, 218, 195, 172, 145, 110] };
const LIGHT = { from: 0.985, to: 0.24, chroma: 0.115, quiet: 0.02, hues: [175, 176, 184, 200, 225, 250] };

/**
 * The colours of loudness 0 to 255 as RGBA bytes, 4 each.
 * @param {boolean} dark
 * @returns {Uint8ClampedArray} of 1024
 */
export function palette(dark) {
  const { from, to, chroma, quiet, hues } = dark ? DARK : LIGHT;
  const bytes = new Uint8ClampedArray(4 * STEPS);
  for (let step = 0; step < STEPS; step += 1) {
    const share = step / (STEPS - 1);
    const place = share * (hues.length - 1);
    const before = Math.min(Math.floor(place), hues.length - 2);
    const hue = hues[before] + (place - before) * (hues[before + 1] - hues[before]);
    const colour = oklch(
      from + (to - from) * share,
      chroma * Math.max(quiet, Math.sin(Math.PI * 0.9 * share)),
      hue,
    );
    bytes.set([...colour, 255], 4 * step);
  }
  return bytes;
}

/**
 * OKLCH to sRGB bytes (Björn Ottosson's matrices). Out of gamut is clamped by the caller's array.
 * @param {number} lightness 0 to 1 @param {number} chroma @param {number} hue degrees
 */
function oklch(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((linear) => 255 * gamma(Math.max(0, linear)));
}

function gamma(linear) {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
}

/**
 * The darkest and the brightest value worth telling apart: from the quiet part to the loudest.
 * @param {Uint8Array | Uint8ClampedArray} values half decibels
 * @returns {{low: number, high: number}}
 */
export function range(values) {
  const counts = new Uint32Array(STEPS);
  let total = 0;
  for (const value of values) {
    if (value === 0) continue; // nothing was heard there
    counts[value] += 1;
    total += 1;
  }
  const low = quantile(counts, total, 0.35);
  return { low, high: Math.max(quantile(counts, total, 0.998), low + LEAST_RANGE) };
}

/** A quiet room is not stretched until its noise looks like an event: 45 dB at least. */
const LEAST_RANGE = 90;

function quantile(counts, total, share) {
  let sum = 0;
  for (let value = 0; value < STEPS; value += 1) {
    sum += counts[value];
    if (sum > share * total) return value;
  }
  return 0;
}

/**
 * The colours stretched over a range: a table from value to colour.
 * @param {Uint8ClampedArray} colours as from `palette`
 * @param {{low: number, high: number}} span
 * @returns {Uint32Array} of 256: RGBA as one number, to write into a picture
 */
export function table(colours, { low, high }) {
  const words = new Uint32Array(colours.buffer);
  return Uint32Array.from({ length: STEPS }, (_, value) => {
    const share = Math.min(Math.max((value - low) / (high - low), 0), 1);
    return words[Math.round(share * (STEPS - 1))];
  });
}
