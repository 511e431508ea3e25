"""What is held of people, what for, for how long, and what an erasure leaves of it: one table of
kinds, and the duty that forgets what is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from gateway import bounds
from gateway.db.pool import Database

_BOOKS = f"{bounds.BOOKS_YEARS} years"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data.

    Args:
        tables: where it is.
        parts: how an export calls it; empty where it is of no person.
        purpose: what it is for.
        kept: for how long.
        erased: what an erasure does with it.
        forget: the function that forgets what is too old: takes a moment and a number of rows, and
            answers 0 or null when nothing is left; empty where it stays, or another duty does it.
        days: how old that is.
    """

    name: str
    tables: tuple[str, ...]
    parts: tuple[str, ...]
    purpose: str
    kept: str
    erased: str
    forget: str = ""
    days: int = 0


KINDS = (
    Kind(
        "binding",
        ("bank.member",),
        ("binding",),
        "to know whose phone it is, how to greet its owner and in which language",
        "while they are a member",
        "deleted",
    ),
    Kind(
        "PIN",
        ("bank.pin_credential",),
        ("pin",),
        "to verify who gives an order",
        "while they are a member",
        "deleted",
    ),
    Kind(
        "PIN attempts",
        ("bank.pin_attempt",),
        ("pin_attempts",),
        "to count guesses, and to look into them",
        f"{bounds.PIN_ATTEMPT_DAYS} days",
        "deleted",
        "bank.forget_pin_attempts",
        bounds.PIN_ATTEMPT_DAYS,
    ),
    Kind(
        "activation codes",
        ("bank.activation_code", "bank.code_attempt", "bank.pin_pending"),
        ("codes",),
        "to let a member choose a PIN from their own phone; hashes, and only while they are good",
        f"{bounds.CODE_DAYS} days after they ran out",
        "deleted",
        "bank.forget_codes",
        bounds.CODE_DAYS,
    ),
    Kind(
        "what staff asked for",
        ("bank.staff_request",),
        ("requests",),
        "to prove that two of staff agreed",
        _BOOKS,
        "stays under the reference, its details emptied",
    ),
    Kind(
        "claims",
        ("bank.claim",),
        ("claims",),
        "to ask back what was sent to the wrong person",
        _BOOKS,
        "stay under the reference",
    ),
    Kind(
        "calls",
        ("bank.call",),
        ("calls",),
        "to call a member back, and to know what they were doing",
        f"{bounds.CALL_DAYS} days after they were called",
        "deleted",
        "bank.forget_calls",
        bounds.CALL_DAYS,
    ),
    Kind(
        "SIM answers",
        ("sim.answer",),
        ("sim",),
        "to notice a SIM that was changed lately",
        f"{bounds.SIM_ANSWER_DAYS} days",
        "deleted",
        "sim.forget_old",
        bounds.SIM_ANSWER_DAYS,
    ),
    Kind(
        "consents",
        ("bank.consent",),
        ("consents",),
        "to prove what was agreed to: the text's digest, not the text",
        _BOOKS,
        "stay under the reference",
    ),
    Kind(
        "freezes and cautions",
        ("bank.freeze", "instructions.caution"),
        ("freezes", "cautions"),
        "to keep a thief out, and to prove when",
        _BOOKS,
        "stay under the reference, without the session",
    ),
    Kind(
        "orders",
        ("instructions.instruction", "instructions.usage", "instructions.limit_rule"),
        ("orders", "limits_used"),
        "to move money once, within the limits, and to prove it",
        _BOOKS,
        "stay under the reference; see their origins",
    ),
    Kind(
        "origins of orders",
        ("instructions.instruction", "instructions.origins_forgotten"),
        (),
        "to tell the outcome to the session that asked for it, and to settle a dispute",
        f"{bounds.ORIGIN_DAYS} days",
        "phone and session are emptied",
        "instructions.forget_origins",
        bounds.ORIGIN_DAYS,
    ),
    Kind(
        "notices",
        ("notices.outbox", "notices.requeues", "notices.day_done"),
        ("notices",),
        "to tell a member what happened with their money",
        "details as CHASKI_NOTICE_DETAIL_DAYS says, of what could not be sent "
        f"{bounds.GIVEN_UP_DAYS} days",
        "details are emptied, and what waits is not sent",
        "notices.forget_given_up",
        bounds.GIVEN_UP_DAYS,
    ),
    Kind(
        "last known accounts",
        ("core.known",),
        ("last_known",),
        "to tell a balance, with its time, while the core does not answer",
        f"{bounds.KNOWN_DAYS} days after they were last seen",
        "deleted",
        "core.forget_known",
        bounds.KNOWN_DAYS,
    ),
    Kind(
        "deliveries",
        ("notices.submissions",),
        ("deliveries",),
        "to check a provider's bill and its reports",
        f"{bounds.SUBMISSION_DAYS} days",
        "stay: a provider's number of a message, no text and no phone",
        "notices.forget_submissions",
        bounds.SUBMISSION_DAYS,
    ),
    Kind(
        "opt-outs",
        ("notices.opt_outs",),
        ("opt_outs",),
        "to send nothing to who wants nothing",
        "while they are a member",
        "deleted",
    ),
    Kind(
        "texts that came in",
        ("notices.text",),
        ("texts",),
        "to answer each once; what was said is never kept",
        f"{bounds.TEXT_REPEATED_S // 86_400} days",
        "deleted",
    ),
    Kind(
        "simulated inboxes",
        ("notices.simulated_sms",),
        ("simulated",),
        "to show a demo's SMS",
        f"{bounds.SIMULATED_DAYS} days",
        "deleted",
        "notices.forget_simulated",
        bounds.SIMULATED_DAYS,
    ),
    Kind(
        "persons",
        ("ledger.member",),
        ("person",),
        "to know the members, as the law asks of a cooperative; the core's own",
        f"while they hold or owe anything, then {_BOOKS} or until erased",
        "name, DNI and birthday are emptied once nothing is held or owed",
    ),
    Kind(
        "books",
        (
            *("ledger.account", "ledger.balance", "ledger.decision", "ledger.transfer"),
            *("ledger.hold", "ledger.hold_resolution", "ledger.pending_hold"),
            *("ledger.loan", "ledger.instalment", "ledger.allocation"),
        ),
        ("accounts", "postings", "instalments"),
        "the cooperative's books",
        _BOOKS,
        "stay under the reference",
    ),
    Kind(
        "evidence",
        ("audit.entry", "audit.seal", "audit.part"),
        ("deeds",),
        "to prove who did what",
        _BOOKS,
        "stays under the reference: no name, phone or DNI is in it",
    ),
    Kind(
        "the house's own",
        (
            *("instructions.uit", "instructions.legal_ceiling"),
            *("ledger.itf_rate", "ledger.loan_product", "ledger.late_rate"),
            *("library.book", "library.page", "library.publication"),
        ),
        (),
        "rates, products and menus: of no person",
        "always",
        "nothing to erase",
    ),
    Kind(
        "short memory",
        (),
        (),
        "sessions and drafts in Redis, under a keyed hash of the phone",
        "minutes (CHASKI_SESSION_TOTAL_S, CHASKI_DRAFT_S)",
        "runs out by itself",
    ),
)


class Retention:
    """Forgets what is too old, in small steps: whatever interrupts it, the next run goes on."""

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def run(self) -> int:
        """Forget what is due; answers in how many steps."""
        return sum(self._apply(kind) for kind in KINDS if kind.forget)

    def _apply(self, kind: Kind) -> int:
        before = self._now() - dt.timedelta(days=kind.days)
        steps = 0
        # The function's name is ours, out of the table above.
        forget = f"select {kind.forget}(%s, %s) as did"
        while steps < bounds.RETAIN_STEPS_MAX:
            if not self._database.row(forget, (before, bounds.RETAIN_ROWS))["did"]:
                break
            steps += 1
        return steps
