// The icons: lines on 24 by 24, drawn in the colour of the text.

import { s } from "./dom.js";

const LINES = {
  live: "M4 10v4M8 6.5v11M12 3.5v17M16 8v8M20 10.5v3",
  feed: "M4 6h.01M4 12h.01M4 18h.01M9 6h11M9 12h11M9 18h11",
  overview: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z",
  settings: "M4 7h9M19 7h1M4 17h2M12 17h8M13 7a3 3 0 1 0 6 0a3 3 0 1 0-6 0M6 17a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
  check: "M5 12.5l4.5 4.5L19 7",
  cross: "M6 6l12 12M18 6L6 18",
  pencil: "M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4",
  undo: "M8 5L4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M15.5 15.5L20 20",
  filter: "M4 6h16M7 12h10M10 18h4",
  chevron: "M6 9l6 6 6-6",
  down: "M12 5v14M6 13l6 6 6-6",
  sun: "M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  half: "M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17v17M12 8h6.5M12 12h8.5M12 16h6.5",
  leave: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  ear: "M7 20a3 3 0 0 0 5-1c.6-2 1-2.6 2.4-4A7 7 0 1 0 5 9.5M9 10a3 3 0 1 1 4.5 2.6",
  speaker: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  warning: "M12 4L2.8 20h18.4zM12 10v4.5M12 17.2v.01",
  silence: "M4 12h3M10.5 12h3M17 12h3",
};
const SOLID = {
  play: "M8 5.2v13.6a.8.8 0 0 0 1.2.7l10.6-6.8a.8.8 0 0 0 0-1.4L9.2 4.5A.8.8 0 0 0 8 5.2z",
  pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
};

/**
 * Draw an icon. It says nothing to a screen reader: the words beside it, or an aria-label, do.
 * @param {keyof LINES | keyof SOLID} name
 */
export function icon(name) {
  const solid = name in SOLID;
  const path = solid ? SOLID[name] : LINES[name];
  return s(
    "svg",
    { class: solid ? "icon solid" : "icon", viewBox: "0 0 24 24", "aria-hidden": "true" },
    s("path", { d: path }),
  );
}

/** The program's mark: bars of sound, and a dot over the one that was recognized. */
export function mark(className = "") {
  const bars = [
    [2, 9.5, 5],
    [6.5, 6.5, 11],
    [11, 8, 12.5],
    [15.5, 7.5, 9],
    [20, 10, 4],
  ];
  const drawn = bars.map(([x, y, height]) => s("rect", { x, y, width: 2, height, rx: 1 }));
  const dot = s("circle", { cx: 12, cy: 4.5, r: 1.75 });
  return s("svg", { class: className, viewBox: "0 0 24 24", "aria-hidden": "true" }, ...drawn, dot);
}
