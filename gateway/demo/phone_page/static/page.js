// The page: which phones lie on the table, the radio of all of them, and the language. What is set
// stands in the address, so that a trainer can hand out a link.

import { Card } from "./card.js";
import { Knobs } from "./knobs.js";
import { say, sayAll, speak } from "./words.js";

const PHONES_MAX = 6; // each looks into its inbox; more nobody follows
const PHONES_FIRST = 2; // one sends, one receives
const MOBILE = /^\+?[1-9]\d{7,14}$/;

const part = (where) => document.querySelector(where);

const gateway = {
  async post(path, form) {
    const response = await fetch(path, { method: "POST", body: new URLSearchParams(form) });
    return { status: response.status, body: await response.text() };
  },
  async inbox(msisdn) {
    const response = await fetch(`/simulator/inbox/${encodeURIComponent(msisdn)}`);
    return response.ok ? response.json() : [];
  },
};

class Page {
  constructor(service) {
    this.service = service;
    this.cards = [];
    this.address = new URL(location.href);
    this.knobs = new Knobs(part("#radio .knobs"));
    this._listen();
    const asked = this._asked();
    this._speak(this.address.searchParams.get("lang") ?? "es");
    for (const msisdn of asked) this.put(this._person(msisdn));
  }

  /** One more phone on the table. */
  put(person) {
    const card = new Card({
      person, gateway, service: this.service,
      radio: () => this.knobs.radio,
      patience: () => this._patience(),
      removed: (gone) => this._remove(gone),
    });
    card.reseed(this._seed());
    this.cards.push(card);
    part("#phones").append(card.root);
    this._remember();
    return card;
  }

  _asked() {
    const asked = this.address.searchParams.get("phones");
    if (!asked) return this.service.people.slice(0, PHONES_FIRST).map(({ msisdn }) => msisdn);
    const numbers = asked.split(",").map(e164).filter(Boolean);
    return [...new Set(numbers)].slice(0, PHONES_MAX);
  }

  _person(msisdn) {
    return this.service.people.find((each) => each.msisdn === msisdn) ?? { msisdn, name: msisdn };
  }

  _remove(card) {
    card.remove();
    this.cards = this.cards.filter((each) => each !== card);
    this._remember();
    (this.cards.at(-1)?.root.querySelector(".typed") ?? part("#phones")).focus();
  }

  _remember() {
    this.address.searchParams.set("phones", this.cards.map((card) => card.person.msisdn).join(","));
    history.replaceState(null, "", this.address);
    const there = new Set(this.cards.map((card) => card.person.msisdn));
    const options = this.service.people
      .filter(({ msisdn }) => !there.has(msisdn))
      .map(({ name, msisdn }) => new Option(`${name} ${msisdn}`, msisdn));
    part("#add select").replaceChildren(...options, new Option(say("other_number"), ""));
  }

  _speak(wanted) {
    this.language = speak(wanted);
    document.documentElement.lang = this.language;
    document.title = say("title");
    this.address.searchParams.set("lang", this.language);
    sayAll(document, { code: this.service.short_code });
    part("#language").lang = this.language === "es" ? "en" : "es";
    this._offerPatience();
    this.knobs.relabel();
    for (const card of this.cards) card.relabel();
    this._remember();
  }

  _listen() {
    part("#language").addEventListener("click", () => this._speak(this.language === "es" ? "en" : "es"));
    part("#radio .clear").addEventListener("click", () => this.knobs.clear());
    part("#radio [name=seed]").addEventListener("change", () => {
      for (const card of this.cards) card.reseed(this._seed());
    });
    part("#add").addEventListener("submit", (event) => {
      event.preventDefault();
      this._add(event.target.elements);
    });
  }

  _add({ member, number }) {
    const msisdn = e164(number.value) ?? (number.value ? null : member.value || null);
    const said = part("#add .said");
    said.textContent = "";
    if (!msisdn) said.textContent = say("not_a_number");
    else if (this.cards.length >= PHONES_MAX) said.textContent = say("too_many");
    else {
      const there = this.cards.find((card) => card.person.msisdn === msisdn);
      const card = there ?? this.put(this._person(msisdn));
      number.value = "";
      card.root.querySelector(".typed").focus();
    }
  }

  _seed() {
    return part("#radio [name=seed]").valueAsNumber || 0;
  }

  _patience() {
    const { idle_s, total_s } = this.service;
    return part("#radio [name=patience]").value ? { idle_s: 0, total_s: 0 } : { idle_s, total_s };
  }

  _offerPatience() {
    const select = part("#radio [name=patience]");
    const chosen = select.value;
    const { idle_s: idle, total_s: total } = this.service;
    select.replaceChildren(new Option(say("patience_usual", { idle, total }), ""), new Option(say("patience_none"), "none"));
    select.value = chosen;
  }
}

/** A number as the network writes it, `+51987000001`; a Peruvian one may lack the country. */
function e164(typed) {
  const digits = typed.replace(/[\s()-]/g, "");
  if (/^9\d{8}$/.test(digits)) return `+51${digits}`;
  return MOBILE.test(digits) ? `+${digits.replace("+", "")}` : null;
}

try {
  const known = await fetch("/phone/demo.json");
  new Page(await known.json());
} catch (error) {
  part("#trouble").textContent = say("no_service");
  part("#trouble").hidden = false;
  throw error;
}
