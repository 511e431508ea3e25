// What is between a phone and the gateway: it carries requests, loses, delays and repeats them.

import { fated, weather } from "./radio.js";

const REPLY_MAX_MS = 10_000; // Africa's Talking waits no longer for a screen
const GIVES_UP_MS = 1_500; // a phone waits ten seconds and more for what was lost; nobody learns from that
const OVERTAKEN_MAX_MS = 6_000; // a copy that no later hop overtook comes then

/** The hop, or its answer, never came. */
export class Lost extends Error {}

/** The air around one phone.
 *
 * parts: `post(path, form)` gives `{status, body}`; `wait(ms)`; `draw()` is chance; `knobs()` says how
 * the radio is now; `note(event, details)` writes down what happened. */
export class Air {
  constructor(parts) {
    Object.assign(this, parts);
    this.fate = ""; // of the next request alone
    this.onfate = () => {};
    this._behind = []; // copies that are under way, until a later request has passed them
  }

  /** Carry a request to the gateway, and its answer back. `written`: what a log may have of it.
   * Throws `Lost`. */
  async carry(path, form, written) {
    const hit = this._weather();
    if (hit.delay_ms) {
      this.note("delayed", { ms: hit.delay_ms });
      await this.wait(hit.delay_ms);
    }
    if (hit.lost === "request") return this._lose("request_lost", written);
    const passed = this._behind.splice(0);
    const answering = this._ask(path, form, written, "sent");
    // The phone says nothing before it has its answer: what comes double or late on USSD are copies
    // that the network made, and nobody waits for what is answered to them.
    if (hit.twice) this._copy(path, form, written, "sent_twice");
    if (hit.overtaken) this._fallBehind(path, form, written);
    const answer = await answering.finally(() => passed.forEach((arrive) => arrive()));
    if (hit.lost === "answer") return this._lose("answer_lost", "");
    return answer;
  }

  /** What the network itself tells the gateway: no radio is between them. */
  async tell(path, form, written) {
    await this._ask(path, form, written, "told").catch(() => {});
  }

  _weather() {
    if (!this.fate) return weather(this.knobs(), this.draw);
    const hit = fated(this.fate);
    this.fate = "";
    this.onfate();
    return hit;
  }

  async _lose(event, written) {
    this.note(event, { written });
    await this.wait(GIVES_UP_MS);
    throw new Lost(event);
  }

  _fallBehind(path, form, written) {
    let arrived = false;
    const arrive = () => {
      if (!arrived) this._copy(path, form, written, "sent_late");
      arrived = true;
    };
    this._behind.push(arrive);
    this.wait(OVERTAKEN_MAX_MS).then(arrive);
  }

  _copy(path, form, written, event) {
    this._ask(path, form, written, event).catch(() => {});
  }

  async _ask(path, form, written, event) {
    this.note(event, { written });
    const began = performance.now();
    try {
      const answer = await within(REPLY_MAX_MS, this.post(path, form), this.wait);
      this.note("answered", { status: answer.status, body: answer.body, ms: Math.round(performance.now() - began) });
      return answer;
    } catch {
      this.note("unanswered", {});
      throw new Lost("unanswered");
    }
  }
}

function within(ms, answering, wait) {
  const late = wait(ms).then(() => { throw new Lost("late"); });
  late.catch(() => {});
  return Promise.race([answering, late]);
}
