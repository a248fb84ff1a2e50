// The labels and groups that the daemon knows; asked for once.

/** @type {Promise<{labels: string[], groups: Record<string, string[]>}> | null} */
let asked = null;

/** @param {typeof import("../api.js")} api */
export function labelsOf(api) {
  asked ??= api.get("labels", {}, { quiet: true }).then(
    ({ labels, groups }) => ({ labels: [...new Set(labels)].sort((a, b) => a.localeCompare(b)), groups }),
    () => {
      asked = null;
      return { labels: [], groups: {} };
    },
  );
  return asked;
}
