// What was changed on the page and is not saved yet, over what the file says.

/** @typedef {string | number | boolean | string[] | null} Value */

/** Settings as they would be. It sends `change` whenever something about it is new. */
export class Draft extends EventTarget {
  /** @param {any} settings the answer of /settings */
  constructor(settings) {
    super();
    this.settings = settings;
    /** @type {Map<string, Value>} */
    this.changes = new Map();
    /** @type {string[]} */
    this.faults = [];
  }

  /** The settings as the server has them now; with `keep`, changes that are still none of them stay. @param {any} settings */
  replace(settings, keep = false) {
    this.settings = settings;
    const kept = keep ? [...this.changes] : [];
    this.changes = new Map();
    for (const [key, value] of kept) this.#put(key, value);
    this.faults = [];
    this.#tell();
  }

  /** @param {string} key @returns {Value} the changed value, else the file's, else the default */
  value(key) {
    return this.changes.has(key) ? this.changes.get(key) : this.saved(key);
  }

  /** @param {string} key @returns {Value} */
  saved(key) {
    const own = labelKey(key);
    if (own) return this.settings.labels?.[own.label]?.[own.name] ?? null;
    const { values, defaults } = this.settings;
    return values[key] ?? defaults[key] ?? null;
  }

  /** @param {string} key @param {Value} value */
  set(key, value) {
    this.#put(key, value);
    this.#tell();
  }

  discard() {
    this.changes.clear();
    this.faults = [];
    this.#tell();
  }

  /** What the server said is wrong. @param {string[]} faults */
  blame(faults) {
    this.faults = faults;
    this.#tell();
  }

  /** What is wrong with a key, without its name. @param {string} key */
  faultsOf(key) {
    return this.faults.filter((fault) => speaksOf(fault, key)).map((fault) => fault.slice(fault.indexOf(key) + key.length).replace(/^[:\s]+/, ""));
  }

  /** The faults that speak of none of the keys that were changed. */
  get otherFaults() {
    return this.faults.filter((fault) => ![...this.changes.keys()].some((key) => speaksOf(fault, key)));
  }

  /** The changes as the server wants them. @returns {Record<string, Value>} */
  toJSON() {
    return Object.fromEntries(this.changes);
  }

  /** @param {string} key @param {Value} value */
  #put(key, value) {
    if (same(value, this.saved(key))) this.changes.delete(key);
    else this.changes.set(key, value);
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

/** The key of a setting of one label. @param {string} label @param {string} name */
export function keyOfLabel(label, name) {
  return `events.labels.${label}.${name}`;
}

/** @param {string} key @returns {{label: string, name: string} | null} a label may have dots */
export function labelKey(key) {
  const found = /^events\.labels\.(.+)\.([a-z_]+)$/s.exec(key);
  return found && { label: found[1], name: found[2] };
}

/** @param {string} fault @param {string} key */
function speaksOf(fault, key) {
  const at = fault.indexOf(key);
  return at >= 0 && !/[\w.]/.test(fault.charAt(at + key.length));
}

/** @param {Value} one @param {Value} other */
function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
