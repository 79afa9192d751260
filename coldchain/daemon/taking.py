"""Handing facts to the writer and waiting until they are on disk."""

from __future__ import annotations

import threading
from typing import Protocol

from coldchain.facts import Fact
from coldchain.fold import Fold
from coldchain.journal import Document, PrivateText
from coldchain.pipeline.intake import Folded, Intake

#: Whoever waits for the disk waits at most this long (real seconds).
ACT_S = 10.0


class Folding(Protocol):
    """Where the fold is: the writer, or a journal at rest. The fold changes only under the lock."""

    fold: Fold
    lock: threading.Lock


class NotRecorded(Exception):
    """The writer did not come to it in time."""


def hand_in(
    intake: Intake,
    facts: tuple[Fact, ...],
    documents: tuple[Document, ...] = (),
    private_texts: tuple[PrivateText, ...] = (),
    erased: tuple[str, ...] = (),
) -> Folded:
    """Submit facts and wait until they are committed, and what was said; raises NotRecorded."""
    done = threading.Event()
    answer: list[Folded] = []

    def settled(folded: Folded) -> None:
        answer.append(folded)
        done.set()

    intake.submit(facts, settled, documents=documents, private_texts=private_texts, erased=erased)
    if not done.wait(ACT_S):
        raise NotRecorded("the writer did not answer in time")
    return answer[0]
