"""What is sent when something happened."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from gateway.bank.consents import Consents
from gateway.bank.register import Members
from gateway.notices.outbox import Fact
from gateway.notices.senders import Never, Sms
from gateway.receipts import Receipts
from tests.cooperative import Cooperative
from tests.people import FLOR, ROSA, SEGUNDO

# Still Sunday in Lima.
NIGHT = dt.datetime(2026, 11, 23, 3, 0, tzinfo=dt.UTC)
SENT = {"amount_centimos": 50_00, "tax_centimos": 0, "reference": "100001"}


@pytest.fixture
def receipts(cooperative: Cooperative) -> Receipts:
    """The composer of the demo cooperative."""
    zone = ZoneInfo("America/Lima")
    return Receipts(
        cooperative.gateway.library.books,
        Members(cooperative.database),
        zone,
        cooperative.clock.now,
        ordered_since=lambda member_ref, at: False,
        wanted=Consents(cooperative.database).given,
    )


@pytest.mark.parametrize(
    "fact",
    [
        Fact("transfer_sent", "nobody", SENT, NIGHT),
        Fact("unheard_of", ROSA.ref, SENT, NIGHT),
    ],
)
def test_what_cannot_be_told_says_why(receipts: Receipts, fact: Fact) -> None:
    """It ends among the dead, where a person sees it."""
    assert isinstance(receipts.compose(fact), Never)


def test_a_receipt_is_in_the_members_language_and_names_the_other_shortly(
    receipts: Receipts,
) -> None:
    """The date is that of the cooperative's own day."""
    spanish = receipts.compose(
        Fact("transfer_received", ROSA.ref, {**SENT, "party_ref": SEGUNDO.ref}, NIGHT)
    )
    english = receipts.compose(
        Fact("transfer_received", FLOR.ref, {**SENT, "party_ref": SEGUNDO.ref}, NIGHT)
    )

    assert isinstance(spanish, Sms)
    assert spanish.to.e164 == ROSA.msisdn
    assert spanish.text == "Recibiste S/ 50.00 de Segundo C. el 22 nov, op. 100001"
    assert isinstance(english, Sms)
    assert english.text == "You received S/ 50.00 from Segundo C. on 22 Nov, op. 100001"


def test_a_receipt_says_no_balance(receipts: Receipts) -> None:
    """It was not asked for, and a message lies open on a shared phone."""
    sms = receipts.compose(
        Fact("transfer_sent", ROSA.ref, {**SENT, "party_ref": SEGUNDO.ref}, NIGHT)
    )

    assert isinstance(sms, Sms)
    assert sms.text.count("S/") == 1
