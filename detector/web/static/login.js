// The log-in: one password, and what went wrong in words beside it.

import * as api from "./api.js";
import { h } from "./dom.js";
import { mark } from "./icons.js";
import { t } from "./texts.js";

/**
 * Ask for the password until it is right.
 * @param {() => void} onDone
 * @returns {() => void} takes the form away
 */
export function showLogin(onDone) {
  const fault = h("p", { class: "fault", id: "login-fault", role: "alert" });
  const input = /** @type {HTMLInputElement} */ (
    h("input", {
      class: "input",
      id: "password",
      name: "password",
      type: "password",
      autocomplete: "current-password",
      required: true,
      "aria-describedby": "login-fault",
    })
  );
  const button = /** @type {HTMLButtonElement} */ (
    h("button", { class: "button primary", type: "submit" }, t("login.go"))
  );
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    fault.textContent = "";
    try {
      await api.post("session", { password: input.value }, { quiet: true });
      onDone();
    } catch (error) {
      fault.textContent = wordsFor(error);
      input.setAttribute("aria-invalid", "true");
      input.select();
    } finally {
      button.disabled = false;
    }
  };
  // The name of the account is for password managers; there is only one.
  const account = h("input", {
    type: "text",
    name: "username",
    autocomplete: "username",
    value: "sound-detector",
    hidden: true,
    tabindex: "-1",
  });
  const form = h(
    "form",
    { onsubmit: submit },
    mark("login-mark"),
    h("h1", {}, t("brand")),
    account,
    h("div", { class: "field" }, h("label", { for: "password" }, t("login.password")), input, fault),
    button,
  );
  const page = h("main", { class: "login" }, form);
  document.title = t("page.title", { view: t("login.title") });
  document.body.append(page);
  input.focus();
  return () => page.remove();
}

/** @param {api.ApiError} error */
function wordsFor(error) {
  if (error.status === 401) return t("login.wrong");
  if (error.status === 429) return t("login.wait", { n: Number(error.body.retryAfter ?? 60) });
  return error.message;
}
