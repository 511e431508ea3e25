"""What the house supplies by itself: the sentences that it says, the facts that it tells."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.dialog.keywords import Command

# The sentences of `words:` that the machine and the conversation say, with what they may name.
# Those that a kind of slot needs (`misread`, `none`, the refusals of `resolve`) come beside.
KEYS = ("foot", "foot_home", "more")
LABELS = ("yes", "go_on", "to_home")
SENTENCES: Mapping[str, Mapping[str, str]] = {
    **{name: {} for name in (*KEYS, *LABELS)},
    # A dial, and what was left before it.
    **{name: {} for name in ("bye", "stranger", "not_enrolled", "never_dial_pin", "unfinished")},
    "was_posted": {"what": "sentence", "reference": "reference", "tax": "money"},
    "was_refused": {"what": "sentence"},
    "was_again": {"what": "sentence"},
    "was_pending": {"what": "sentence"},
    # Answers.
    **{name: {} for name in ("empty", "too_long", "not_an_option", "only_back", "only_more")},
    "not_a_pin": {},
    "wrong_pin": {"tries_left": "number"},
    "pin_locked": {"minutes": "number"},
    **{name: {} for name in ("pin_blocked", "frozen", "look_only")},
    # A secret that is typed, and a new PIN.
    "not_a_dni": {},
    "pin_length": {"least": "number", "most": "number"},
    **{name: {} for name in ("pin_in_a_row", "pin_repeats", "pin_usual")},
    **{name: {} for name in ("pin_like_a_date", "pin_of_yours")},
    # What the bank, or the network, came to.
    **{name: {} for name in ("refused", "closed", "unavailable", "pending")},
    **{name: {} for name in ("out_of_order", "unsure", "restart", "busy", "still_working")},
    # What answers an SMS.
    "prepared": {"what": "sentence", "code": "short_code"},
    "prepared_read": {"what": "sentence", "code": "short_code"},
    "prepared_partly": {"problem": "sentence", "what": "sentence", "code": "short_code"},
    "no_such_order": {"code": "short_code"},
    "never_send_pin": {"code": "short_code"},
    "sms_choose": {"word": "text", "options": "text"},
    "did_you_mean": {"word": "text", "code": "short_code"},
    **{name: {"code": "short_code"} for name in ("sms_help", "sms_off", "sms_on", "sms_blocked")},
}
BY_SMS = (
    *("prepared", "prepared_read", "prepared_partly", "no_such_order", "never_send_pin"),
    *("did_you_mean", "sms_choose", "sms_help", "sms_off", "sms_on", "sms_blocked"),
)
ABOVE_HOME = ("was_posted", "was_refused", "was_again", "was_pending")
ABOVE_CONFIRM = ("wrong_pin", "never_dial_pin")
TO_ANY_ANSWER = ("empty", "too_long", "not_an_option")
# What a new PIN, or a DNI, may be answered with: the same question stands below it.
TO_A_SECRET = (
    *("not_a_dni", "not_a_pin", "wrong_pin", "never_dial_pin", "pin_length", "pin_in_a_row"),
    *("pin_repeats", "pin_usual", "pin_like_a_date", "pin_of_yours"),
)

# Codes that any operation may come to: a journey may have words of its own for them.
ANYWHERE = frozenset({"unavailable", "no_pin", "closed", "refused", "look_only"})

# The facts that SMS tell, with what is known of each. The party may have left the register since:
# then its name is empty, but it is there.
FACTS: Mapping[str, Mapping[str, str]] = {
    "transfer_sent": {
        "amount": "money",
        "tax": "money",
        "reference": "reference",
        "party": "person",
        "day": "date",
    },
    "transfer_received": {
        "amount": "money",
        "tax": "money",
        "reference": "reference",
        "party": "person",
        "day": "date",
    },
    "transfer_own": {"amount": "money", "reference": "reference", "day": "date"},
    "loan_paid": {
        "amount": "money",
        "reference": "reference",
        "owed": "money?",
        "day": "date",
    },
    "order_refused": {
        # Of an order that was under way: what a core refuses, or nobody carried it out in time.
        "code": "insufficient_funds|no_such_account|same_account|over_payoff|payoff_changed"
        "|nothing_owed|not_allowed|expired|closed",
        "amount": "money",
        "day": "date",
    },
    "pin_activated": {"day": "date"},
    "pin_changed": {"day": "date"},
    "instalment_due": {
        "name": "product",
        "amount": "money",
        "due_on": "date",
        "late": "flag",
        "today": "flag",
        "code": "short_code",
        "day": "date",
    },
    **{
        name: {
            "amount": "money",
            "name": "product",
            "done_on": "date",
            "reference": "reference",
            "day": "date",
        }
        for name in ("core_credit", "core_debit", "core_loan")
    },
    "sim_changed": {"day": "date"},
    "claim_opened": {"number": "reference", "amount": "money", "day": "date"},
    "order_reversed": {
        "amount": "money",
        "original": "reference",
        "reference": "reference",
        "day": "date",
    },
    "transfer_taken_back": {
        "amount": "money",
        "reference": "reference",
        "party": "person",
        "day": "date",
    },
    "left_unfinished": {"what": "sentence", "code": "short_code", "day": "date"},
}

# What a text may not begin a journey with: a member's network or aggregator takes it for itself
# (Twilio's and AWS's lists), or Chaski obeys it whatever a menu says.
STOP_WORDS = frozenset(
    {
        *("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "OPT-OUT", "CANCEL"),
        *("START", "YES", "UNSTOP", "HELP", "INFO", "ARRET", "REMOVE", "TD"),
        *("SALIR", "CANCELAR", "SI", "NO"),
        *(word for command in Command for word in command.value),
    }
)
