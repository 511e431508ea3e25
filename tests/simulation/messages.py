"""The network that carries SMS to the members, and the fake that stands in for the PIN's hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from gateway.notices.senders import Delivery, Sent, Sms, TryLater
from gateway.values.pin import Pin
from tests.simulation.history import Tell
from tests.simulation.screens import read
from tests.simulation.world import World

_DELIVERY_MS = (800, 3_000, 20_000, 120_000)


class SimSender:
    """Takes messages, or does not, or does and its yes is lost."""

    world: World
    hear: dict[str, Callable[[str], None]]

    def enter(self, world: World, hear: dict[str, Callable[[str], None]]) -> None:
        """A run begins. `hear` are the members' phones by number."""
        self.world, self.hear = world, hear

    def send(self, sms: Sms) -> Delivery:
        world = self.world
        tell = world.about()
        assert isinstance(tell, Tell)
        world.step("before the SMS network")
        if world.happens(world.weather.sms_refused):
            world.note("sms refused", tell.member)
            return TryLater("simulated: come later")
        tell.yes += 1
        world.note("sms", tell.member, sms.text)
        if world.leaks(sms.text):
            world.history.leaks.append(f"in an SMS about {tell.fact}")
        keys = (tell.key,) if tell.key else ()
        told = world.tells(
            tell.member, read(sms.text), keys, "sms", (), (), tell.became, tell.began
        )
        for one in told:
            one.seen = True
        delay_ms = world.chance.choice(_DELIVERY_MS)
        world.station.at(delay_ms, lambda: self.hear[sms.to.e164](sms.text))
        world.step("after the SMS network")
        if world.happens(world.weather.sms_unsaid):
            world.note("sms unsaid", tell.member)
            tell.hurt = True
            raise ConnectionError("simulated: the network's yes was lost")
        return Sent(f"simulated-{tell.notice}")


class FakeHasher:
    """Costs nothing, and still keeps the PIN to itself."""

    def hash(self, member_ref: str, pin: Pin) -> tuple[str, int]:
        return hashlib.blake2b(member_ref.encode() + pin.reveal(), digest_size=16).hexdigest(), 1

    def verify(self, member_ref: str, pin: Pin, hashed: str, pepper_version: int) -> bool:
        return pepper_version == 1 and self.hash(member_ref, pin)[0] == hashed

    def outdated(self, member_ref: str, hashed: str, pepper_version: int) -> bool:
        return False
