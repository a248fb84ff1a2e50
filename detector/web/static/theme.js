// Light or dark: as the system has it, or as the switch says. Canvases draw again at the event `theme`.

const KEY = "sound-detector-theme";
const PAPER = { light: "#f5f7f6", dark: "#0d1415" };
const system = window.matchMedia("(prefers-color-scheme: dark)");

export const changes = new EventTarget();

/** @returns {"auto" | "light" | "dark"} */
export function chosen() {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : "auto";
}

export function isDark() {
  return chosen() === "auto" ? system.matches : chosen() === "dark";
}

/** @param {"auto" | "light" | "dark"} mode */
export function choose(mode) {
  localStorage.setItem(KEY, mode);
  apply();
}

/** Bring the page to what was chosen, and follow the system from now on. */
export function start() {
  system.addEventListener("change", apply);
  apply();
}

function apply() {
  const mode = chosen();
  if (mode === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = mode;
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    const own = meta.media.includes("dark") ? "dark" : "light";
    meta.content = PAPER[mode === "auto" ? own : mode];
  }
  changes.dispatchEvent(new Event("theme"));
}
