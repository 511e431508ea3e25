"""What the house supplies by itself: the sentences that it says, the facts that it tells."""

from __future__ import annotations

from collections.abc import Mapping

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
    # What the bank, or the network, came to.
    **{name: {} for name in ("refused", "unavailable", "pending", "out_of_order", "unsure")},
    **{name: {} for name in ("restart", "busy", "still_working")},
    # What answers an SMS.
    "prepared": {"what": "sentence", "code": "short_code"},
    "prepared_partly": {"problem": "sentence", "what": "sentence", "code": "short_code"},
    "no_such_order": {"code": "short_code"},
    "never_send_pin": {"code": "short_code"},
}
BY_SMS = ("prepared", "prepared_partly", "no_such_order", "never_send_pin")
ABOVE_HOME = ("was_posted", "was_refused", "was_again", "was_pending")
ABOVE_CONFIRM = ("wrong_pin", "never_dial_pin")
TO_ANY_ANSWER = ("empty", "too_long", "not_an_option")

# Codes that any operation may come to: a journey may have words of its own for them.
ANYWHERE = frozenset({"unavailable", "no_pin", "closed", "refused"})

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
    "order_refused": {"amount": "money", "day": "date"},
    "left_unfinished": {"what": "sentence", "code": "short_code", "day": "date"},
}

# What a member's network or aggregator takes for itself, whatever a menu says. Twilio's and AWS's
# lists; the Spanish ones are what people here write, and Chaski must obey them.
STOP_WORDS = frozenset(
    {
        *("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "OPT-OUT", "CANCEL"),
        *("START", "YES", "UNSTOP", "HELP", "INFO", "ARRET", "REMOVE", "TD"),
        *("ALTO", "BAJA", "PARAR", "SALIR", "CANCELAR", "AYUDA", "SI", "NO"),
    }
)
