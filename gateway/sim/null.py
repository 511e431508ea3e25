"""No operator tells us: a cooperative without a contract."""

from __future__ import annotations

from gateway.sim.port import Answer, Unknown
from gateway.values.msisdn import Msisdn


class NullSimSwap:
    """Knows nothing, of anybody."""

    def changed_since(self, msisdn: Msisdn, hours: int) -> Answer:
        """See `SimSwap.changed_since`."""
        return Unknown("no_contract")
