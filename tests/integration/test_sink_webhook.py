"""Notices to a real HTTP server that fails, hangs, loses its answer and comes back."""

import hashlib
import hmac
from collections.abc import Callable
from random import Random
from typing import Any, Self

import pytest

from coldchain.clock import SystemClock
from coldchain.config.endpoints import WebhookSink
from coldchain.facts import Beat
from coldchain.journal import Outcome
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import (
    AccessRefused,
    Message,
    Misconfigured,
    Pulse,
    Rejected,
    SinkError,
    Surroundings,
    Unreachable,
    Unwilling,
)
from coldchain.sinks.notice_drain import NoticeDrain
from coldchain.sinks.thread import News, Report, SinkThread
from coldchain.sinks.webhook import Webhook
from coldchain.sinks.wording import WHILE_UNREACHABLE
from tests.servers import wait_until
from tests.servers.receiver import Receiver
from tests.unit.sinks.world import NOON, World, raised, reports

NAME = "room"


def webhook(receiver: Receiver, *, secrets: dict[str, str] | None = None, **more: object) -> Webhook:
    given = {"kind": "webhook", "url": receiver.url, "timeout": "2 s"}
    around = Surroundings(
        name=NAME,
        site="cell-bank",
        clock=SystemClock(trusted=True),
        secret=lambda file, variable: (secrets or {}).get(variable),
    )
    return Webhook(WebhookSink.model_validate(given | more), around)


def message(key: str = "k-3-0", **more: Any) -> Message:
    return Message(key, 3, 0, raised(), 1_000, NOON + 1_000, 250, **more)


class Running:
    """A notice drain in its thread. Journal time begins at `journal_ms`."""

    def __init__(self, world: World, receiver: Receiver, *, journal_ms: int = 0, **more: object) -> None:
        self.world = world
        self.kept, report = reports()
        clock = SystemClock(journal_start_ms=journal_ms, trusted=True)

        def backoff() -> Backoff:
            return Backoff(Random(1), first_s=0.02, longest_s=0.1)

        def make(report: Callable[[Report], None]) -> NoticeDrain:
            sink = webhook(receiver, **more)
            return NoticeDrain(NAME, sink, world.deliveries, clock, backoff(), report)

        self.thread = SinkThread(NAME, make, clock=clock, backoff=backoff(), report=report)

    def told(self) -> list[str]:
        """The ids of what the journal knows as told."""
        with self.world.deliveries() as journal:
            return [each.notice.id for each in journal.settled(NAME) if each.outcome is Outcome.TOLD]

    def left(self) -> int:
        with self.world.deliveries() as journal:
            return journal.backlog(NAME).count

    def wait_done(self) -> None:
        self.thread.wake()
        wait_until(lambda: self.left() == 0, what="the outbox is empty")

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.thread.stop()


def test_what_arrives(receiver: Receiver) -> None:
    """One POST: key, position, age, attempt in headers; the announcement and a line of text in the body."""
    sink = webhook(
        receiver, secrets={"TOKEN": "t0k", "SECRET": "s3c"}, token_env="TOKEN", secret_env="SECRET"
    )
    assert sink.tell(message(attempt=2)) == "HTTP 200 noted"
    sink.close()
    (request,) = receiver.requests
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer t0k"
    assert (request.key, request.headers["coldchain-position"]) == ("k-3-0", "3")
    assert (request.headers["coldchain-age-ms"], request.headers["coldchain-attempt"]) == ("250", "2")
    signature = hmac.new(b"s3c", request.body, hashlib.sha256).hexdigest()
    assert request.headers["coldchain-signature"] == f"sha256={signature}"
    content = request.content
    assert content["text"].startswith("[CRITICAL] box-7/air/high raised, −146.2 °C")
    assert content["announced"] == "2026-11-02T14:26:11.000Z"
    assert content["announcement"]["value"] == -146_200
    assert {key: content[key] for key in ("event", "site", "sink", "unrecorded", "simulated")} == {
        "event": "notice",
        "site": "cell-bank",
        "sink": NAME,
        "unrecorded": False,
        "simulated": False,
    }


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        pytest.param(500, Unwilling, "HTTP 500", id="broken"),
        pytest.param(503, Unwilling, "HTTP 503", id="overloaded"),
        pytest.param(429, Unwilling, "HTTP 429", id="too many"),
        pytest.param(409, Unwilling, "HTTP 409", id="still at work on the first attempt"),
        pytest.param(400, Rejected, "HTTP 400", id="wrong content"),
        pytest.param(422, Rejected, "HTTP 422", id="unprocessable"),
        pytest.param(401, AccessRefused, "renew the secret", id="token ran out"),
        pytest.param(404, Misconfigured, "address", id="moved away"),
        pytest.param(
            (302, {"Location": "http://127.0.0.1:9/"}, b""), Misconfigured, "address", id="redirect"
        ),
        pytest.param(None, Unreachable, "Remote end closed|RemoteDisconnected|Reset", id="no answer"),
    ],
)
def test_what_an_answer_means(receiver: Receiver, answer: Any, error: type[SinkError], words: str) -> None:
    """Each answer is one of four things: try again, never, a person must mend it, or nobody knows."""
    receiver.answers = [answer]
    sink = webhook(receiver)
    with pytest.raises(error, match=words):
        sink.tell(message())
    sink.close()
    assert len(receiver.requests) == 1, "the library repeats nothing behind our back"


def test_retry_after_is_read(receiver: Receiver) -> None:
    """How long the receiver wants to be left alone comes with the error."""
    receiver.answers = [(503, {"Retry-After": "17"}, b"")]
    sink = webhook(receiver)
    with pytest.raises(Unwilling) as caught:
        sink.tell(message())
    assert caught.value.retry_after_s == 17.0
    sink.close()


def test_an_endless_answer_is_not_read(receiver: Receiver) -> None:
    """A receiver that answers with a page of a megabyte costs neither memory nor the receipt's column."""
    receiver.answers = [(200, {}, b"x" * 1_000_000)]
    sink = webhook(receiver)
    assert len(sink.tell(message())) <= 200
    assert sink.tell(message()) == "HTTP 200 noted"
    sink.close()


def test_told_with_receipt(world: World, receiver: Receiver) -> None:
    """Announced becomes told: each notice arrives once and its receipt is in the journal."""
    world.add(Beat(), said=[raised(1), raised(2)], sinks=[NAME])
    with Running(world, receiver) as running:
        running.wait_done()
        assert running.told() == receiver.keys() == ["n3-0", "n3-1"]
    assert [each.news for each in running.kept] == [News.UP]


def test_errors_and_then_success(world: World, receiver: Receiver) -> None:
    """500, a lost answer: in the end everything arrived, each under one key, each time the same body."""
    world.add(Beat(), said=[raised(1), raised(2), raised(3)], sinks=[NAME])
    receiver.answers = [500, None, 500, 500, None]
    with Running(world, receiver) as running:
        running.wait_done()
    assert set(receiver.keys()) == {"n3-0", "n3-1", "n3-2"}
    assert len(receiver.keys()) > 3, "at least once"
    assert all(len(receiver.bodies(key)) == 1 for key in set(receiver.keys()))
    attempts = [int(r.headers["coldchain-attempt"]) for r in receiver.requests if r.key == "n3-0"]
    assert attempts == list(range(1, len(attempts) + 1))


def test_a_receiver_that_hangs(world: World, receiver: Receiver) -> None:
    """Time-outs are tried again under the same key; the receiver can tell that it knows it already."""
    world.add(Beat(), said=[raised(1)], sinks=[NAME])
    receiver.hang.clear()
    with Running(world, receiver, timeout="200 ms") as running:
        wait_until(lambda: running.thread.status.up is False, what="down after the time-out")
        receiver.hang.set()
        running.wait_done()
    assert set(receiver.keys()) == {"n3-0"}
    assert len(receiver.keys()) >= 2


def test_down_and_up_again(world: World, receiver: Receiver) -> None:
    """Nothing that was announced while the receiver was down is lost, and the order is kept."""
    receiver.stop()
    with Running(world, receiver) as running:
        for number in range(20):
            world.add(Beat(), said=[raised(number)], sinks=[NAME])
            running.thread.wake()
        wait_until(lambda: running.thread.status.up is False, what="the sink says that it is down")
        receiver.start()
        running.wait_done()
    assert list(dict.fromkeys(receiver.keys())) == [f"n{position}-0" for position in range(3, 23)]
    assert [each.news for each in running.kept] == [News.DOWN, News.UP]


def test_told_again_after_our_own_end(world: World, receiver: Receiver) -> None:
    """Killed between telling and the receipt: told again under the same key, nothing else."""
    world.add(Beat(), said=[raised(1)], sinks=[NAME])
    sink = webhook(receiver)
    with world.deliveries() as journal:
        clock = SystemClock(trusted=True)
        drain = NoticeDrain(NAME, sink, world.deliveries, clock, Backoff(Random(1)), lambda report: None)
        (pending,) = journal.pending(NAME, 0)
        sink.tell(drain._message(pending, 0))  # taken by the receiver; then the power goes
        drain.close()
    with Running(world, receiver) as running:
        running.wait_done()
    assert receiver.keys() == ["n3-0", "n3-0"]
    assert len(receiver.bodies("n3-0")) == 1


def test_old_notices_come_as_one(world: World, receiver: Receiver) -> None:
    """After days without a line people get one message about what they missed, then the fresh ones."""
    receiver.stop()
    for number in range(1, 31):
        world.add(Beat(), said=[raised(number)], sinks=[NAME], after_ms=60_000)
    two_days = 2 * 86_400_000
    world.add(Beat(), said=[raised(31)], sinks=[NAME], after_ms=two_days)
    with Running(world, receiver, journal_ms=world.arrival_ms + 1_000, max_age="1 d") as running:
        wait_until(lambda: running.thread.status.up is False, what="nobody there yet")
        receiver.start()
        running.wait_done()
    first, second = receiver.requests[-2:]
    said = first.content["announcement"]
    assert (said["text"], said["detail"]["count"]) == (WHILE_UNREACHABLE, "30")
    assert said["detail"]["alarm box-7/air/high"] == "unacknowledged"
    assert second.content["announcement"]["occurrence"] == 31
    assert {each.news for each in running.kept} == {News.FOLDED, News.DOWN, News.UP}


def test_the_heartbeat_can_be_missed(world: World, receiver: Receiver) -> None:
    """Signs of life come on a period, with the journal's position, and stop when we stop."""
    with Running(world, receiver, heartbeat="100 ms"):
        wait_until(lambda: len(receiver.requests) >= 3, what="three heartbeats")
    count = len(receiver.requests)
    content = receiver.requests[-1].content
    assert (content["event"], content["position"], content["site"]) == ("heartbeat", 2, "cell-bank")
    assert content["utc"]
    assert len(receiver.requests) == count


def test_a_heartbeat_without_a_clock(receiver: Receiver) -> None:
    """While our clock is not known a heartbeat does not pretend to know the time."""
    sink = webhook(receiver)
    sink.beat(Pulse(5, None, 7))
    sink.close()
    assert receiver.requests[0].content["utc"] is None


def test_a_refused_notice_is_kept_as_refused(world: World, receiver: Receiver) -> None:
    """A receiver that will never take one gets the next; the journal says refused, and a report goes out."""
    world.add(Beat(), said=[raised(1), raised(2)], sinks=[NAME])
    receiver.answers = [(422, {}, b"unknown alarm")]
    with Running(world, receiver) as running:
        running.wait_done()
        assert running.told() == ["n3-1"]
    (refusal,) = [each for each in running.kept if each.news is News.REFUSED]
    assert "unknown alarm" in refusal.why
