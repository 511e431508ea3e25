"""What may be wrong between an order and a Fineract: faults for `planted.py`."""

from __future__ import annotations

from tests.simulation.fault import Fault

_ADAPTER = "gateway/ledger/fineract/adapter.py"
_TURNS = "gateway/instructions/sql/instructions-0008-turns.sql"

OVER_FINERACT = (
    Fault(
        "a lost answer of Fineract is a no",
        _ADAPTER,
        "            return Unknown()\n        return reply, judged(reply)\n",
        '            return Refused("not_allowed")\n        return reply, judged(reply)\n',
        "a server that does not answer has done nothing",
        "fineract",
    ),
    Fault(
        "a fresh key for every try at Fineract",
        _ADAPTER,
        "self._sent(prepared.command, body, attempt_key(order.key, attempt))",
        "self._sent(prepared.command, body, attempt_key(uuid.uuid4(), attempt))",
        "a key that was used answers 425",
        "fineract",
    ),
    Fault(
        "a key in use is a refusal",
        "gateway/ledger/fineract/errors.py",
        "        return Verdict(Meaning.UNCERTAIN, IN_USE)",
        "        return _NOT_ALLOWED",
        "425 is an error of the client's",
        "fineract",
    ),
    Fault(
        "200 without the money is a success",
        "gateway/ledger/fineract/errors.py",
        '    if body.get("rollbackTransaction") is True:\n',
        "    if False:\n",
        "200 is 200",
        "fineract",
    ),
    Fault(
        "half of an answer is a no",
        "gateway/ledger/fineract/errors.py",
        '    return Verdict(Meaning.UNCERTAIN, f"HTTP {reply.status}")\n',
        "    return _NOT_ALLOWED\n",
        "a proxy's page says that nobody took it",
        "fineract",
    ),
    Fault(
        "an order is not looked for at Fineract",
        _ADAPTER,
        "        row = self._found(order, account.id) if account else None\n"
        "        if row is None:\n            return None\n",
        "        return None\n        row = None\n",
        "the key is enough",
        "fineract",
    ),
    Fault(
        "what was attempted expires too",
        _TURNS,
        "select i.state = 'accepted' and i.in_flight = 0 and i.accepted_at <= p_expired_before;",
        "select i.state in ('accepted', 'unknown') and i.accepted_at <= p_expired_before;",
        "half an hour is half an hour",
        "fineract",
    ),
    Fault(
        "two orders of an account at once",
        _TURNS,
        "and (o.source in (i.source, i.target) or o.target in (i.source, i.target))",
        "and false",
        "every order has its own key",
        "fineract",
    ),
    Fault(
        "a later order of an account overtakes",
        _TURNS,
        "                    or (o.turn < i.turn and not coalesce(o.awaits_approval, false))\n",
        "                    or false\n",
        "whoever is ready goes first",
        "fineract",
    ),
    Fault(
        "funds on their way are free",
        "gateway/instructions/sql/instructions-0002-life.sql",
        "greatest(0, p_available_centimos - coalesce(sum(s.taken_centimos), 0))",
        "greatest(0, p_available_centimos - 0 * coalesce(sum(s.taken_centimos), 0))",
        "the core knows what it has",
        "fineract",
    ),
    Fault(
        "a hop waits for as long as the core takes",
        "gateway/instructions/asking.py",
        "            task.within(self._asking.left_ms())\n",
        "            task.within(None)\n",
        "the answer is worth waiting for",
        "fineract",
    ),
)
