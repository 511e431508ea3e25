"""Whose address a request comes from, when proxies stand between.

A request's own word is worth nothing: whoever sends it may write any `X-Forwarded-For`. Each proxy
adds at the right of it whom it heard, so it is read from there, as long as who wrote is a proxy of
ours. Counting proxies instead, as is usual, would believe whoever reaches our port directly.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from gateway.bounds import FORWARDED_ENTRIES_MAX

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]


def read_networks(texts: Iterable[str]) -> Networks:
    """Networks as an operator writes them: `52.48.80.0/24`, `2001:db8::/32`, or one address.

    Raises:
        ValueError: one is none, or has bits behind its length, or is IPv4 written as IPv6: no
            address would ever be in it.
    """
    networks = tuple(ip_network(text.strip()) for text in texts)
    for network in networks:
        if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped:
            raise ValueError(f"{network}: write it as IPv4")
    return networks


def sender(peer: str, forwarded: str, proxies: Networks) -> Address | None:
    """Who sent a request. None where that cannot be told: then it is on nobody's list.

    Args:
        peer: the address that is connected to us.
        forwarded: all of `X-Forwarded-For`, several of them joined by commas.
        proxies: ours. Where all who are named are proxies, the first one of them is who sent it.
    """
    at = read_address(peer)
    if not forwarded.strip():
        return at
    # What is left unsplit at the left is no address.
    for entry in reversed(forwarded.rsplit(",", FORWARDED_ENTRIES_MAX)):
        if at is None or not within(at, proxies):
            return at
        at = read_address(entry)
    return at


def within(address: Address, networks: Networks) -> bool:
    """Whether one of the networks has this address."""
    return any(address in network for network in networks)


def read_address(text: str) -> Address | None:
    """An address as proxies write it: with a port or without, IPv6 in brackets or bare. IPv4 in
    IPv6's clothes is IPv4. None for anything else, `unknown` and names too."""
    try:
        address = ip_address(_without_port(text.strip()))
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    # A scope (`%eth0`) is another machine's own matter: it says nothing here.
    return None if address.scope_id else address.ipv4_mapped or address


def _without_port(text: str) -> str:
    if text.startswith("["):
        inside, bracket, port = text[1:].partition("]")
        whole = bracket and (not port or _is_port(port))
        return inside if whole and ":" in inside else ""
    address, colon, port = text.partition(":")
    if colon and ":" not in port:
        return address if _is_port(f":{port}") else ""
    return text


def _is_port(text: str) -> bool:
    digits = text[1:]
    return text[:1] == ":" and digits.isascii() and digits.isdigit() and len(digits) <= 5


def blurred(address: Address | None) -> str:
    """An address for the log: the network that it is in, which is enough to know the provider."""
    if address is None:
        return "unreadable"
    length = 24 if isinstance(address, IPv4Address) else 48
    return str(ip_network((address, length), strict=False))
