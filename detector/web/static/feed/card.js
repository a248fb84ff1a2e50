// The card of one event: picture, label, when and where, how sure, what else it may be, verdict, sound.

import { fill, h } from "../dom.js";
import { isGoing } from "../events.js";
import { icon } from "../icons.js";
import { pictureOf } from "./picture.js";
import { verdictRow } from "./verdict.js";

const LONG = 60; // letters: a longer label can be shown whole

export class Card {
  #player = /** @type {{stop: () => void} | null} */ (null);
  #words = "";

  /**
   * @param {import("../events.js").SoundEvent} event
   * @param {import("../shell.js").Context} context
   * @param {{whole?: boolean}} [options] whole: the label is never cut off
   */
  constructor(event, context, { whole = false } = {}) {
    Object.assign(this, { event, context, whole });
    const id = `event-${event.id.replace(/[^\w-]/g, "_")}${whole ? "-whole" : ""}`;
    this.label = h("h3", { class: "event-label", id });
    this.more = h(
      "button",
      {
        class: "button quiet compact label-more",
        type: "button",
        "aria-expanded": "false",
        onclick: () => this.#showWhole(),
      },
      context.t("feed.whole"),
    );
    this.facts = h("p", { class: "event-facts soft small" });
    this.others = h("p", { class: "event-others soft small" });
    this.score = h("div", { class: "event-score" });
    this.picture = h("div", { class: "event-picture" });
    this.sound = h("div", { class: "event-sound", hidden: true });
    this.verdict = verdictRow(
      () => this.event,
      context,
      (said) => this.update({ verdict_given: said }),
    );
    this.element = h(
      "article",
      { class: "card event", "aria-labelledby": id, "data-id": event.id },
      this.picture,
      h(
        "div",
        { class: "event-words" },
        h("div", { class: "event-head" }, this.label, this.score),
        this.more,
        this.facts,
        this.others,
      ),
      this.verdict.element,
      this.sound,
    );
    this.#show();
  }

  /** Take what is new about the event. @param {import("../events.js").SoundEvent} news */
  update(news) {
    this.event = { ...this.event, ...news };
    this.#show();
  }

  stop() {
    this.#player?.stop();
  }

  #show() {
    const { event } = this;
    const { t, format } = this.context;
    fill(this.label, event.label);
    this.label.classList.toggle("whole", this.whole);
    this.label.title = this.whole ? "" : event.label.slice(0, 300);
    this.more.hidden = this.whole || event.label.length <= LONG;
    fill(
      this.score,
      h("span", { class: "number" }, format.score(event.top_score)),
      shareBar(event.top_score),
    );
    this.score.title = t("feed.score");
    const facts = [
      h(
        "time",
        { datetime: event.start_time, title: format.moment(event.start_time) },
        format.clock(event.start_time),
      ),
      isGoing(event)
        ? h("span", { class: "event-now" }, t("feed.now"))
        : h("span", {}, format.span(event.duration)),
      h("span", { class: "clip-text event-source", title: event.source.slice(0, 300) }, event.source),
      event.level_dbfs !== null && h("span", {}, format.level(event.level_dbfs)),
      event.pattern && h("span", {}, t("feed.pattern", { name: event.pattern.name })),
    ];
    fill(this.facts, ...facts);
    fill(this.others, ...this.#otherWords());
    this.others.hidden = this.others.childNodes.length === 0;
    this.#showPicture();
    this.verdict.show();
  }

  /** What else it may be, and what verdicts made of it. */
  #otherWords() {
    const { event } = this;
    const { t, format } = this.context;
    const words = [];
    if (event.vetoed)
      words.push(h("span", { class: "chip" }, t("feed.vetoed", { n: event.vetoed.verdicts })));
    if (event.verdict) words.push(h("span", {}, t("feed.corrected", { heard: event.verdict.heard })));
    if (event.clip && event.clip.state !== "saved")
      words.push(
        h(
          "span",
          { class: "no-clip" },
          t(event.clip.reason === "speech" ? "feed.no.clip.speech" : "feed.no.clip"),
        ),
      );
    if (event.alternatives?.length > 0) {
      words.push(h("span", {}, t("feed.alternatives")));
      for (const { label, score } of event.alternatives)
        words.push(
          h(
            "span",
            { class: "clip-text alternative", title: label.slice(0, 300) },
            `${label} ${format.score(score)}`,
          ),
        );
    }
    return words;
  }

  #showPicture() {
    const { event } = this;
    const { t, format, me, api } = this.context;
    const clip = me.role === "owner" && event.clip?.state === "saved" ? event.clip : null;
    const words = `${event.picture}/${clip?.id}/${event.label}`;
    if (words === this.#words) return;
    this.#words = words;
    const play =
      clip &&
      h(
        "button",
        {
          class: "event-play",
          type: "button",
          "aria-label": t("feed.play", {
            label: event.label.slice(0, 120),
            time: format.clock(event.start_time),
          }),
          "aria-expanded": "false",
          onclick: (press) => this.#openSound(press.currentTarget),
        },
        icon("play"),
      );
    fill(
      this.picture,
      event.picture ? pictureOf(api.address(`events/${encodeURIComponent(event.id)}/picture`)) : icon("live"),
      play,
    );
    this.picture.classList.toggle("without", !event.picture);
    this.element.classList.toggle("no-picture", !event.picture && !clip);
  }

  /** Show the player and play; the code for it is loaded only now. */
  async #openSound(button) {
    if (this.#player === null) {
      button.disabled = true;
      // A phone lets a page play only what begins while the finger's press is handled.
      const { api } = this.context;
      const audio = new Audio(api.address(`clips/${encodeURIComponent(this.event.clip.id)}/sound`));
      audio.play().catch(() => {});
      const player = await import("./player.js").catch(() => null);
      button.disabled = false;
      if (player === null) return; // it plays nevertheless
      this.sound.hidden = false;
      this.#player = player.openPlayer(this.sound, this.event.clip, audio, this.context, () =>
        this.#closeSound(),
      );
      button.setAttribute("aria-expanded", "true");
    } else {
      this.#player.toggle();
    }
  }

  /** The clip was deleted: the card goes on without it. */
  #closeSound() {
    this.stop();
    this.#player = null;
    this.sound.replaceChildren();
    this.sound.hidden = true;
    this.update({ clip: null });
  }

  #showWhole() {
    const whole = this.label.classList.toggle("whole");
    this.more.setAttribute("aria-expanded", String(whole));
    this.more.textContent = this.context.t(whole ? "feed.less" : "feed.whole");
  }
}

function shareBar(share) {
  const bar = h("span", { class: "share", "aria-hidden": "true" });
  bar.style.setProperty("--share", String(share ?? 0));
  return bar;
}
