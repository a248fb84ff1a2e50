// The page of one recording: its events are read from the table, drawn, filtered and played.

const rows = [...document.querySelectorAll("tbody.events tr")];
const events = rows.map((row) => ({
  row,
  label: row.cells[1].textContent,
  on: Number(row.dataset.on),
  off: Number(row.dataset.off),
  score: Number(row.cells[3].textContent),
  alarm: row.classList.contains("alarm"),
  shown: true,
}));
const audio = document.getElementById("sound");
const note = document.getElementById("sound-note");
const place = document.getElementById("picture");
const section = place.closest("section");
let picture = null;
let player = null;

/** An event was pressed in the picture, or a second of the spectrogram. */
function choose(what) {
  const isEvent = typeof what === "object";
  if (isEvent) mark(what);
  if (player && isEvent) player.playEvent(what);
  else if (player) player.playFrom(what);
  else if (isEvent) what.row.scrollIntoView({ block: "center" });
}

function mark(event) {
  document.querySelector("tr.chosen")?.classList.remove("chosen");
  event?.row.classList.add("chosen");
  if (!picture) return;
  picture.marked = event;
  picture.draw();
}

function tool(words, text, pressed) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "tool";
  button.textContent = text;
  if (words) button.setAttribute("aria-label", words);
  button.addEventListener("click", pressed);
  return button;
}

function addTools() {
  const order = document.createElement("select");
  order.setAttribute("aria-label", "Order of the rows");
  const orders = { matters: "What matters", count: "Most often", first: "As heard", name: "A to Z" };
  for (const [value, text] of Object.entries(orders)) order.append(new Option(text, value));
  order.addEventListener("change", () => {
    picture.order = order.value;
    picture.arrange();
  });
  const tools = section.querySelector(".tools");
  if (events.length) tools.append(order);
  tools.append(
    tool("Zoom out", "−", () => picture.zoom(2)),
    tool("Zoom in", "+", () => picture.zoom(0.5)),
    tool("Show the whole recording", "Whole", () => picture.show(0, picture.seconds)),
  );
  if (picture.rowCount > MOST_ROWS + 1) {
    const all = tool("", `Show all ${picture.rowCount} labels`, () => {
      picture.all = !picture.all;
      all.textContent = picture.all ? "Show fewer labels" : `Show all ${picture.rowCount} labels`;
      picture.arrange();
    });
    place.after(all);
    all.classList.add("more");
  }
  document.getElementById("alarm-key").hidden = !events.some((event) => event.alarm);
}

/** Each row gets a button that plays it, and its time one that shows it in the picture. */
function addRowButtons() {
  for (const event of events) {
    const at = event.row.cells[0];
    const time = at.querySelector("span");
    const show = document.createElement("button");
    show.type = "button";
    show.className = "show";
    show.title = "Show it in the picture";
    show.textContent = time.textContent;
    show.addEventListener("click", () => {
      mark(event);
      picture.showEvent(event);
      section.scrollIntoView({ block: "start" });
    });
    time.replaceWith(show);
    if (!player) continue;
    event.play = player.button("play", `Play ${event.label.slice(0, 80)} at ${time.textContent}`, () => {
      mark(event);
      player.playEvent(event);
    });
    at.prepend(event.play);
  }
}

function filterBy(wanted) {
  const words = wanted.toLowerCase();
  let count = 0;
  for (const event of events) {
    event.shown = event.label.toLowerCase().includes(words);
    event.row.hidden = !event.shown;
    count += event.shown;
  }
  document.getElementById("shown").textContent = count;
  picture.arrange();
}

function withSound() {
  let lit = null;
  player = new Player(audio, (event, second) => {
    picture.playing(second);
    if (event === lit) return;
    for (const [each, on] of [[lit, false], [event, true]]) {
      each?.play.classList.toggle("on", on);
    }
    lit = event;
  });
  note.textContent = "Press an event, or the spectrogram, to hear it. The sound comes from the recording itself: ";
  const address = document.createElement("bdi");
  address.textContent = decodedAddress();
  note.append(address);
  audio.addEventListener("error", withoutSound);
  if (audio.error) withoutSound();
}

/** The recording's address, for people. */
function decodedAddress() {
  try {
    return decodeURIComponent(audio.getAttribute("src"));
  } catch {
    return audio.getAttribute("src"); // bytes that are no text
  }
}

function withoutSound() {
  for (const event of events) event.play?.remove();
  player?.bar.remove();
  player = null;
  picture.playing(null);
  note.textContent =
    `There is no sound here: this browser cannot play ${decodedAddress()}. ` +
    "The recording was moved or deleted, or its format is one that browsers do not know.";
}

const image = document.getElementById("spectrogram");
await image.decode();
picture = new Picture(place, new Spectrogram(image), events, choose);
addTools();
if (audio) withSound();
addRowButtons();
document.getElementById("filter")?.addEventListener("input", (event) => filterBy(event.target.value));
