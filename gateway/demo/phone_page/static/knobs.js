// The knobs of a radio, as sliders.

import { CLEAR } from "./radio.js";
import { say, sayAll } from "./words.js";

/** Sliders below `home`, which read as a radio. */
export class Knobs {
  constructor(home) {
    this._home = home;
    home.append(document.querySelector("#knobs").content.cloneNode(true));
    home.addEventListener("input", () => this._tell());
    this.relabel();
  }

  /** The radio as it is set. */
  get radio() {
    const set = this._sliders().map((slider) => [slider.name, slider.valueAsNumber]);
    return { ...CLEAR, ...Object.fromEntries(set) };
  }

  /** Nothing happens on it any more. */
  clear() {
    for (const slider of this._sliders()) slider.valueAsNumber = CLEAR[slider.name];
    this._tell();
  }

  /** Say it in the page's language. */
  relabel() {
    sayAll(this._home);
    this._tell();
  }

  _sliders() {
    return [...this._home.querySelectorAll("input[type=range]")];
  }

  _tell() {
    for (const slider of this._sliders()) {
      const value = say(slider.name === "delay_ms" ? "ms" : "percent", { value: slider.value });
      slider.nextElementSibling.textContent = value;
      slider.setAttribute("aria-valuetext", value);
    }
  }
}
