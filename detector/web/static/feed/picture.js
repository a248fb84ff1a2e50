// The picture of an event: a grey PNG of loudness, coloured here so that it suits a light and a dark page.

import { h } from "../dom.js";
import { palette, range, table } from "../palette.js";
import * as theme from "../theme.js";

const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      target.dispatchEvent(new Event("seen"));
    }
  },
  { rootMargin: "300px" },
);

/**
 * A canvas that loads the picture once it comes near the screen.
 * @param {string} url
 * @returns {HTMLCanvasElement}
 */
export function pictureOf(url) {
  const canvas = /** @type {HTMLCanvasElement} */ (
    h("canvas", { class: "picture", width: 1, height: 1, "aria-hidden": "true" })
  );
  canvas.addEventListener(
    "seen",
    async () => {
      try {
        const { grey, width, height } = await load(url);
        paint(canvas, grey, width, height);
        followTheme(canvas, () => paint(canvas, grey, width, height));
      } catch {
        canvas.classList.add("failed");
      }
    },
    { once: true },
  );
  seen.observe(canvas);
  return canvas;
}

/**
 * Draw loudness in the colours of the page, stretched to what is in it.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array | Uint8ClampedArray} grey width * height values in half decibels, the top row first
 * @param {number} width @param {number} height
 */
export function paint(canvas, grey, width, height) {
  const colours = table(palette(theme.isDark()), range(grey));
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < grey.length; k += 1) pixels[k] = colours[grey[k]];
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Draw again when the colours change, for as long as the canvas is in the page. */
export function followTheme(canvas, draw) {
  const again = () => {
    if (canvas.isConnected) draw();
    else theme.changes.removeEventListener("theme", again);
  };
  theme.changes.addEventListener("theme", again);
}

async function load(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const { naturalWidth: width, naturalHeight: height } = image;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const grey = new Uint8Array(width * height);
  for (let k = 0; k < grey.length; k += 1) grey[k] = data[4 * k];
  return { grey, width, height };
}
