"""Alarms that stand, in a real Alertmanager that restarts, is gone, and calls somebody."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from coldchain.alarms import AlarmState
from coldchain.clock import SystemClock
from coldchain.config.endpoints import AlertmanagerSink
from coldchain.model import Priority
from coldchain.sinks.alertmanager import Alertmanager as Sink
from coldchain.sinks.base import AlarmNow, Message, Misconfigured, Present, Surroundings, Unreachable
from tests.servers import Alertmanager, free_port, wait_until
from tests.servers.receiver import Receiver
from tests.unit.sinks.world import HIGH, NOON, raised

pytestmark = pytest.mark.servers


@pytest.fixture
def pager(receiver: Receiver) -> Receiver:
    """What the Alertmanager calls."""
    return receiver


@pytest.fixture
def manager(alertmanager: Callable[..., Alertmanager], pager: Receiver) -> Alertmanager:
    return alertmanager(webhook=pager.url)


def sink(url: str, **more: Any) -> Sink:
    around = Surroundings(name="pages", site="Cell bank, room 3", clock=SystemClock())
    given = {"kind": "alertmanager", "url": url, "timeout": "2 s"}
    return Sink(AlertmanagerSink.model_validate(given | more), around)


def present(*alarms: AlarmNow) -> Present:
    return Present(7, 1_000, None, alarms=alarms)


def alarm(state: AlarmState = AlarmState.UNACKNOWLEDGED, **more: Any) -> AlarmNow:
    given = {"since_ms": NOON, "value": -146_200, "limit": -150_000, "quantity": "temperature"}
    return AlarmNow(HIGH, Priority.CRITICAL, state.value, True, **(given | more))


def pages(pager: Receiver) -> list[tuple[str, str]]:
    """Status and summary of what the Alertmanager has called for, in order."""
    return [
        (alert["status"], alert["annotations"]["state"])
        for request in list(pager.requests)
        for alert in request.content["alerts"]
    ]


def test_what_stands_is_an_alert(manager: Alertmanager, pager: Receiver) -> None:
    """Labels say what it is, annotations how it stands; it begins when the alarm did and ends ahead."""
    board = sink(manager.url, page_url="https://gateway.example.org/")
    board.show(present(alarm()), all_of_it=True)
    wait_until(lambda: pages(pager) == [("firing", "unacknowledged")], what="somebody is called")
    (alert,) = manager.alerts()
    assert alert["labels"] == {
        "job": "coldchain",
        "site": "Cell bank, room 3",
        "alarm": HIGH,
        "alertname": "high",
        "asset": "box-7",
        "role": "air",
        "severity": "critical",
    }
    assert alert["annotations"]["summary"] == (
        "box-7/air/high, unacknowledged, −146.2 °C, limit −150.0 °C, since 2026-11-02T14:26:10.000Z"
    )
    assert alert["startsAt"] == "2026-11-02T14:26:10.000Z"
    assert alert["generatorURL"] == "https://gateway.example.org/"
    ahead = datetime.fromisoformat(alert["endsAt"]) - datetime.fromisoformat(alert["updatedAt"])
    assert timedelta(minutes=3, seconds=58) <= ahead <= timedelta(minutes=4, seconds=1)
    board.close()


def test_what_changes_is_the_same_alert(manager: Alertmanager) -> None:
    """A worse value and an acknowledgement change words; a second alert would call people a second time."""
    board = sink(manager.url)
    board.show(present(alarm()), all_of_it=True)
    board.show(present(alarm(AlarmState.ACKNOWLEDGED, value=-130_000)), all_of_it=False)
    (alert,) = manager.alerts()
    assert alert["annotations"]["value"] == "−130.0 °C"
    assert alert["annotations"]["state"] == "acknowledged"
    board.close()


def test_what_is_over_is_resolved(manager: Alertmanager, pager: Receiver) -> None:
    """Back to normal resolves at once; the words say so."""
    board = sink(manager.url)
    board.show(present(alarm()), all_of_it=True)
    wait_until(lambda: len(pages(pager)) == 1, what="somebody is called")
    board.show(present(alarm(AlarmState.NORMAL)), all_of_it=False)
    wait_until(lambda: pages(pager)[1:] == [("resolved", "normal")], what="it is resolved")
    board.close()


def test_what_is_shelved_does_not_read_as_normal(manager: Alertmanager, pager: Receiver) -> None:
    """On the shelf it calls nobody, and the word that ends it says why: it is still too warm."""
    board = sink(manager.url)
    board.show(present(alarm()), all_of_it=True)
    wait_until(lambda: len(pages(pager)) == 1, what="somebody is called")
    board.show(present(alarm(AlarmState.SHELVED, shelved_until_ms=9_000_000)), all_of_it=False)
    wait_until(lambda: pages(pager)[1:] == [("resolved", "shelved")], what="it ends")
    summary = pager.requests[-1].content["alerts"][0]["annotations"]["summary"]
    assert "may not be back to normal" in summary
    board.show(present(alarm()), all_of_it=False)
    wait_until(lambda: pages(pager)[2:] == [("firing", "unacknowledged")], what="it is back")
    board.close()


def test_only_what_changed_is_posted(manager: Alertmanager) -> None:
    """With nothing new, nothing is said; at the refresh everything is, with a new end."""
    board = sink(manager.url)
    board.show(present(alarm()), all_of_it=True)
    (first,) = manager.alerts()
    board.show(present(alarm()), all_of_it=False)
    assert manager.alerts() == [first]
    board.show(present(alarm()), all_of_it=True)
    (again,) = manager.alerts()
    assert again["updatedAt"] > first["updatedAt"]
    assert again["fingerprint"] == first["fingerprint"]
    board.close()


def test_after_its_restart_everything_is_posted(manager: Alertmanager) -> None:
    """It has forgotten all; the next change brings back what did not change, too."""
    board = sink(manager.url)
    other = AlarmNow("box-8/air/high", Priority.HIGH, "unacknowledged", True, axis="journal")
    board.show(present(alarm(), other), all_of_it=True)
    manager.restart()
    assert manager.alerts() == []
    board.show(present(alarm(value=-120_000), other), all_of_it=False)
    assert sorted(each["labels"]["alarm"] for each in manager.alerts()) == [HIGH, "box-8/air/high"]
    board.close()


def test_a_gateway_ahead_of_time(manager: Alertmanager) -> None:
    """An alarm that began in the receiver's future begins now for it, instead of being refused."""
    board = sink(manager.url)
    board.show(present(alarm(since_ms=4_102_444_800_000)), all_of_it=True)
    (alert,) = manager.alerts()
    assert alert["startsAt"] < alert["endsAt"] < "2100"
    board.close()


def test_gone_and_back(manager: Alertmanager) -> None:
    """Down it is unreachable and lost; back, what stands is posted."""
    board = sink(manager.url)
    board.show(present(alarm()), all_of_it=True)
    assert not board.lost()
    manager.stop()
    with pytest.raises(Unreachable):
        board.show(present(alarm()), all_of_it=True)
    assert board.lost()
    manager.start()
    board.show(present(alarm()), all_of_it=True)
    assert len(manager.alerts()) == 1
    assert not board.lost()
    board.close()


def test_what_the_journal_could_not_take(manager: Alertmanager) -> None:
    """It is the same alert as the state later shows, and says that it is not recorded."""
    board = sink(manager.url)
    board.tell(Message("k-3-0", 3, 0, raised(), 1_000, None, 0, unrecorded=True))
    (alert,) = manager.alerts()
    assert alert["annotations"]["summary"].startswith("[NOT RECORDED] [CRITICAL] box-7/air/high")
    board.show(present(alarm()), all_of_it=True)
    (same,) = manager.alerts()
    assert same["fingerprint"] == alert["fingerprint"]
    assert "recorded" not in same["annotations"]
    board.close()


def test_something_else_at_the_address(manager: Alertmanager) -> None:
    """A path that is no Alertmanager's is a mistake in the settings; nobody there is not."""
    with pytest.raises(Misconfigured, match="404"):
        sink(manager.url + "/elsewhere").show(present(alarm()), all_of_it=True)
    with pytest.raises(Unreachable):
        sink(f"http://127.0.0.1:{free_port()}").show(present(alarm()), all_of_it=True)
