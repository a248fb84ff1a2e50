// The frame around the views: brand, places to go, state of the daemon, switch of colours, banner.

import * as api from "./api.js";
import { banner } from "./banner.js";
import { fill, h } from "./dom.js";
import * as dialog from "./dialog.js";
import * as format from "./format.js";
import { icon, mark } from "./icons.js";
import { link, Router } from "./router.js";
import { Stream } from "./stream.js";
import { t } from "./texts.js";
import * as theme from "./theme.js";
import { toast } from "./toast.js";

const PLACES = ["live", "feed", "overview", "settings"];
const OWNERS_PLACES = ["settings"];
/** Views of owners that a place leads to: which place is marked while they are shown. */
const WITHIN = { teach: "settings" };
const TONES = {
  listening: "good",
  clipping: "good",
  silent: "quiet",
  paused: "quiet",
  starting: "quiet",
  opening: "quiet",
  stopped: "quiet",
};
const MODES = { auto: "half", light: "sun", dark: "moon" };

/**
 * What a view gets.
 * @typedef {object} Context
 * @property {typeof import("./api.js")} api
 * @property {typeof import("./texts.js").t} t
 * @property {{role: "owner" | "guest", version: string, read_only: boolean, password_set: boolean}} me
 * @property {typeof import("./format.js")} format
 * @property {typeof import("./toast.js").toast} toast
 * @property {typeof import("./dialog.js")} dialog
 * @property {typeof import("./theme.js")} theme
 * @property {typeof import("./router.js").link} link
 * @property {Stream} stream
 * @property {URLSearchParams} params those of the address
 * @property {(params: Record<string, unknown>) => void} setParams notes others there
 */

/**
 * Show the page to somebody who is let in.
 * @param {{role: "owner" | "guest", version: string, read_only: boolean, password_set: boolean}} me
 * @param {{signIn: () => void, signOut: () => void}} ways
 * @returns {() => void} takes the page away
 */
export function showShell(me, ways) {
  const stream = new Stream();
  const places = PLACES.filter((name) => me.role === "owner" || !OWNERS_PLACES.includes(name));
  const links = new Map(
    places.map((name) => [name, h("a", { href: link(name) }, icon(name), h("span", {}, t(`${name}.title`)))]),
  );
  const state = h("p", { class: "state" }, "");
  const news = banner(stream);
  const root = h("div", {});
  const main = h("main", { class: "main", id: "main", tabindex: "-1" }, news.element, root);
  const shell = h(
    "div",
    { class: "shell" },
    h(
      "a",
      {
        class: "skip",
        href: "#main",
        onclick: (event) => {
          event.preventDefault();
          main.focus();
        },
      },
      t("skip"),
    ),
    h(
      "header",
      { class: "side" },
      h("a", { class: "brand", href: link("live") }, mark(), h("span", {}, t("brand"))),
      h("nav", { class: "places", "aria-label": t("places") }, ...links.values()),
      h("div", { class: "foot" }, state, doorButton(me, ways), themeButton()),
    ),
    main,
  );
  const context = (route) => ({
    api,
    t,
    me,
    format,
    toast,
    stream,
    link,
    dialog,
    theme,
    params: route.params,
    setParams: (params) => router.setParams(route.name, params),
  });
  const views = [...places, ...Object.keys(WITHIN).filter((name) => places.includes(WITHIN[name]))];
  const router = new Router(
    root,
    views,
    context,
    (route, first) => {
      for (const [name, place] of links) {
        if (name === (WITHIN[route.name] ?? route.name)) place.setAttribute("aria-current", "page");
        else place.removeAttribute("aria-current");
      }
      document.title = t("page.title", { view: t(`${route.name}.title`) });
      if (!first) {
        main.focus({ preventScroll: true });
        window.scrollTo(0, 0);
      }
    },
    () => toast(t("fault.unreachable")),
  );
  document.body.append(shell);
  const stopState = followState(state, stream);
  const stopSession = followSession(me, stream);
  stream.start();
  router.start();
  return () => {
    router.stop();
    stopState();
    stopSession();
    news.stop();
    stream.stop();
    shell.remove();
  };
}

/**
 * Look again who this is when the server was gone or refuses the stream: it may have a new token or a new version, and
 * the session may have ended.
 */
function followSession(me, stream) {
  const look = async () => {
    const now = await api.get("me", {}, { quiet: true }).catch(() => null);
    if (now === null) return;
    if (now.version !== me.version) location.reload();
    else if (now.role !== me.role) api.session.dispatchEvent(new Event("changed"));
    else api.useToken(now.csrf);
  };
  const stops = [stream.on("lost", look), stream.on("open", ({ data: back }) => back && look())];
  return () => stops.forEach((stop) => stop());
}

/** Log out, or, for a guest, log in; nothing where no password is set. */
function doorButton(me, ways) {
  if (!me.password_set) return null;
  const guest = me.role === "guest";
  return h(
    "button",
    {
      class: "button quiet only-icon",
      type: "button",
      "aria-label": t(guest ? "login.go" : "logout"),
      title: t(guest ? "login.go" : "logout"),
      onclick: guest ? ways.signIn : ways.signOut,
    },
    icon(guest ? "lock" : "leave"),
  );
}

/** A button that goes from the system's colours to light, dark and back. */
function themeButton() {
  const order = Object.keys(MODES);
  const button = h("button", {
    class: "button quiet only-icon",
    type: "button",
    onclick: () => {
      theme.choose(order[(order.indexOf(theme.chosen()) + 1) % order.length]);
      dress();
    },
  });
  const dress = () => {
    const words = t(`theme.${theme.chosen()}`);
    button.setAttribute("aria-label", words);
    button.title = words;
    fill(button, icon(MODES[theme.chosen()]));
  };
  dress();
  return button;
}

/** Keep the words for the daemon's state: asked for at the start, and whenever the stream tells of a change. */
function followState(element, stream) {
  const show = (name, advice = "") => {
    element.textContent = advice ? t("state.too_slow", { state: t(`state.${name}`) }) : t(`state.${name}`);
    element.title = advice;
    element.dataset.tone = advice ? "bad" : (TONES[name] ?? "bad");
  };
  let asking = false;
  let isOld = false;
  const ask = async () => {
    isOld = true;
    if (asking) return; // many sources may tell at once
    asking = true;
    while (isOld) {
      isOld = false;
      try {
        const status = await api.get("status", {}, { quiet: true });
        if (status.connected) show(status.state, status.overloaded ? status.overload_advice : "");
        else show("gone");
      } catch {
        show("unknown");
      }
    }
    asking = false;
  };
  const stops = [
    stream.on("open", ask),
    stream.on("lost", () => show("unknown")),
    stream.on("status", ask), // the report says also whether this machine keeps up
    stream.on("daemon", ({ data }) => (data.connected ? ask() : show("gone"))),
  ];
  return () => stops.forEach((stop) => stop());
}
