// A USSD session, as the network keeps it for the gateway: Africa's Talking's dialect.

import { masked } from "./secrets.js";

const NETWORK = "99999"; // Africa's Talking's own sandbox

/** What was dialled behind the service's code: `2*987000002*50` of `*775*2*987000002*50#`, nothing of
 * `*775#`; null where it calls somebody else. */
export function behind(dialled, code) {
  const stem = code.slice(0, -1);
  if (dialled === code) return "";
  if (!dialled.startsWith(`${stem}*`) || !dialled.endsWith("#")) return null;
  return dialled.slice(stem.length + 1, -1);
}

/** A reply as the network reads it: what to show, and whether the session is over. Null: no screen. */
export function screenOf(body) {
  const found = /^(CON|END)(?: ([^]*))?$/.exec(body);
  return found && { text: found[2] ?? "", ends: found[1] === "END" };
}

/** One session. `id`: its name; `typed`: what stood behind the code of the dial. */
export class Call {
  constructor(id, msisdn, code, typed = "") {
    Object.assign(this, { id, msisdn, code, hops: 0 });
    this._typed = typed ? [typed] : [];
    this._written = typed ? [masked(typed)] : [];
  }

  /** The member answers a screen. */
  answer(keys, screen) {
    this._typed.push(keys);
    this._written.push(masked(keys, screen));
  }

  /** The form of a hop: this dialect sends all that was typed so far, joined by `*`. */
  hop() {
    this.hops += 1;
    return { ...this._caller(), text: this._typed.join("*") };
  }

  /** The text of the hop, as a log may have it. */
  get written() {
    return this._written.join("*");
  }

  /** The form of the event at the end. What was typed and shown could stand in it too: the gateway
   * does not read that, so it is not told. */
  end(status, ms) {
    return { ...this._caller(), status, hopsCount: String(this.hops), durationInMillis: String(ms) };
  }

  _caller() {
    return { sessionId: this.id, serviceCode: this.code, phoneNumber: this.msisdn, networkCode: NETWORK };
  }
}
