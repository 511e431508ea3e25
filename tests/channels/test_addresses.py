"""Whose address a request comes from: the lies first."""

from __future__ import annotations

import pytest

from gateway.channels.addresses import blurred, read_address, read_networks, sender

PROXIES = read_networks(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "from_"),
    [
        # Somebody reaches our port directly, and says who they would like to be.
        ("203.0.113.7", "52.48.80.1", "203.0.113.7"),
        ("203.0.113.7", "52.48.80.1, 10.0.0.1", "203.0.113.7"),
        ("::ffff:203.0.113.7", "52.48.80.1", "203.0.113.7"),
        # They write a list of their own, and our proxy adds whom it heard.
        ("10.0.0.1", "52.48.80.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "52.48.80.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "52.48.80.1,10.0.0.9,10.0.0.9,203.0.113.7,10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", ",".join(["52.48.80.1"] * 5_000) + ",203.0.113.7", "203.0.113.7"),
        # What our proxy wrote cannot be read: then nobody is believed, least of all those before.
        ("10.0.0.1", "52.48.80.1, unknown", None),
        ("10.0.0.1", "52.48.80.1, ", None),
        ("10.0.0.1", "52.48.80.1,,10.0.0.2", None),
        ("10.0.0.1", "52.48.80.1, fe80::1%eth0", None),
        ("10.0.0.1", "52.48.80.1, 010.0.0.1", None),
        ("10.0.0.1", "52.48.80.1:http", None),
        ("10.0.0.1", "[52.48.80.1]:80", None),
        ("10.0.0.1", ",".join(["10.0.0.2"] * 40), None),
        ("", "52.48.80.1", None),
        ("unix:", "52.48.80.1", None),
        # As it should be.
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "52.48.80.1", "52.48.80.1"),
        ("fd00::1", "2001:db8::5, fd00::2", "2001:db8::5"),
        ("::ffff:10.0.0.1", "::ffff:52.48.80.1", "52.48.80.1"),
        ("10.0.0.1", "52.48.80.1:61234", "52.48.80.1"),
        ("10.0.0.1", "[2001:db8::5]:443", "2001:db8::5"),
        ("10.0.0.1", "[2001:db8::5]", "2001:db8::5"),
    ],
)
def test_who_sent_a_request(peer: str, forwarded: str, from_: str | None) -> None:
    """The right-most that no proxy of ours has written is who our proxy has seen."""
    found = sender(peer, forwarded, PROXIES)

    assert (str(found) if found else None) == from_


def test_without_proxies_the_header_is_never_read() -> None:
    assert str(sender("203.0.113.7", "52.48.80.1", ())) == "203.0.113.7"


@pytest.mark.parametrize("text", ["10.0.0.1/8", "::ffff:10.0.0.0/104", "10.0.0.0/33", "all", ""])
def test_a_network_that_no_address_would_be_in_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_networks([text])


def test_what_is_logged_of_an_address_is_its_network() -> None:
    assert blurred(read_address("52.48.80.77")) == "52.48.80.0/24"
    assert blurred(read_address("2001:db8:1:2::3")) == "2001:db8:1::/48"
    assert blurred(None) == "unreadable"
