// The start: texts, colours, then the log-in or the page.

import * as api from "./api.js";
import { h } from "./dom.js";
import { showLogin } from "./login.js";
import { showShell } from "./shell.js";
import { loadTexts, t } from "./texts.js";
import * as theme from "./theme.js";
import * as toasts from "./toast.js";

const RETRY_MS = 3000;

let takeAway = () => {};

/** Ask the server who this is, and show what they may see. */
async function enter() {
  let me;
  try {
    me = await api.get("me", {}, { quiet: true });
  } catch {
    showUnreachable();
    return;
  }
  api.useToken(me.csrf);
  if (me.role === null) askPassword();
  else show(() => showShell(me, { signIn: askPassword, signOut }));
}

function askPassword() {
  show(() => showLogin(enter));
}

async function signOut() {
  await api.del("session");
  enter();
}

function showUnreachable() {
  show(() => {
    const words = h(
      "main",
      { class: "empty" },
      h("h1", {}, t("fault.unreachable")),
      h("p", {}, t("fault.again")),
    );
    document.body.append(words);
    const timer = setTimeout(enter, RETRY_MS);
    return () => {
      clearTimeout(timer);
      words.remove();
    };
  });
}

function show(what) {
  takeAway();
  takeAway = what();
}

theme.start();
await loadTexts();
toasts.start();
api.session.addEventListener("signed-out", () => {
  if (!document.querySelector(".login")) askPassword();
});
api.session.addEventListener("changed", enter);
await enter();
