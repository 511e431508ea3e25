"""The storm of `scripts/chaos`, with sessions on a Redis Cluster of which primaries die."""

from __future__ import annotations

import http.client
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

from gateway.embedded import EmbeddedError
from gateway.embedded.patience import came_true
from gateway.settings import DEMO_WEBHOOK_SECRET
from tests.chaos.house import House
from tests.chaos.storm import Run
from tests.cluster.nodes import Nodes

CALLERS = 24  # strangers, over all slots: a cluster of three has each of them eight times
CALM_S = 2.0  # of ordinary dialogues before each kill
HEALED_MAX_S = 60
_WEB = {"CHASKI_WEB_WORKERS": "2"}  # on the lost node's connections each finds out for itself


class ClusterRun(Run):
    """One storm over one house. See `Run`; `kills` are of primaries alone.

    Args:
        nodes: of the sessions.
    """

    def __init__(
        self,
        nodes: Nodes,
        data: Path,
        kills: int,
        phones: int,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(data, 0, kills, phones, seed, say)
        self._nodes = nodes
        self._house = House(data, self._port, say, {**_WEB, "CHASKI_SESSIONS_URL": nodes.url})
        self.outages_s: list[float] = []

    def _rage(self) -> None:
        chance = self._chance("primaries")
        for number in range(1, self._kills + 1):
            time.sleep(CALM_S)
            victim = chance.choice(self._nodes.primaries())
            self._search_redis()
            self._record.kills["a primary"] += 1
            self._note(f"kills node {victim.number}")
            began = time.monotonic()
            self._nodes.kill(victim)
            if not came_true(self._served, HEALED_MAX_S):
                raise EmbeddedError(f"no service {HEALED_MAX_S} s after a primary died")
            self.outages_s.append(time.monotonic() - began)
            self._note("all callers are served")
            self._nodes.start(victim)
            if not came_true(lambda at=victim: at.copies() and self._nodes.serve(), HEALED_MAX_S):
                raise EmbeddedError(f"node {victim.number} does not come back as a replica")
            self._lift()
            self._say(f"{self._progress(number)}; all served after {self.outages_s[-1]:.1f} s")

    def _search_redis(self) -> None:
        super()._search_redis()
        for node in self._nodes.primaries():
            self._record.leaks += self._pins.in_redis(f"redis://127.0.0.1:{node.port}")

    def _served(self) -> bool:
        """Whether callers all over the slots get a screen that is theirs."""
        now = time.monotonic_ns()
        return all(self._dials(f"+51986{n:06d}", f"probe-{now}-{n}") for n in range(CALLERS))

    def _dials(self, msisdn: str, session: str) -> bool:
        form = {"serviceCode": "*775#", "networkCode": "99999", "text": ""}
        body = urllib.parse.urlencode({**form, "sessionId": session, "phoneNumber": msisdn})
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            path = f"/ussd/africastalking/{DEMO_WEBHOOK_SECRET}"
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, body=body, headers=kind)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._traffic.fault(f"no answer to a probe: {type(error).__name__}")
            return False
        finally:
            connection.close()
        if answer.status != 200:
            self._traffic.fault(f"HTTP {answer.status} to a probe")
        return answer.status == 200 and "Tu dinero esta seguro" not in text
