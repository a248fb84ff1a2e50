// The HTTP API. What fails is said in a toast, unless the caller asks for quiet, and thrown either way.

import { t } from "./texts.js";
import { toast } from "./toast.js";

const BASE = new URL("api/v1/", document.baseURI);

let token = "";

/** Told when the server wants a log-in: `signed-out`; or when somebody is not who they were: `changed`. */
export const session = new EventTarget();

/** An answer that is no success. `status` is 0 if there was no answer. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message @param {Record<string, unknown>} [body] */
  constructor(status, message, body = {}) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

/** @param {string} csrf as in `/me` */
export function useToken(csrf) {
  token = csrf;
}

/**
 * The address of something in the API, for what the browser fetches itself (pictures, sound, streams).
 * Parameters that are null, undefined or empty are left out.
 * @param {string} path @param {Record<string, unknown>} [params]
 */
export function address(path, params = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** @param {string} path @param {Record<string, unknown>} [params] @param {Options} [options] */
export const get = (path, params = {}, options = {}) =>
  call("GET", address(path, params), undefined, options);
/** @param {string} path @param {unknown} [body] JSON, or a Blob as it is @param {Options} [options] */
export const post = (path, body, options = {}) => call("POST", address(path), body, options);
/** @param {string} path @param {unknown} [body] @param {Options} [options] */
export const put = (path, body, options = {}) => call("PUT", address(path), body, options);
/** @param {string} path @param {Options} [options] */
export const del = (path, options = {}) => call("DELETE", address(path), undefined, options);

/** @typedef {{quiet?: boolean, signal?: AbortSignal}} Options quiet: say nothing of a failure */

async function call(method, url, body, { quiet = false, signal } = {}) {
  try {
    return await answerOf(method, url, body, signal);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (error.status === 401) session.dispatchEvent(new Event("signed-out"));
    else if (!quiet) toast(error.message);
    throw error;
  }
}

async function answerOf(method, url, body, signal) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = token;
  const file = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = file ? body.type : "application/json";
  let answer;
  try {
    answer = await fetch(url, {
      method,
      headers,
      signal,
      credentials: "same-origin",
      body: body === undefined || file ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, t("fault.unreachable"));
  }
  const text = await answer.text();
  const json = parse(text);
  if (answer.ok) return json;
  throw new ApiError(answer.status, json?.error ?? t("fault.status", { status: answer.status }), {
    ...json,
    retryAfter: answer.headers.get("Retry-After"),
  });
}

function parse(text) {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
