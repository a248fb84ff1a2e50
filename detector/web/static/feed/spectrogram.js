// The spectrogram of a clip, made from its samples: bands on a logarithmic scale, in half decibels.

const SIZE = 512;
const LOWEST_HERTZ = 80;
const BANDS = 72;

/**
 * @param {Float32Array} samples mono
 * @param {number} rate samples a second
 * @param {number} columns how many are wanted
 * @returns {{grey: Uint8Array, width: number, height: number}} the top row is the highest band
 */
export function spectrogram(samples, rate, columns) {
  const window = Float32Array.from(
    { length: SIZE },
    (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / SIZE),
  );
  const edges = Array.from(
    { length: BANDS + 1 },
    (_, k) => (LOWEST_HERTZ * (rate / 2 / LOWEST_HERTZ) ** (k / BANDS) * SIZE) / rate,
  );
  const grey = new Uint8Array(columns * BANDS);
  const real = new Float32Array(SIZE);
  const imaginary = new Float32Array(SIZE);
  for (let column = 0; column < columns; column += 1) {
    const start = Math.round(((column + 0.5) / columns) * samples.length - SIZE / 2);
    for (let n = 0; n < SIZE; n += 1) real[n] = (samples[start + n] ?? 0) * window[n];
    imaginary.fill(0);
    transform(real, imaginary);
    for (let band = 0; band < BANDS; band += 1) {
      const power = powerIn(real, imaginary, edges[band], edges[band + 1]);
      const decibels = 10 * Math.log10(power / (SIZE / 4) ** 2 + 1e-12);
      grey[(BANDS - 1 - band) * columns + column] = Math.min(Math.max(2 * (decibels + 120), 1), 255);
    }
  }
  return { grey, width: columns, height: BANDS };
}

/** The highest power of the bins between two places; between bins where a band is narrower than one. */
function powerIn(real, imaginary, from, to) {
  const at = (bin) => real[bin] ** 2 + imaginary[bin] ** 2;
  const first = Math.ceil(from);
  const last = Math.min(Math.floor(to), SIZE / 2);
  if (last < first) {
    const below = Math.floor(from);
    const share = (from + to) / 2 - below;
    return (1 - share) * at(below) + share * at(below + 1);
  }
  let most = 0;
  for (let bin = first; bin <= last; bin += 1) most = Math.max(most, at(bin));
  return most;
}

/** The fast Fourier transform, in place (radix 2). */
function transform(real, imaginary) {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i += 1) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
  }
  for (let length = 2; length <= n; length *= 2) {
    const angle = (-2 * Math.PI) / length;
    for (let k = 0; k < length / 2; k += 1) {
      const cosine = Math.cos(angle * k);
      const sine = Math.sin(angle * k);
      for (let i = k; i < n; i += length) {
        const j = i + length / 2;
        const re = real[j] * cosine - imaginary[j] * sine;
        const im = real[j] * sine + imaginary[j] * cosine;
        real[j] = real[i] - re;
        imaginary[j] = imaginary[i] - im;
        real[i] += re;
        imaginary[i] += im;
      }
    }
  }
}
