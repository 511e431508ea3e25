// What happened on the air around one phone, newest last.

import { say } from "./words.js";

const LINES_MAX = 100; // a training of an hour has as many; more nobody reads

/** A log in the list `home`. */
export class AirLog {
  constructor(home) {
    this._home = home;
    this._lines = [];
    this.relabel();
  }

  /** One more line. */
  note(event, details) {
    this._lines.push({ at: new Date(), event, details });
    this._lines.splice(0, this._lines.length - LINES_MAX);
    this.relabel();
  }

  /** Say it in the page's language. */
  relabel() {
    const lines = this._lines.map(drawn);
    this._home.replaceChildren(...(lines.length ? lines : [item("", say("log_empty"))]));
    this._home.scrollTop = this._home.scrollHeight;
  }
}

function drawn({ at, event, details }) {
  const line = item(event, say(keyOf(event, details), details));
  const time = document.createElement("time");
  time.dateTime = at.toISOString();
  time.textContent = at.toTimeString().slice(0, 8);
  line.prepend(time, " ");
  return line;
}

function keyOf(event, details) {
  if (event === "sent" && !details.written) return "log_sent_plain";
  if (event !== "answered") return `log_${event}`;
  if (details.status !== 200) return "log_answered_error";
  return details.body ? "log_answered" : "log_answered_nothing";
}

function item(kind, words) {
  const line = document.createElement("li");
  if (kind) line.className = kind;
  line.append(words);
  return line;
}
