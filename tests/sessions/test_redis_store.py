"""The short memory, in a real Valkey: who may do a hop, and what its copies get."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import redis

from gateway.bounds import (
    CALLER_HOPS_PER_MINUTE,
    CLAIM_LEASE_MS,
    GO_ON_SMS_AFTER_S,
    REPEAT_INFERRED_MS,
)
from gateway.sessions.connecting import connect_sessions
from gateway.sessions.port import (
    Closed,
    Kept,
    New,
    Next,
    Repeat,
    SessionsUnavailableError,
    UnderWay,
)
from gateway.sessions.redis_store import Lifetime, RedisSessions
from gateway.values.msisdn import Msisdn
from gateway.values.turn import Answer, Cumulative, Keystrokes, Origin, Turn

ROSA = Msisdn("+51987000001")
SEGUNDO = Msisdn("+51987000002")


ROSAS = Origin("africastalking", "norandino", "s1", ROSA)


class Store:
    """The store of a test, with a clock that stands still."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.now_ms = 1_000_000
        self.sessions = RedisSessions(
            client, "norandino", b"secret", lambda: self.now_ms, Lifetime(60, 180, 600)
        )

    def close(
        self, turn: Turn, opened: New | Next, state: bytes, reply: bytes, draft: bytes = b""
    ) -> bytes:
        """Finish a hop that was claimed."""
        return self.sessions.close(turn, opened.claim, Kept(state, draft, reply))

    def hop(self, turn: Turn, reply: bytes = b"screen") -> New | Next:
        """A hop from beginning to end."""
        opened = self.sessions.open(turn)
        assert isinstance(opened, New | Next)
        self.close(turn, opened, b"state", reply)
        return opened


@pytest.fixture(params=["one server", "a cluster"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store: whatever holds on one server holds on a cluster."""
    if request.param == "a cluster":
        url = request.getfixturevalue("cluster").url
    else:
        url = request.getfixturevalue("redis_urls")[0]
    client = connect_sessions(url)
    client.flushall()
    yield Store(client)
    client.close()


def cumulative(text: str, session: str = "s1", msisdn: Msisdn = ROSA) -> Turn:
    """A hop of a network that sends everything typed so far."""
    origin = Origin("africastalking", "norandino", session, msisdn)
    return Turn(origin, "*775#", Cumulative(Keystrokes(text)))


def last(text: str, sequence: int | None = None) -> Turn:
    """A hop of a network that sends the last answer alone."""
    origin = Origin("infobip", "norandino", "s1", ROSA)
    return Turn(origin, "*775#", Answer(Keystrokes(text), sequence))


def test_the_new_answer_is_what_follows_what_was_heard(store: Store) -> None:
    """Also where the answer itself holds a star, or is empty."""
    heard = []
    for text in ("", "1", "1*5*0", "1*5*0*", "1*5*0**"):
        opened = store.hop(cumulative(text))
        heard.append(opened.answer if isinstance(opened, Next) else opened.answers)

    assert heard == [(), "1", "5*0", "", ""]


def test_what_came_with_the_dial_is_split_at_its_stars(store: Store) -> None:
    """`*775*2*987000002*50#`."""
    opened = store.hop(cumulative("2*987000002*50"))

    assert isinstance(opened, New)
    assert opened.answers == ("2", "987000002", "50")
    following = store.hop(cumulative("2*987000002*50*4826"))
    assert isinstance(following, Next)
    assert following.answer == "4826"


def test_a_repeat_gets_the_same_bytes(store: Store) -> None:
    """However often it comes, and though time has passed."""
    store.hop(cumulative(""), b"one")
    store.hop(cumulative("1"), b"two")
    store.now_ms += 30_000

    assert store.sessions.open(cumulative("1")) == Repeat(b"two")
    assert store.sessions.open(cumulative("1")) == Repeat(b"two")


def test_a_copy_that_overlaps_waits_for_the_first(store: Store) -> None:
    """And gets its bytes when they are there."""
    first = store.sessions.open(cumulative(""))
    assert isinstance(first, New)
    assert store.sessions.open(cumulative("")) == UnderWay()

    store.close(cumulative(""), first, b"state", b"screen")

    assert store.sessions.open(cumulative("")) == Repeat(b"screen")


def test_the_next_hop_waits_for_the_one_before_it(store: Store) -> None:
    """It cannot be understood before."""
    store.sessions.open(cumulative(""))

    assert store.sessions.open(cumulative("1")) == UnderWay()


def test_of_thirty_two_copies_at_once_one_does_the_hop(store: Store) -> None:
    """The claim is atomic."""
    store.hop(cumulative(""))
    barrier = threading.Barrier(32)
    opened: list[object] = []

    def copy() -> None:
        barrier.wait()
        opened.append(store.sessions.open(cumulative("1")))

    threads = [threading.Thread(target=copy) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(isinstance(what, Next) for what in opened) == 1
    assert sum(isinstance(what, UnderWay) for what in opened) == 31


def test_a_worker_that_died_with_its_claim_is_overtaken(store: Store) -> None:
    """And if it was only slow, the member sees what the other one did."""
    slow = store.sessions.open(cumulative(""))
    assert isinstance(slow, New)
    store.now_ms += CLAIM_LEASE_MS

    store.hop(cumulative(""), b"by the second")

    assert store.close(cumulative(""), slow, b"late", b"by the first") == b"by the second"
    assert store.sessions.open(cumulative("")) == Repeat(b"by the second")


def test_a_hop_older_than_the_session_is_answered_without_effect(store: Store) -> None:
    """The network reordered: the screen of now is shown again."""
    for text in ("", "1", "1*2"):
        store.hop(cumulative(text), text.encode() or b"home")

    assert store.sessions.open(cumulative("1")) == Repeat(b"1*2")


@pytest.mark.parametrize("text", ["2*2*4", "1*3*4", "1*22", "1*2/4"])
def test_a_history_that_is_not_ours_ends_the_session(store: Store, text: str) -> None:
    """It does not begin with what we heard."""
    for heard in ("", "1", "1*2"):
        store.hop(cumulative(heard))

    assert store.sessions.open(cumulative(text)) == Closed("diverged")


def test_a_history_of_the_same_length_is_another_history(store: Store) -> None:
    """Length alone recognises nothing."""
    store.hop(cumulative(""))
    store.hop(cumulative("1"))

    assert store.sessions.open(cumulative("2")) == Closed("diverged")


def test_a_new_dial_supersedes_the_callers_older_session(store: Store) -> None:
    """What comes late from the old one moves nothing."""
    store.hop(cumulative("", "old"))
    store.hop(cumulative("", "new"))

    assert store.sessions.open(cumulative("1", "old")) == Closed("superseded")
    assert isinstance(store.sessions.open(cumulative("1", "new")), Next)


def test_a_session_that_comes_back_with_another_phone_is_refused(store: Store) -> None:
    """Session ids are guessed, reused and mixed up by others."""
    store.hop(cumulative("", "s1", ROSA))

    assert store.sessions.open(cumulative("1", "s1", SEGUNDO)) == Closed("stranger")


def test_a_foreign_session_id_does_not_end_the_callers_own_session(store: Store) -> None:
    """Segundo's own conversation goes on as if nothing had been."""
    store.hop(cumulative("", "s1", ROSA))
    store.hop(cumulative("", "s2", SEGUNDO))

    assert store.sessions.open(cumulative("1", "s1", SEGUNDO)) == Closed("stranger")

    assert isinstance(store.sessions.open(cumulative("1", "s2", SEGUNDO)), Next)
    assert isinstance(store.sessions.open(cumulative("1", "s1", ROSA)), Next)


def test_a_claim_that_is_given_back_lets_the_next_copy_try_at_once(store: Store) -> None:
    """The hop failed: the network's repeat need not wait for the lease."""
    store.hop(cumulative(""))
    failed = store.sessions.open(cumulative("1"))
    assert isinstance(failed, Next)

    store.sessions.abandon(cumulative("1"), failed.claim)

    again = store.sessions.open(cumulative("1"))
    assert isinstance(again, Next)
    store.sessions.abandon(cumulative("1"), failed.claim)  # late: the claim is another's now
    assert store.sessions.open(cumulative("1")) == UnderWay()


def test_a_worker_whose_session_went_on_without_it_is_told(store: Store) -> None:
    """Its screen was not kept, so it may not go out as if it had been."""
    slow = store.sessions.open(cumulative(""))
    assert isinstance(slow, New)
    store.now_ms += CLAIM_LEASE_MS
    store.hop(cumulative(""))
    store.hop(cumulative("1"))

    with pytest.raises(SessionsUnavailableError):
        store.close(cumulative(""), slow, b"late", b"by the first")


def test_a_session_that_lasts_too_long_is_over(store: Store) -> None:
    """The network has ended it long ago."""
    store.hop(cumulative(""))
    store.now_ms += 180_001

    assert store.sessions.open(cumulative("1")) == Closed("expired")


def test_a_caller_who_types_faster_than_people_is_slowed(store: Store) -> None:
    """A minute later they may go on."""
    text = ""
    store.hop(cumulative(text))
    for _ in range(CALLER_HOPS_PER_MINUTE - 1):
        text = f"{text}*1" if text else "1"
        store.hop(cumulative(text))

    assert store.sessions.open(cumulative(f"{text}*1")) == Closed("too_fast")
    store.now_ms += 60_000
    assert isinstance(store.sessions.open(cumulative(f"{text}*1")), Next)


@pytest.fixture
def small(store: Store) -> Store:
    """Eight hops a second, and six of them from one network."""
    store.sessions = RedisSessions(
        store.client, "norandino", b"secret", lambda: store.now_ms, Lifetime(60, 180, 600), 8
    )
    return store


def dial(store: Store, number: int, channel: str = "africastalking") -> object:
    """Somebody dials."""
    phone = Msisdn(f"+5198700{number:04}")
    origin = Origin(channel, "norandino", f"s-{number}", phone)
    return store.sessions.open(Turn(origin, "*775#", Cumulative(Keystrokes(""))))


def test_where_too_many_dial_nobody_new_begins_and_who_is_inside_goes_on(small: Store) -> None:
    """A second later they are let in, as if they had never dialled before."""
    small.hop(cumulative(""))
    opened = [
        dial(small, number, "infobip" if number % 2 else "twilio") for number in range(100, 109)
    ]

    assert [isinstance(each, New) for each in opened] == [True] * 7 + [False] * 2
    assert opened[7:] == [Closed("crowded")] * 2
    assert isinstance(small.hop(cumulative("1")), Next)
    small.now_ms += 1_000
    assert isinstance(dial(small, 108), New)


def test_a_network_that_runs_wild_leaves_room_for_the_others(small: Store) -> None:
    opened = [dial(small, number) for number in range(100, 110)]

    assert [isinstance(each, New) for each in opened] == [True] * 6 + [False] * 4
    small.now_ms += 1_000
    for number in range(110, 117):
        dial(small, number)
    assert isinstance(dial(small, 117, "infobip"), New)


def test_a_dial_that_is_refused_leaves_the_callers_session_as_it_was(small: Store) -> None:
    """Their other phone call to us goes on where it was."""
    small.hop(cumulative(""))
    for number in range(100, 110):
        dial(small, number)
    again = Origin("africastalking", "norandino", "s2", ROSA)

    refused = small.sessions.open(Turn(again, "*775#", Cumulative(Keystrokes(""))))

    assert refused == Closed("crowded")
    assert isinstance(small.hop(cumulative("1")), Next)


def test_a_numbered_repeat_is_known_by_its_number(store: Store) -> None:
    """`1` after `1` is legitimate where the network counts."""
    assert isinstance(store.hop(last("*775#", 1)), New)
    assert isinstance(store.hop(last("1", 2)), Next)
    assert isinstance(store.hop(last("1", 3)), Next)

    assert store.sessions.open(last("1", 3)) == Repeat(b"screen")
    assert store.sessions.open(last("1", 2)) == Repeat(b"screen")
    assert store.sessions.open(last("2", 3)) == Closed("diverged")


def test_an_inferred_repeat_is_one_that_comes_within_a_moment(store: Store) -> None:
    """Where the network neither counts nor sends the history."""
    store.hop(last(""))
    store.hop(last("1"))

    store.now_ms += REPEAT_INFERRED_MS
    assert store.sessions.open(last("1")) == Repeat(b"screen")
    store.now_ms += 1
    assert isinstance(store.sessions.open(last("1")), Next)


def test_redis_holds_neither_the_phone_nor_what_was_typed(store: Store) -> None:
    """Keyed hashes and lengths only."""
    store.hop(cumulative(""))
    store.hop(cumulative("1"))
    store.hop(cumulative("1*4826"))

    kept = b"".join(
        key + (store.client.dump(key) or b"") + str(store.client.hgetall(key)).encode()
        if store.client.type(key) == b"hash"
        else key + (store.client.get(key) or b"")
        for key in store.client.keys("*")
    )
    assert b"4826" not in kept
    assert b"987000001" not in kept


def test_everything_in_redis_runs_out(store: Store) -> None:
    """Nothing is kept for ever."""
    store.hop(cumulative(""))

    assert all(0 < store.client.ttl(key) <= 600 for key in store.client.keys("*"))


def test_a_worker_that_slept_over_a_later_hop_takes_back_what_was_left(store: Store) -> None:
    """Its order was decided, and the later hop knew nothing of it: so the next dial must ask."""
    store.hop(cumulative(""))
    slow = store.sessions.open(cumulative("4826"))
    assert isinstance(slow, Next)
    store.now_ms += CLAIM_LEASE_MS
    later = store.sessions.open(cumulative("4826*0"))
    assert isinstance(later, Next)
    store.close(cumulative("4826*0"), later, b"home", b"Hola Rosa", b"a draft")

    with pytest.raises(SessionsUnavailableError):
        store.close(cumulative("4826"), slow, b"over", b"?", b"nothing told")
    assert store.sessions.find_draft(ROSAS) == b"a draft"
    kept = Kept(b"over", b"given", b"Listo", tells=True)
    with pytest.raises(SessionsUnavailableError):
        store.sessions.close(cumulative("4826"), slow.claim, kept)
    assert store.sessions.find_draft(ROSAS) is None


def test_a_newer_dials_word_stays_whatever_an_older_session_comes_to(store: Store) -> None:
    """The newer dial has asked itself what became of the order."""
    store.hop(cumulative(""))
    slow = store.sessions.open(cumulative("4826"))
    assert isinstance(slow, Next)
    store.now_ms += CLAIM_LEASE_MS
    store.sessions.open(cumulative("4826*0"))
    dial = store.sessions.open(cumulative("", session="s2"))
    assert isinstance(dial, New)
    store.close(cumulative("", session="s2"), dial, b"home", b"Hola Rosa", b"a draft")

    kept = Kept(b"over", b"given", b"Listo", tells=True)
    with pytest.raises(SessionsUnavailableError):
        store.sessions.close(cumulative("4826"), slow.claim, kept)

    assert store.sessions.find_draft(ROSAS) == b"a draft"


def test_a_server_that_lost_the_scripts_is_taught_them_again(store: Store) -> None:
    """After a restart of Redis."""
    store.hop(cumulative(""))
    store.client.script_flush()

    assert isinstance(store.hop(cumulative("1")), Next)


def test_a_draft_is_found_by_the_callers_next_dial_and_by_nobody_elses(store: Store) -> None:
    """Until the journey ends, or the draft runs out."""
    first = store.sessions.open(cumulative("", "s1"))
    assert isinstance(first, New)
    assert first.left is None
    store.close(cumulative("", "s1"), first, b"state", b"screen", draft=b"fifty to Segundo")

    again = store.sessions.open(cumulative("", "s2"))
    other = store.sessions.open(cumulative("", "s3", SEGUNDO))

    assert isinstance(again, New)
    assert again.left == b"fifty to Segundo"
    assert isinstance(other, New)
    assert other.left is None
    store.close(cumulative("", "s2"), again, b"state", b"screen")
    ended = store.sessions.open(cumulative("", "s4"))
    assert isinstance(ended, New)
    assert ended.left == b""


def test_a_draft_can_be_left_from_outside_a_session(store: Store) -> None:
    """By an SMS, for the dial that follows."""
    store.sessions.leave_draft(cumulative("").origin, b"fifty to Segundo")

    dialled = store.sessions.open(cumulative(""))

    assert isinstance(dialled, New)
    assert dialled.left == b"fifty to Segundo"


def test_a_worker_that_ends_an_old_hop_leaves_the_newer_sessions_draft_alone(store: Store) -> None:
    """The caller has dialled since: what they left last is what the next dial finds."""
    old = store.sessions.open(cumulative("", "s1"))
    new = store.sessions.open(cumulative("", "s2"))
    assert isinstance(old, New)
    assert isinstance(new, New)
    store.close(cumulative("", "s2"), new, b"state", b"screen", draft=b"fifty to Segundo")

    store.close(cumulative("", "s1"), old, b"state", b"screen")

    assert store.sessions.find_draft(cumulative("").origin) == b"fifty to Segundo"


def test_what_was_abandoned_is_answered_to_one_of_those_who_look(store: Store) -> None:
    """So that a member is reminded once; and until when a dial finds it."""
    opened = store.sessions.open(cumulative(""))
    assert isinstance(opened, New)
    kept = Kept(b"state", b"fifty to Segundo", b"screen", "m-0001")
    store.sessions.close(cumulative(""), opened.claim, kept)
    store.now_ms += (60 + GO_ON_SMS_AFTER_S) * 1000

    (found,) = store.sessions.abandoned(10)

    assert (found.member_ref, found.draft) == ("m-0001", b"fifty to Segundo")
    assert 0 < found.forgotten_at_ms - store.now_ms <= 600_000
    assert store.sessions.abandoned(10) == []


def test_who_left_an_order_that_only_the_bank_knows_is_not_reminded(store: Store) -> None:
    """What a hop that was overtaken took back is no draft; and the others are looked at still."""
    opened = store.sessions.open(cumulative(""))
    assert isinstance(opened, New)
    store.sessions.close(cumulative(""), opened.claim, Kept(b"s", b"a draft", b"screen", "m-0001"))
    slow = store.sessions.open(cumulative("4826"))
    assert isinstance(slow, Next)
    store.now_ms += CLAIM_LEASE_MS
    assert isinstance(store.sessions.open(cumulative("4826*0")), Next)
    with pytest.raises(SessionsUnavailableError):
        store.sessions.close(
            cumulative("4826"), slow.claim, Kept(b"over", b"given", b"Listo", tells=True)
        )
    store.now_ms += (60 + GO_ON_SMS_AFTER_S) * 1000

    assert store.sessions.abandoned(10) == []
