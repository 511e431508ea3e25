// What a feature phone can show, and what each letter costs. A phone knows its alphabet by itself,
// so it does not ask the gateway: what the gateway counts wrong is seen here.
// Source: 3GPP TS 23.038, 6.2.1 (default alphabet and its extension table).

const BASE =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION = "\f^{}\\[~]|€";

const COST = new Map([...[...BASE].map((letter) => [letter, 1]), ...[...EXTENSION].map((letter) => [letter, 2])]);

/** How many septets a text takes; null where a letter is not in the alphabet. */
export function septets(text) {
  let sum = 0;
  for (const letter of text) {
    const cost = COST.get(letter);
    if (cost === undefined) return null;
    sum += cost;
  }
  return sum;
}

/** What of a text reaches a screen that holds so many septets, and whether some of it was lost. One
 * foreign letter turns the whole text into UCS-2, sixteen bits a letter in the same octets. */
export function shown(text, room) {
  const foreign = septets(text) === null;
  const letters = [...text];
  let left = foreign ? Math.floor((room * 7) / 16) : room;
  let end = 0;
  while (end < letters.length) {
    left -= foreign ? letters[end].length : COST.get(letters[end]);
    if (left < 0) break;
    end += 1;
  }
  return { text: letters.slice(0, end).join(""), cut: end < letters.length, foreign };
}
