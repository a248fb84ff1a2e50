// The words of the page. Each language is one file in texts/; a new one is added to LANGUAGES.

const LANGUAGES = ["en"];

let texts = /** @type {Record<string, string>} */ ({});
let language = "en";
let plurals = new Intl.PluralRules("en");

/** Load the texts of the first language of the browser that there is, else English. */
export async function loadTexts() {
  const wanted = navigator.languages.map((tag) => tag.toLowerCase().split("-")[0]);
  language = wanted.find((tag) => LANGUAGES.includes(tag)) ?? "en";
  plurals = new Intl.PluralRules(language);
  const answer = await fetch(new URL(`./texts/${language}.json`, import.meta.url));
  texts = await answer.json();
  document.documentElement.lang = language;
}

/**
 * The text of a key, with `{name}` replaced by the values. If `key.one`, `key.other`, ... exist, the number `n`
 * chooses among them. A key without a text is shown as it is.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const plural = typeof values.n === "number" ? texts[`${key}.${plurals.select(values.n)}`] : undefined;
  const text = plural ?? texts[key] ?? texts[`${key}.other`] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The tag for Intl: the browser's own variant of the language of the texts, as `en-GB`, for dates and numbers. */
export function locale() {
  return navigator.languages.find((tag) => tag.toLowerCase().split("-")[0] === language) ?? language;
}
