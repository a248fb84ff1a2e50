// Events from the server, page by page.

import { asked, inHour } from "./filters.js";

const PAGE = 30;
const BIG_PAGE = 200; // where the page itself leaves most of them out
const MOST_REQUESTS = 20;

/**
 * Ask for one page of events: of an hour of the day, with as many requests as that takes.
 * @param {typeof import("../api.js")} api
 * @param {import("./filters.js").Chosen} chosen
 * @param {number | null} before what the page before this one gave as `next`
 * @returns {Promise<{events: import("../events.js").SoundEvent[], next: number | null}>} the newest first
 */
export async function askPage(api, chosen, before) {
  const wanted = { ...asked(chosen), limit: chosen.hour ? BIG_PAGE : PAGE };
  const events = [];
  let next = before;
  for (let request = 0; request < MOST_REQUESTS; request += 1) {
    const answer = await api.get("events", { ...wanted, before: next });
    events.push(...answer.events.filter((event) => inHour(event, chosen)));
    next = answer.next;
    if (next === null || events.length >= PAGE) break;
  }
  return { events, next };
}
