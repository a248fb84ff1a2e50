// What pointer, wheel and keys do to the picture: tell, choose, zoom, move.

/** The event at a place of the canvas, or null. */
function eventAt(picture, x, y) {
  const row = picture.rows.find((each) => Math.abs(each.middle - y) <= picture.pitch / 2);
  if (!row || x < picture.gutter) return null;
  const reach = (4 / (picture.width - picture.gutter)) * (picture.to - picture.from);
  const second = picture.secondAt(x);
  return row.events.find((event) => event.on - reach <= second && second <= Math.max(event.off, event.on + reach) + reach) ?? null;
}

/** What is under the pointer, in words beside it. */
function tell(picture, x, y) {
  const event = eventAt(picture, x, y);
  picture.tip.hidden = event === null;
  picture.canvas.classList.toggle("over", event !== null || (y < picture.sound && x >= picture.gutter));
  if (event === null) return;
  picture.tip.textContent = `${event.label.slice(0, 80)} · ${positionText(event.on, true)} · ${(event.off - event.on).toFixed(1)} s · score ${event.score.toFixed(2)}`;
  const width = picture.tip.offsetWidth;
  picture.tip.style.transform = `translate(${Math.min(Math.max(0, x - width / 2), picture.width - width)}px, ${y + 18}px)`;
}

/** Obey the pointer, the wheel and the keys. */
function listenTo(picture) {
  const pointers = new Map();
  let moved = false;
  const place = (event) => {
    const box = picture.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  picture.canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    picture.canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    moved = pointers.size > 1;
  });
  picture.canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      tell(picture, x, y);
      return;
    }
    if (!moved && Math.hypot(x - before[0], y - before[1]) < 5) return;
    moved = true;
    picture.tip.hidden = true;
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) picture.zoom(Math.abs(before[0] - other[0]) / Math.max(8, Math.abs(x - other[0])), picture.secondAt((x + other[0]) / 2));
    else picture.move((before[0] - x) / (picture.width - picture.gutter));
    pointers.set(event.pointerId, [x, y]);
  });
  const release = (event) => {
    const pressed = pointers.delete(event.pointerId);
    if (event.type !== "pointerup" || !pressed || moved) return;
    const [x, y] = place(event);
    const found = eventAt(picture, x, y);
    if (found) picture.chosen(found);
    else if (y < picture.sound && x >= picture.gutter) picture.chosen(picture.secondAt(x));
  };
  picture.canvas.addEventListener("pointerup", release);
  picture.canvas.addEventListener("pointercancel", release);
  picture.canvas.addEventListener("pointerleave", () => {
    picture.tip.hidden = true;
  });
  picture.canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return; // the page scrolls
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) picture.zoom(1.01 ** Math.max(-40, Math.min(40, event.deltaY)), picture.secondAt(place(event)[0]));
      else picture.move(event.deltaX / (picture.width - picture.gutter));
    },
    { passive: false },
  );
  const centre = (event) => {
    const box = picture.strip.getBoundingClientRect();
    const at = ((event.clientX - box.left - picture.gutter) / (box.width - picture.gutter)) * picture.seconds;
    const half = (picture.to - picture.from) / 2;
    picture.show(at - half, at + half);
  };
  picture.strip.addEventListener("pointerdown", (event) => {
    picture.strip.setPointerCapture(event.pointerId);
    centre(event);
  });
  picture.strip.addEventListener("pointermove", (event) => {
    if (event.buttons) centre(event);
  });
  const keys = {
    "+": () => picture.zoom(0.5),
    "=": () => picture.zoom(0.5),
    "-": () => picture.zoom(2),
    0: () => picture.show(0, picture.seconds),
    ArrowLeft: () => picture.move(-0.25),
    ArrowRight: () => picture.move(0.25),
    Home: () => picture.show(0, picture.to - picture.from),
    End: () => picture.show(picture.seconds - (picture.to - picture.from), picture.seconds),
  };
  picture.stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}
