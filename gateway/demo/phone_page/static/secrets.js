// What is written down of what somebody typed: never a PIN, a code or a DNI.

const MASK = "••••";
// A PIN has four to six digits, a code and a DNI eight. An amount of four digits looks the same, and
// is masked too: better one figure too few in a log.
const LIKE_A_SECRET = /(?<!\d)\d{4,8}(?!\d)/g;
const ASKS_FOR_ONE = /\bPIN\b|\bDNI\b|c[oó]digo|\bcode\b/i;
const OPTION = /^\d+\. /m;
const MOVES = new Set(["0", "00", "9"]);

/** What was typed, as a log may have it. `screen`: what it answers; a menu may speak of a PIN too. */
export function masked(typed, screen = "") {
  const asked = ASKS_FOR_ONE.test(screen) && !OPTION.test(screen);
  if (asked && !MOVES.has(typed)) return MASK;
  return typed.replace(LIKE_A_SECRET, MASK);
}
