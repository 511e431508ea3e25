// What the page of phones computes. Run by test_logic.py, beside a copy of the page's files.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Air, Lost } from "./air.js";
import { Call, behind, screenOf } from "./call.js";
import { septets, shown } from "./gsm.js";
import { ASKING, Handset, IDLE, OVER } from "./handset.js";
import { CLEAR, FATES, chance, fated, weather } from "./radio.js";
import { masked } from "./secrets.js";
import { WORDS, say, speak } from "./words.js";

const SERVICE = { short_code: "*775#", secret: "demo", screen_septets_hard: 182 };
const ROSA = "+51987000001";

test("what is dialled behind the code", () => {
  for (const [dialled, then] of [
    ["", null], ["775", null], ["*775", null], ["*7755#", null], ["*100#", null], ["*775*2", null],
    ["*775#", ""], ["*775*2#", "2"], ["*775*2*987000002*50#", "2*987000002*50"],
  ]) assert.equal(behind(dialled, "*775#"), then, dialled);
});

test("a reply is a screen, or none", () => {
  for (const body of ["", "CONfused", "con x", "404 Not Found\n", "HOLD x"]) assert.equal(screenOf(body), null);
  assert.deepEqual(screenOf("CON Hola\n1. Saldo"), { text: "Hola\n1. Saldo", ends: false });
  assert.deepEqual(screenOf("END "), { text: "", ends: true });
});

test("every hop brings all that was typed so far", () => {
  const call = new Call("s1", ROSA, "*775#", "2");
  assert.equal(call.hop().text, "2");
  call.answer("987000002", "¿A quien?");
  call.answer("", "¿Cuanto?");
  assert.deepEqual(call.hop(), {
    sessionId: "s1", serviceCode: "*775#", phoneNumber: ROSA, networkCode: "99999", text: "2*987000002*",
  });
  assert.equal(call.end("Incomplete", 900).hopsCount, "2");
  assert.equal("text" in call.end("Incomplete", 900), false);
});

test("a PIN, a code and a DNI are masked where they are written down", () => {
  for (const [typed, screen, written] of [
    ["4826", "Marca tu PIN:\n0 Volver  00 Inicio", "••••"],
    ["48", "Marca tu PIN:\n0 Volver  00 Inicio", "••••"],
    ["40000001", "Marca tu DNI:", "••••"],
    ["4826", "1. Saldo", "••••"],
    ["2*987000002*4826", "", "2*987000002*••••"],
    ["SALDO 4826", "", "SALDO ••••"],
    ["4", "Mas\n4. Cambiar PIN", "4"],
    ["00", "Marca tu PIN:\n0 Volver  00 Inicio", "00"],
    ["987000002", "¿A quien?", "987000002"],
    ["50.50", "¿Cuanto?", "50.50"],
  ]) assert.equal(masked(typed, screen), written, `${typed} at ${screen}`);
});

test("what is masked stays masked in all that follows", () => {
  const call = new Call("s1", ROSA, "*775#");
  call.answer("4826", "Marca tu PIN:");
  call.answer("1", "1. Otra vez");
  assert.equal(call.written, "••••*1");
  assert.equal(call.hop().text, "4826*1");
});

test("letters cost what they cost on a phone", () => {
  for (const [text, cost] of [["", 0], ["Cuánto", null], ["ñ¿é", 3], ["€[]", 6], ["a\nb", 3]]) {
    assert.equal(septets(text), cost, text);
  }
});

test("the network cuts what a screen does not hold", () => {
  assert.deepEqual(shown("a".repeat(182), 182), { text: "a".repeat(182), cut: false, foreign: false });
  assert.deepEqual(shown("a".repeat(183), 182), { text: "a".repeat(182), cut: true, foreign: false });
  assert.equal(shown("€".repeat(92), 182).text.length, 91);
  const foreign = shown("ó".repeat(81), 182);
  assert.deepEqual([foreign.text.length, foreign.cut, foreign.foreign], [80, true, true]);
});

test("the same seed gives the same weather", () => {
  const knobs = { request_lost: 30, answer_lost: 30, delay_ms: 500, twice: 50, overtaken: 50 };
  const hundred = (seed, radio) => {
    const draw = chance(seed);
    return Array.from({ length: 100 }, () => weather(radio, draw));
  };
  assert.deepEqual(hundred(7, knobs), hundred(7, knobs));
  assert.notDeepEqual(hundred(7, knobs), hundred(8, knobs));
  const more = hundred(7, { ...knobs, request_lost: 0 });
  assert.deepEqual(hundred(7, knobs).map((hop) => hop.twice), more.map((hop) => hop.twice));
  assert.ok(hundred(7, CLEAR).every((hop) => !hop.lost && !hop.delay_ms && !hop.twice && !hop.overtaken));
  assert.ok(hundred(7, { ...CLEAR, request_lost: 100 }).every((hop) => hop.lost === "request"));
  const lost = hundred(7, knobs).filter((hop) => hop.lost === "request").length;
  assert.ok(lost > 15 && lost < 45, `${lost} of 100 at 30 %`);
});

test("each fate does one thing", () => {
  for (const fate of FATES) {
    const did = fated(fate);
    assert.equal([did.lost, did.delay_ms, did.twice, did.overtaken].filter(Boolean).length, 1, fate);
  }
});

/** A gateway that was asked, a radio that does what it is told, and no time. */
function air(fate = "", answers = []) {
  const asked = [];
  const noted = [];
  const made = new Air({
    post: async (path, form) => {
      asked.push([path, form.text]);
      const answer = answers.shift() ?? { status: 200, body: "CON ok" };
      if (answer instanceof Error) throw answer;
      return answer;
    },
    wait: (ms) => (ms < 10_000 ? Promise.resolve() : new Promise(() => {})),
    draw: () => 0.5,
    knobs: () => CLEAR,
    note: (event) => noted.push(event),
  });
  made.fate = fate;
  return { air: made, asked, noted };
}

test("a lost request never arrives, a lost answer was given", async () => {
  for (const [fate, arrived] of [["request_lost", 0], ["answer_lost", 1]]) {
    const { air: radio, asked, noted } = air(fate);
    await assert.rejects(radio.carry("/x", { text: "1" }, "1"), Lost);
    assert.equal(asked.length, arrived);
    assert.ok(noted.includes(fate));
    await radio.carry("/x", { text: "1" }, "1"); // and only that one
    assert.equal(asked.length, arrived + 1);
  }
});

test("a late request arrives, late", async () => {
  const { air: radio, asked, noted } = air("late");
  const waited = [];
  const { wait } = radio;
  radio.wait = (ms) => {
    waited.push([ms, asked.length]);
    return wait(ms);
  };
  await radio.carry("/x", { text: "1" }, "1");
  assert.deepEqual([waited[0], asked.length, noted[0]], [[4_000, 0], 1, "delayed"]);
});

test("a gateway that is away is a loss", async () => {
  const { air: radio } = air("", [new TypeError("fetch failed")]);
  await assert.rejects(radio.carry("/x", { text: "1" }, "1"), Lost);
});

test("a copy comes at once, or after the next request", async () => {
  const twice = air("twice");
  await twice.air.carry("/x", { text: "1" }, "1");
  assert.deepEqual(twice.asked, [["/x", "1"], ["/x", "1"]]);

  const late = air("overtaken");
  late.air.wait = () => new Promise(() => {});
  await late.air.carry("/x", { text: "1" }, "1");
  await late.air.carry("/x", { text: "1*2" }, "1*2");
  await late.air.carry("/x", { text: "1*2*3" }, "1*2*3");
  assert.deepEqual(late.asked.map(([, text]) => text), ["1", "1*2", "1", "1*2*3"]);
});

function handset(answers, fate = "") {
  const { air: radio, asked } = air(fate, answers);
  const timers = new Map();
  let inbox = [];
  const phone = new Handset({
    msisdn: ROSA, service: SERVICE, air: radio, now: () => 0,
    inbox: async () => inbox,
    later: (ms, act) => {
      timers.set(ms, act);
      return () => timers.delete(ms);
    },
    patience: () => ({ idle_s: 20, total_s: 120 }),
  });
  return { phone, asked, timers, receive: (...more) => { inbox = [...inbox, ...more]; } };
}

test("a phone dials, answers and is told the end", async () => {
  const { phone, asked, timers } = handset([
    { status: 200, body: "CON 1. Saldo" }, { status: 200, body: "END Listo" },
  ]);
  await phone.send("*775#");
  assert.deepEqual([phone.phase, phone.screen.text], [ASKING, "1. Saldo"]);
  await phone.send("1");
  assert.deepEqual([phone.phase, phone.screen.text], [OVER, "Listo"]);
  assert.deepEqual(asked.map(([path]) => path.split("/").at(-1)), ["demo", "demo", "events"]);
  assert.equal(timers.size, 0);
  phone.end();
  assert.deepEqual([phone.phase, asked.length], [IDLE, 3]);
});

test("what is no screen, and no answer, ends the call", async () => {
  for (const [answers, fate, word] of [
    [[{ status: 404, body: "404 Not Found" }], "", "no_screen"],
    [[{ status: 200, body: "hello" }], "", "no_screen"],
    [[], "request_lost", "no_signal"],
    [[], "answer_lost", "no_signal"],
  ]) {
    const { phone, asked } = handset(answers, fate);
    await phone.send("*775#");
    assert.deepEqual([phone.phase, phone.screen.word], [OVER, word]);
    assert.ok(asked.at(-1)[0].endsWith("/events"));
  }
});

test("the network hangs up, on silence and after all its patience", async () => {
  for (const ms of [20_000, 120_000]) {
    const { phone, timers } = handset([{ status: 200, body: "CON 1. Saldo" }]);
    await phone.send("*775#");
    timers.get(ms)();
    assert.equal(phone.screen.word, "timed_out");
    assert.equal(timers.size, 0);
  }
});

test("who hung up sees no late answer", async () => {
  const { phone } = handset([{ status: 200, body: "CON 1. Saldo" }]);
  const dialling = phone.send("*775#");
  phone.end();
  await dialling;
  assert.deepEqual([phone.phase, phone.screen], [IDLE, null]);
});

test("a message that lay there is no news, the next one is", async () => {
  const { phone, receive } = handset([]);
  const rang = [];
  phone.rang = (sms) => rang.push(sms.text);
  receive({ at: "1", from: "X", text: "old" });
  await phone.look();
  receive({ at: "2", from: "X", text: "new" });
  await phone.look();
  await phone.look();
  assert.deepEqual(rang, ["new"]);
  assert.equal(phone.unread, 1);
  assert.deepEqual(phone.messages.map((sms) => sms.text), ["new", "old"]);
});

test("both languages say the same things, with the same blanks", () => {
  const blanks = (words) => Object.fromEntries(
    Object.entries(words).map(([key, text]) => [key, (text.match(/\{\w+\}/g) ?? []).sort()]),
  );
  assert.deepEqual(blanks(WORDS.es), blanks(WORDS.en));
  assert.equal(speak("qu"), "es");
  assert.equal(say("septets", { used: 3, room: 160 }), "3 de 160 letras");
});
