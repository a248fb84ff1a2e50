// Which view is shown: `#/feed?label=Dog` is the view `feed` with its parameters.

const FIRST = "live";

/** @typedef {{name: string, params: URLSearchParams}} Route */

/** @param {string} hash @param {string[]} names @returns {Route} */
export function parse(hash, names) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return { name: names.includes(path) ? path : FIRST, params: new URLSearchParams(query) };
}

/** @param {string} name @param {Record<string, unknown> | URLSearchParams} [params] */
export function link(name, params = {}) {
  const query = params instanceof URLSearchParams ? params : kept(params);
  return `#/${name}${query.size > 0 ? `?${query}` : ""}`;
}

/** Shows one view after the other in `root`. A view is `views/NAME.js` with `mount(root, context)`. */
export class Router {
  #unmount = () => {};
  #turn = 0;
  #shown = "";

  /**
   * @param {HTMLElement} root
   * @param {string[]} names
   * @param {(route: Route) => object} contextOf what a view gets
   * @param {(route: Route, first: boolean) => void} onShown as soon as the view is there, even if it still loads
   * @param {() => void} onFault a view's code cannot be loaded; the one before stays
   */
  constructor(root, names, contextOf, onShown, onFault) {
    Object.assign(this, { root, names, contextOf, onShown, onFault });
  }

  start() {
    window.addEventListener("hashchange", this.#go);
    return this.#go();
  }

  stop() {
    window.removeEventListener("hashchange", this.#go);
    this.#turn += 1;
    this.#unmount();
  }

  /** Note parameters in the address, without showing the view anew. */
  setParams(name, params) {
    history.replaceState(null, "", link(name, params));
  }

  #go = async () => {
    const turn = ++this.#turn;
    const first = this.#shown === "";
    const route = parse(location.hash, this.names);
    const view = await import(`./views/${route.name}.js`).catch(() => null);
    if (turn !== this.#turn) return;
    if (view === null) {
      this.onFault();
      return;
    }
    this.#unmount();
    this.#unmount = () => {};
    this.root.replaceChildren();
    this.#shown = route.name;
    const mounting = view.mount(this.root, this.contextOf(route));
    this.onShown(route, first);
    const unmount = (await mounting) ?? (() => {});
    if (turn !== this.#turn) return unmount();
    this.#unmount = unmount;
  };
}

/** @param {Record<string, unknown>} params */
function kept(params) {
  const pairs = Object.entries(params).filter(
    ([, value]) => value !== null && value !== undefined && value !== "" && value !== false,
  );
  return new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]));
}
