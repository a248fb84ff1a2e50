// Says whether the daemon listens.

const line = document.getElementById("daemon");
const answer = await fetch("/healthz");
if (line) {
  line.textContent = answer.ok ? "The daemon is listening." : "No daemon is running.";
}
