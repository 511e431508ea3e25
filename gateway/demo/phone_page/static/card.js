// One phone on the page: its keys, its screen, its messages, its radio and what happened on the air.

import { Air } from "./air.js";
import { septets } from "./gsm.js";
import { ASKING, Handset, OVER, WAITING } from "./handset.js";
import { Inbox } from "./inbox.js";
import { Knobs } from "./knobs.js";
import { AirLog } from "./log.js";
import { FATES, chance } from "./radio.js";
import { say, sayAll } from "./words.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const LETTERS = { 2: "abc", 3: "def", 4: "ghi", 5: "jkl", 6: "mno", 7: "pqrs", 8: "tuv", 9: "wxyz" };
const SPOKEN = { "*": "star", "#": "hash" };
const SMS_LOOK_MS = 1_500; // an SMS is seen within two seconds; the real one takes longer

/** parts: `person`; `service`; `gateway`, which posts and reads inboxes; `radio()`, that of all
 * phones; `patience()`; `removed(card)`. */
export class Card {
  constructor(parts) {
    Object.assign(this, parts);
    this.root = document.querySelector("#card").content.cloneNode(true).firstElementChild;
    this._knobs = new Knobs(this._part(".radio .knobs"));
    this._log = new AirLog(this._part(".log"));
    this.handset = this._handset();
    this._inbox = new Inbox(this._part(".inbox"), this.handset, () => this._draw());
    this._drawKeys();
    this._listen();
    this.reseed(1);
    this.relabel();
    this._lookAgain();
  }

  /** Take the radio's chance anew from a seed; each phone has its own share of it. */
  reseed(seed) {
    this._draws = chance(seed * 31 + Number(this.person.msisdn.slice(-6)));
  }

  /** Say everything in the page's language. */
  relabel() {
    const { name } = this.person;
    sayAll(this.root);
    this.root.setAttribute("aria-label", say("phone_of", { name }));
    this._part("h2").textContent = name;
    const pin = this.person.pin ? say("demo_pin", { pin: this.person.pin }) : say("no_pin");
    const known = this.person.called ? ` · ${pin}` : "";
    this._part(".who").textContent = `${this.person.msisdn}${known}`;
    this._part(".remove").setAttribute("aria-label", say("remove", { name }));
    this._part(".code").textContent = this.service.short_code;
    this._part(".to").textContent = say("write", { to: this.service.short_code.replace(/[*#]/g, "") });
    for (const key of this.root.querySelectorAll(".key")) {
      const spoken = SPOKEN[key.dataset.key];
      if (spoken) key.setAttribute("aria-label", say(spoken));
    }
    this._relabelFates();
    this._knobs.relabel();
    this._log.relabel();
    this._draw();
  }

  /** Take it from the table. */
  remove() {
    clearTimeout(this._looking);
    this._looking = null;
    this.handset.end();
    this.root.remove();
  }

  _part(where) {
    return this.root.querySelector(where);
  }

  _handset() {
    const { msisdn } = this.person;
    const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });
    const air = new Air({
      wait,
      post: this.gateway.post,
      draw: () => this._draws(),
      knobs: () => (this._part(".own").checked ? this._knobs.radio : this.radio()),
      note: (event, details) => this._log.note(event, details),
    });
    air.onfate = () => { this._part(".fate").value = ""; };
    const later = (ms, act) => {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    };
    const handset = new Handset({
      msisdn, air, later, service: this.service, patience: this.patience,
      inbox: () => this.gateway.inbox(msisdn), now: () => performance.timeOrigin + performance.now(),
    });
    handset.changed = () => this._draw();
    handset.rang = (sms) => this._ring(sms);
    return handset;
  }

  _drawKeys() {
    const keys = KEYS.map((digit) => {
      const key = document.createElement("button");
      Object.assign(key, { type: "button", className: "key", textContent: digit, tabIndex: -1 });
      key.dataset.key = digit; // typed on a keyboard they need no stop of their own
      if (LETTERS[digit]) {
        const letters = document.createElement("small");
        letters.textContent = LETTERS[digit];
        letters.setAttribute("aria-hidden", "true");
        key.append(letters);
      }
      return key;
    });
    this._part(".keys").append(...keys);
  }

  _listen() {
    const phone = this._part(".handset");
    phone.addEventListener("submit", (event) => {
      event.preventDefault();
      this._send();
    });
    phone.addEventListener("keydown", (event) => this._pressed(event));
    this._part(".keys").addEventListener("click", (event) => {
      const key = event.target.closest(".key");
      if (key) this._type(key.dataset.key);
    });
    this._part(".code").addEventListener("click", () => {
      this._part(".typed").value = this.service.short_code;
      this._part(".typed").focus();
    });
    this._part(".end").addEventListener("click", () => this._end());
    this._part(".remove").addEventListener("click", () => this.removed(this));
    this._part(".fate").addEventListener("change", (event) => { this.handset.air.fate = event.target.value; });
    this._part(".own").addEventListener("change", (event) => {
      this._part(".radio .knobs").hidden = !event.target.checked;
    });
    this._part(".write").addEventListener("submit", (event) => {
      event.preventDefault();
      this._write();
    });
  }

  /** Anywhere on the phone the keyboard's keys are the phone's. Enter on a button presses that. */
  _pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const typed = this._part(".typed");
    if (event.key === "Escape") this._end();
    else if (event.target === typed) return;
    else if (/^[0-9*#]$/.test(event.key)) this._type(event.key);
    else if (event.key === "Enter" && !event.target.closest("button")) this._send();
    else if (event.key === "Backspace") typed.value = typed.value.slice(0, -1);
    else return;
    event.preventDefault();
  }

  _type(digit) {
    const typed = this._part(".typed");
    if (!typed.readOnly && typed.value.length < typed.maxLength) typed.value += digit;
  }

  _send() {
    const typed = this._part(".typed");
    if (this.handset.phase === WAITING) return;
    const keys = typed.value.trim();
    typed.value = "";
    this.handset.send(keys);
  }

  _end() {
    this._part(".typed").value = "";
    this.handset.end();
    this._part(".typed").focus();
  }

  async _write() {
    const said = this._part(".said");
    const text = said.value.trim();
    if (!text) return;
    said.value = "";
    this._part(".sent").textContent = say("running");
    const taken = await this.handset.text(text);
    this._part(".sent").textContent = say(taken ? "sms_sent" : "sms_lost");
  }

  _ring(sms) {
    this._part(".rang").textContent = say("rang", { name: this.person.name, from: sms.from });
  }

  async _lookAgain() {
    if (!document.hidden) await this.handset.look().then(() => this._draw(), () => {});
    if (this._looking !== null) this._looking = setTimeout(() => this._lookAgain(), SMS_LOOK_MS);
  }

  _relabelFates() {
    const select = this._part(".fate");
    const chosen = select.value;
    const none = new Option(say("fate_none"), "");
    select.replaceChildren(none, ...FATES.map((fate) => new Option(say(fate), fate)));
    select.value = chosen;
  }

  _draw() {
    const { phase, screen } = this.handset;
    const code = this.service.short_code;
    const waits = phase === WAITING;
    const idle = screen ? "" : say("ready", { code });
    const words = screen?.word ? say(screen.word, { code }) : screen?.text ?? idle;
    this._words(waits ? say("running") : words);
    this._part(".lcd").classList.toggle("waits", waits);
    this._part(".typed").readOnly = waits;
    this._part(".call").textContent = say(phase === ASKING ? "answer" : "call");
    this._part(".count").textContent = waits || !screen?.text ? "" : this._counted(screen);
    this._part(".count").classList.toggle("over", Boolean(screen?.cut || screen?.foreign));
    this._drawEnvelope();
    this.root.classList.toggle("over", phase === OVER);
    this._inbox?.draw();
  }

  /** Only where they are others: a screen reader says them again each time. */
  _words(words) {
    const screen = this._part(".screen");
    if (screen.textContent === words) return;
    screen.textContent = words;
    screen.scrollTop = 0;
  }

  _counted(screen) {
    const room = this.service.screen_septets;
    if (screen.cut) return say("cut", { room: this.service.screen_septets_hard });
    if (screen.foreign) return say("foreign");
    const used = septets(screen.text);
    return say(used > room ? "septets_over" : "septets", { used, room });
  }

  _drawEnvelope() {
    const envelope = this._part(".envelope");
    envelope.hidden = this.handset.unread === 0;
    envelope.textContent = `✉ ${this.handset.unread}`;
  }
}
