// uPlot, loaded once, when the first chart is drawn.

const VENDOR = new URL("../../vendor/", import.meta.url);

let loading = /** @type {Promise<any> | null} */ (null);

/** @returns {Promise<any>} the class uPlot */
export function loadPlot() {
  loading ??= Promise.all([import("../../vendor/uPlot.esm.js"), addStyle(new URL("uPlot.min.css", VENDOR).href)]).then(([module]) => module.default);
  return loading;
}

/** @param {string} href */
function addStyle(href) {
  return new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href, onload: resolve, onerror: reject }));
  });
}
