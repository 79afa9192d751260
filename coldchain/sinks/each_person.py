"""One notice to several people: who has it is not told again while the others are tried."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from coldchain.sinks.base import Misconfigured, Rejected, SinkError, Unreachable

_log = logging.getLogger("coldchain.sinks")

#: Notices under way at a time of which we remember who has them already.
_KEYS_MAX = 1_000


class EachPerson:
    """Who has each notice that is not yet settled. Lost with the process: then a repeat is possible."""

    def __init__(self, name: str, people: Sequence[str]) -> None:
        self._name = name
        self._people = people
        self._told: dict[str, dict[str, str]] = {}

    def tell(self, key: str, send: Callable[[str], str]) -> str:
        """Send to each who does not have it yet; the receipt names everybody.

        Somebody who can never be reached keeps nobody else waiting: his refusal stands in the receipt, as
        long as another has the notice. Raises the SinkError of whoever can still be reached later; if nobody
        has it, that of the last.
        """
        told = self._told.setdefault(key, {})
        refused: dict[str, SinkError] = {}
        later: SinkError | None = None
        for person in self._people:
            if person in told:
                continue
            try:
                told[person] = send(person)
            except (Rejected, Misconfigured) as error:
                refused[person] = error
            except Unreachable as error:  # not about this person: the others would wait as long for nothing
                later = error
                break
            except SinkError as error:
                later = error
        if later is None and not told:
            later = list(refused.values())[-1]
        if later is not None:
            while len(self._told) > _KEYS_MAX:
                del self._told[next(iter(self._told))]
            raise later
        del self._told[key]
        for person, refusal in refused.items():
            _log.warning("sink %s: %s cannot be told: %s; %s", self._name, person, refusal.why, refusal.mend)
        receipts = [f"{person}: {receipt}" for person, receipt in told.items()]
        return "; ".join(receipts + [f"{person}: REFUSED, {each.why}" for person, each in refused.items()])
