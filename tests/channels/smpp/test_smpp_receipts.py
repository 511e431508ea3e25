"""Receipts, the odd ones first."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Message, Tlv
from gateway.channels.smpp.receipts import IdForm, Receipt, canonical, is_receipt, parse
from gateway.values.delivery import DeliveryState

ROSA, CODE = Address("51987000001", 1, 1), Address("775", 0, 1)
USUAL = (
    "id:0A1B2C sub:001 dlvrd:001 submit date:2610011200 done date:2610011201 "
    "stat:DELIVRD err:000 text:Tu saldo"
)
MINUTE = dt.timedelta(minutes=1)
ODD = {
    "": Receipt("", ""),
    "texto de un socio": Receipt("", ""),
    "stat:DELIVRD": Receipt("", "DELIVRD"),
    "id:77": Receipt("77", ""),
    "err:01B stat:UNDELIV id:77": Receipt("77", "UNDELIV", "01B"),
    "ID:77 STAT:undeliv ERR:1": Receipt("77", "UNDELIV", "1"),
    "id:77 stat:DELIVRD text:id:88 stat:UNDELIV err:9": Receipt("77", "DELIVRD"),
    "id:77 stat:DELIVRD Text:id:88 stat:UNDELIV": Receipt("77", "DELIVRD"),
    "id: 77 stat: EXPIRED": Receipt("77", "EXPIRED"),
    "id:00000000-0000-abcd stat:BUZON": Receipt("00000000-0000-abcd", "BUZON"),
    "id:77 submit date:2613011200 done date:2610011201 stat:DELIVRD": Receipt("77", "DELIVRD"),
    "id:77 submit date:2610011201 done date:2610011200 stat:DELIVRD": Receipt("77", "DELIVRD"),
    "id:77 submit date:261001120 done date:2610011201 stat:DELIVRD": Receipt("77", "DELIVRD"),
    USUAL: Receipt("0A1B2C", "DELIVRD", "000", MINUTE),
    "id:7 submit date:261001120000 done date:261001120100 stat:DELIVRD": Receipt(
        "7", "DELIVRD", "", MINUTE
    ),
    "id:7 submit date:20261001120000 done date:20261001120100 stat:DELIVRD": Receipt(
        "7", "DELIVRD", "", MINUTE
    ),
    "id:7 submit date:2610011200 done date:20261001120100 stat:DELIVRD": Receipt(
        "7", "DELIVRD", "", MINUTE
    ),
}
STATES = {
    "ENROUTE": DeliveryState.SENT,
    "ACCEPTD": DeliveryState.SENT,
    "UNKNOWN": DeliveryState.SENT,
    "DELIVRD": DeliveryState.DELIVERED,
    "EXPIRED": DeliveryState.FAILED,
    "DELETED": DeliveryState.FAILED,
    "UNDELIV": DeliveryState.FAILED,
    "REJECTD": DeliveryState.FAILED,
    "BUZON": None,
}
BY_NUMBER = {1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 8: "REJECTD"}
IDS = [
    # The answer's form and text, the receipt's, and whether they are one message's.
    (IdForm.HEX, "0A1B2C", IdForm.DECIMAL, "662316", True),
    (IdForm.HEX, "a1b2c", IdForm.DECIMAL, "0000662316", True),
    (IdForm.DECIMAL, "662316", IdForm.HEX, "0A1B2C", True),
    (IdForm.TEXT, "0a1b2c", IdForm.TEXT, "A1B2C", True),
    (IdForm.TEXT, "000123", IdForm.TEXT, "123", True),
    (IdForm.TEXT, "f81d-4fae", IdForm.TEXT, "F81D-4FAE", True),
    (IdForm.TEXT, "0", IdForm.TEXT, "0", True),
    (IdForm.HEX, "f81d-4fae", IdForm.DECIMAL, "f81d-4fae", True),  # the dialect is wrong there
    (IdForm.TEXT, "10", IdForm.TEXT, "16", False),
    (IdForm.HEX, "10", IdForm.DECIMAL, "10", False),
]


def receipt(text: str, *tlvs: Tlv, esm_class: int = 0x04) -> Message:
    """A deliver_sm that is a receipt."""
    return Message(ROSA, CODE, text.encode("latin-1"), tlvs, esm_class=esm_class)


@pytest.mark.parametrize("text", ODD)
def test_a_receipts_text_is_read_as_far_as_it_can_be(text: str) -> None:
    assert parse(receipt(text)) == ODD[text]


@pytest.mark.parametrize("stat", STATES)
def test_a_state_by_its_name(stat: str) -> None:
    assert parse(receipt(f"id:1 stat:{stat}")).state is STATES[stat]


@pytest.mark.parametrize("number", BY_NUMBER)
def test_a_state_by_its_number(number: int) -> None:
    state = Tlv(codec.MESSAGE_STATE, bytes((number,)))
    assert parse(receipt("id:1 stat:ENROUTE", state)).stat == BY_NUMBER[number]


def test_parameters_are_believed_before_the_text() -> None:
    told = parse(
        receipt(
            USUAL,
            Tlv(codec.RECEIPTED_MESSAGE_ID, b"77\0"),
            Tlv(codec.MESSAGE_STATE, b"\x05"),
            Tlv(codec.NETWORK_ERROR_CODE, b"\x03\x00\x1b"),
        )
    )
    assert (told.message_id, told.stat, told.error) == ("77", "UNDELIV", "27")
    assert told.reason == "UNDELIV 27"


def test_why_it_failed() -> None:
    assert parse(receipt("id:1 stat:UNDELIV err:000")).reason == "UNDELIV"
    assert parse(receipt("id:1 stat:UNDELIV err:01B")).reason == "UNDELIV 01B"
    assert parse(receipt("id:1 stat:DELIVRD err:01B")).reason == ""


def test_a_text_may_be_in_the_payload() -> None:
    assert parse(receipt("", Tlv(codec.MESSAGE_PAYLOAD, b"id:1 stat:DELIVRD"))).stat == "DELIVRD"


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "is_one"),
    [
        (0x04, (), True),
        (0x44, (), True),
        (0x20, (), True),
        (0x00, (), False),
        (0x40, (), False),
        (0x08, (), False),
        (0x00, (Tlv(codec.RECEIPTED_MESSAGE_ID, b"1"),), False),
        (
            0x00,
            (Tlv(codec.RECEIPTED_MESSAGE_ID, b"1"), Tlv(codec.MESSAGE_STATE, b"\x02")),
            True,
        ),
    ],
)
def test_what_is_a_receipt(esm_class: int, tlvs: tuple[Tlv, ...], is_one: bool) -> None:
    assert is_receipt(receipt("id:1", *tlvs, esm_class=esm_class)) is is_one


@pytest.mark.parametrize(("answer_form", "answer", "receipt_form", "told", "same"), IDS)
def test_an_id_in_hex_and_in_decimal_is_one(
    answer_form: IdForm, answer: str, receipt_form: IdForm, told: str, same: bool
) -> None:
    assert (canonical(answer, answer_form) == canonical(told, receipt_form)) is same


@settings(deadline=None)
@given(
    st.binary(max_size=254),
    st.lists(st.builds(Tlv, st.sampled_from([0x1E, 0x427, 0x423]), st.binary(max_size=5))),
)
def test_anything_is_read(text: bytes, tlvs: list[Tlv]) -> None:
    told = parse(Message(ROSA, CODE, text, tuple(tlvs), esm_class=4))
    assert len(told.message_id) <= 64
    assert isinstance(told.reason, str)


@settings(deadline=None)
@given(st.integers(0, 2**64))
def test_every_number_in_hex_and_decimal(number: int) -> None:
    assert canonical(f"{number:X}", IdForm.HEX) == canonical(f"{number:020}", IdForm.DECIMAL)
