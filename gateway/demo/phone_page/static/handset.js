// A feature phone without a face: its calls, its screen and its messages. Whoever draws it is told
// by `changed()`, and by `rang(sms)` when an SMS came in.

import { Lost } from "./air.js";
import { Call, behind, screenOf } from "./call.js";
import { shown } from "./gsm.js";
import { masked } from "./secrets.js";

/** What a phone is doing. */
export const IDLE = "idle"; // nothing is on the screen
export const WAITING = "waiting"; // for a screen
export const ASKING = "asking"; // a screen wants an answer
export const OVER = "over"; // the last screen, or what the phone itself has to say

/** A fresh name for a session or a message. Not `randomUUID`: without https a browser has none. */
export function freshName() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `phone-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** parts: `msisdn`; `service`, what demo.json says; `air`; `inbox()` gives the messages, oldest first;
 * `later(ms, act)` gives what cancels it; `now()` in ms; `patience()` gives `{idle_s, total_s}`, 0 for
 * a network that never hangs up. */
export class Handset {
  constructor(parts) {
    Object.assign(this, parts);
    this.phase = IDLE;
    this.screen = null; // {text, cut, foreign} of the gateway, or {word} of the phone itself
    this.messages = [];
    this.changed = () => {};
    this.rang = () => {};
    this._call = null;
    this._known = null; // the messages that were seen before
    this._cancel = { idle: () => {}, total: () => {} };
  }

  /** The green key. */
  async send(typed) {
    if (this.phase === WAITING) return;
    if (this.phase === ASKING) {
      this._call.answer(typed, this.screen.text);
      await this._hop(this._call);
    } else await this._dial(typed);
  }

  /** The red key: hangs up, or clears the screen. */
  end() {
    if (this._call) this._close("Incomplete");
    this._show(IDLE, null);
  }

  /** Send an SMS to the service. False: it was lost. */
  async text(said) {
    const { short_code: code, secret } = this.service;
    const to = code.replace(/[*#]/g, "");
    const date = new Date(this.now()).toISOString();
    const form = { id: freshName(), from: this.msisdn, to, text: said, date };
    try {
      const { status } = await this.air.carry(`/sms/africastalking/${secret}`, form, masked(said));
      return status === 200;
    } catch (error) {
      if (error instanceof Lost) return false;
      throw error;
    }
  }

  /** Look into the inbox. What lay there at the first look is no news. */
  async look() {
    const received = await this.inbox();
    const first = this._known === null;
    this._known ??= new Set();
    for (const sms of received.filter((each) => !this._known.has(nameOf(each)))) {
      this._known.add(nameOf(sms));
      this.messages.unshift({ ...sms, read: first });
      if (!first) this.rang(sms);
    }
  }

  /** How many messages nobody opened yet. */
  get unread() {
    return this.messages.filter((sms) => !sms.read).length;
  }

  async _dial(typed) {
    const then = behind(typed, this.service.short_code);
    if (then === null) {
      this._show(OVER, { word: "not_a_code" });
      return;
    }
    this._call = new Call(freshName(), this.msisdn, this.service.short_code, then);
    this._began = this.now();
    this._time("total", this.patience().total_s);
    await this._hop(this._call);
  }

  async _hop(call) {
    this._cancel.idle();
    this._show(WAITING, this.screen);
    const form = call.hop();
    const heard = await this._heard(`/ussd/africastalking/${this.service.secret}`, form, call.written);
    if (call !== this._call) return; // it was hung up meanwhile
    if (heard.word) {
      this._close(heard.status);
      this._show(OVER, { word: heard.word });
      return;
    }
    if (heard.ends) this._close("Success");
    else this._time("idle", this.patience().idle_s);
    this._show(heard.ends ? OVER : ASKING, shown(heard.text, this.service.screen_septets_hard));
  }

  /** The gateway's screen, or what the phone says where there is none. */
  async _heard(path, form, written) {
    try {
      const { status, body } = await this.air.carry(path, form, written);
      return (status === 200 && screenOf(body)) || { word: "no_screen", status: "Failed" };
    } catch (error) {
      if (error instanceof Lost) return { word: "no_signal", status: "Incomplete" };
      throw error;
    }
  }

  /** The network lets go of the session, and says so. */
  _close(status) {
    const call = this._call;
    this._call = null;
    Object.values(this._cancel).forEach((cancel) => cancel());
    const path = `/ussd/africastalking/${this.service.secret}/events`;
    this.air.tell(path, call.end(status, Math.round(this.now() - this._began)), status);
  }

  _time(which, seconds) {
    this._cancel[which]();
    if (!seconds) return;
    this._cancel[which] = this.later(seconds * 1000, () => {
      this._close("Incomplete");
      this._show(OVER, { word: "timed_out" });
    });
  }

  _show(phase, screen) {
    this.phase = phase;
    this.screen = screen;
    this.changed();
  }
}

function nameOf(sms) {
  return `${sms.at} ${sms.text}`;
}
