// The messages of one phone. One that was not opened yet has a mark.

import { say } from "./words.js";

/** Draws a handset's messages into `home`; `changed()` when one was opened. */
export class Inbox {
  constructor(home, handset, changed) {
    Object.assign(this, { _home: home, _handset: handset, _changed: changed });
    this.draw();
  }

  /** As they are now. The messages that stand there stay, so that nobody loses their place. */
  draw() {
    const list = this._home.querySelector("ul");
    const drawn = this._handset.messages.map((sms) => this._drawn(sms));
    if (drawn.some((item, at) => item !== list.children[at]) || drawn.length !== list.children.length) {
      const focused = document.activeElement;
      list.replaceChildren(...(drawn.length ? drawn : [nothing()]));
      if (list.contains(focused)) focused.focus();
    }
    const count = this._handset.unread;
    const unread = count === 1 ? say("unread_one") : say("unread_many", { count });
    this._home.querySelector(".unread").textContent = count ? unread : "";
  }

  _drawn(sms) {
    sms.item ??= this._item(sms);
    sms.item.querySelector(".new").textContent = sms.read ? "" : say("new_mark");
    return sms.item;
  }

  _item(sms) {
    const item = document.createElement("li");
    const open = element("button", "sms");
    open.type = "button";
    open.setAttribute("aria-expanded", "false");
    open.append(element("span", "new"), element("b", "", sms.from), " ", element("time", "", clock(sms.at)));
    const text = element("p", "text", sms.text);
    text.hidden = true;
    open.addEventListener("click", () => {
      text.hidden = !text.hidden;
      open.setAttribute("aria-expanded", String(!text.hidden));
      sms.read = true;
      this._changed();
    });
    item.append(open, text);
    return item;
  }
}

function nothing() {
  return element("li", "none", say("no_messages"));
}

function clock(at) {
  const when = new Date(at);
  const pad = (number) => String(number).padStart(2, "0");
  return `${pad(when.getDate())}/${pad(when.getMonth() + 1)} ${pad(when.getHours())}:${pad(when.getMinutes())}`;
}

function element(name, kind, words = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.textContent = words;
  return made;
}
