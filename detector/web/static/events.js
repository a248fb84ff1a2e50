// What the views know of events, whichever way they came.

/** @typedef {Record<string, any>} SoundEvent an event as the API gives it: docs/protocol.md, with clip, verdict_given, picture */

const STALE_MS = 15 * 60_000; // a sound without an end and without news for so long: its daemon was ended

/** Whether a sound lasts still. @param {SoundEvent} event @param {number} [now] milliseconds */
export function isGoing(event, now = Date.now()) {
  return event.end_time === null && now - Date.parse(event.time) < STALE_MS;
}

/**
 * What a message of the stream adds to a known event: it says nothing of clip, verdict and picture, which may be there.
 * @param {SoundEvent} message
 */
export function newsOf(message) {
  const { clip, verdict_given: said, picture, ...others } = message;
  return {
    ...others,
    ...(clip ? { clip } : {}),
    ...(said ? { verdict_given: said } : {}),
    ...(picture ? { picture } : {}),
  };
}
