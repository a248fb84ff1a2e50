// Elements made by code. Text only ever becomes text nodes: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element. `on...` properties that are functions become listeners, `class` and other names attributes;
 * true is an attribute without a value; false, null and undefined leave it out.
 * @param {string} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node|string|number|null|undefined|false|Array<Node|string|null>)} children
 * @returns {HTMLElement}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) setProperty(element, name, value);
  element.append(...children.flat().filter(isThere).map(toNode));
  return element;
}

/**
 * Make an SVG element.
 * @param {string} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node|string)} children
 * @returns {SVGElement}
 */
export function s(tag, properties = {}, ...children) {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(properties)) setProperty(element, name, value);
  element.append(...children);
  return element;
}

/**
 * Put these children in place of all that an element has.
 * @param {Element} element
 * @param {...(Node|string|null|undefined|false)} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter(isThere).map(toNode));
}

/** Set an attribute or a listener. */
function setProperty(element, name, value) {
  if (value === false || value === null || value === undefined) return;
  if (typeof value === "function") element.addEventListener(name.slice(2).toLowerCase(), value);
  else if (name === "style") throw new Error("styles are classes, or set through element.style");
  else element.setAttribute(name, value === true ? "" : String(value));
}

/**
 * A text whose control characters can be seen, as \uFFFD: ESC, which begins a colour on a terminal, and those that turn
 * the direction of what follows.
 * @param {string} text
 */
export function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\uFFFD");
}

function isThere(child) {
  return child !== null && child !== undefined && child !== false;
}

function toNode(child) {
  return child instanceof Node ? child : document.createTextNode(visible(String(child)));
}
