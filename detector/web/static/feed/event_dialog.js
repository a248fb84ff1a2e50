// The card of one event in a dialog.

import { h } from "../dom.js";
import { newsOf } from "../events.js";
import { Card } from "./card.js";

/**
 * @param {string} id
 * @param {import("../events.js").SoundEvent | null} known what the page has of it; the rest is asked for
 * @param {import("../shell.js").Context} context
 */
export async function openEvent(id, known, context) {
  const { api, t, stream, format, dialog } = context;
  const path = `events/${encodeURIComponent(id)}`;
  const event = await api.get(path, {}, { quiet: known !== null }).catch(() => known);
  if (event === null) return;
  const card = new Card(event, context, { whole: true });
  const fresh = async () => card.update(await api.get(path, {}, { quiet: true }).catch(() => ({})));
  const stops = [
    stream.on("event", ({ data }) => data.id === id && card.update(newsOf(data))),
    stream.on("clip", ({ data }) => data.events.includes(id) && fresh()),
  ];
  dialog.openDialog({
    title: t("feed.event", { time: format.clock(event.start_time), day: format.day(event.start_time) }),
    body: [h("div", { class: "event-alone" }, card.element)],
    onClose: () => {
      stops.forEach((stop) => stop());
      card.stop();
    },
  });
}
