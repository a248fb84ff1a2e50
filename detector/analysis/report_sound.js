// The sound of the recording: an event is played with a little of what is around it; a bar says what is heard.

const AROUND = 0.5; // seconds before and after an event

class Player {
  /** `told`: called with what is heard now (an event or null) and the second, whenever that changes. */
  constructor(audio, told) {
    this.audio = audio;
    this.told = told;
    this.event = null;
    this.until = null;
    this.bar = document.createElement("div");
    this.bar.className = "player";
    this.bar.setAttribute("role", "region");
    this.bar.setAttribute("aria-label", "Player");
    this.bar.hidden = true;
    this.toggle = this.button("play", "Play", () => (audio.paused ? this.resume() : audio.pause()));
    this.name = document.createElement("b");
    this.time = document.createElement("span");
    const close = this.button("close", "Close the player", () => {
      audio.pause();
      this.bar.hidden = true;
      this.told(null, null);
    });
    this.bar.append(this.toggle, this.name, this.time, close);
    document.body.append(this.bar);
    audio.addEventListener("play", () => this.follow());
    audio.addEventListener("pause", () => this.show());
    audio.addEventListener("timeupdate", () => this.stopInTime());
  }

  button(kind, words, pressed) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = kind;
    button.setAttribute("aria-label", words);
    button.addEventListener("click", pressed);
    return button;
  }

  /** Play an event, or stop it where it is the one that plays. */
  playEvent(event) {
    if (event === this.event && !this.audio.paused) {
      this.audio.pause();
      return;
    }
    this.play(Math.max(0, event.on - AROUND), event.off + AROUND, event);
  }

  /** Play from a second on, to the end. */
  playFrom(second) {
    this.play(second, null, null);
  }

  play(from, until, event) {
    this.begin = from;
    this.until = until;
    this.event = event;
    this.bar.hidden = false;
    this.audio.currentTime = from;
    this.start();
  }

  resume() {
    if (this.until !== null && this.audio.currentTime >= this.until - 0.05) this.audio.currentTime = this.begin;
    this.start();
  }

  start() {
    this.audio.play().catch(() => this.show()); // what is wrong is told by the audio's error
  }

  follow() {
    this.show();
    this.stopInTime();
    if (!this.audio.paused) requestAnimationFrame(() => this.follow());
  }

  stopInTime() {
    if (this.until !== null && !this.audio.paused && this.audio.currentTime >= this.until) this.audio.pause();
  }

  show() {
    const playing = !this.audio.paused;
    this.toggle.classList.toggle("on", playing);
    this.toggle.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.name.textContent = this.event ? this.event.label : "Recording";
    this.time.textContent = positionText(this.audio.currentTime, true);
    this.told(playing ? this.event : null, this.bar.hidden ? null : this.audio.currentTime);
  }
}
