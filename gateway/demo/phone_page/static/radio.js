// What a bad radio does to one hop. Drawn from a seed: the same seed gives the same weather again.

export const LATE_MS = 4_000; // the one late hop that was asked for: long enough to wonder

/** A radio on which nothing happens. Shares in percent, the delay in milliseconds at most. */
export const CLEAR = Object.freeze({ request_lost: 0, answer_lost: 0, delay_ms: 0, twice: 0, overtaken: 0 });

/** What may be asked of the next hop alone. */
export const FATES = Object.freeze(["request_lost", "answer_lost", "late", "twice", "overtaken"]);

/** Chance that comes again with its seed: numbers from 0 up to 1 (mulberry32). */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What happens to the next hop. Five draws whatever the knobs say, so that turning one of them does
 * not change what the others do. */
export function weather(knobs, draw) {
  const [request, answer, delay, twice, overtaken] = Array.from({ length: 5 }, draw);
  const happens = (drawn, percent) => drawn * 100 < percent;
  const lost = happens(request, knobs.request_lost)
    ? "request"
    : happens(answer, knobs.answer_lost) ? "answer" : null;
  return {
    lost,
    delay_ms: Math.round(delay * knobs.delay_ms),
    twice: happens(twice, knobs.twice),
    overtaken: happens(overtaken, knobs.overtaken),
  };
}

/** The weather of a hop whose fate was asked for. */
export function fated(fate) {
  return {
    lost: { request_lost: "request", answer_lost: "answer" }[fate] ?? null,
    delay_ms: fate === "late" ? LATE_MS : 0,
    twice: fate === "twice",
    overtaken: fate === "overtaken",
  };
}
