"""Taking in a logger's file: its readings, the file itself, and what the logger said of alarms.

Whoever read the file hands over what it read; nothing is parsed in the daemon. First the logger becomes
known, then its readings come in, in pieces so that live readings pass in between, and last the fact that the
file is in: only that makes it judged. One that was broken off is completed by importing it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, pairwise
from statistics import median_low

from coldchain.announcements import Announcement, Kind
from coldchain.clock import Clock
from coldchain.config.problems import listed
from coldchain.consignments.judged import roles_of
from coldchain.consignments.loggers import FILE, PREFIX
from coldchain.daemon.keeping import kept
from coldchain.daemon.logs import FILE_BYTES_MAX, Column, Excursion, Imported, Log, LoggerView, Taken
from coldchain.daemon.refusals import in_words
from coldchain.daemon.taking import Folding, NotRecorded, hand_in
from coldchain.facts import Reading
from coldchain.fold.place import Place
from coldchain.journal import Document, PrivateText
from coldchain.logged import GAP_STEPS, FileImported, Logged, LoggerKnown
from coldchain.model import Origin
from coldchain.pipeline.intake import Intake
from coldchain.plan import ChannelPlan, ProfilePlan, SourcePlan
from coldchain.web.station import Actor

#: Readings handed in at once: what the writer commits in one go.
PIECE = 500
#: A log is not expected to speak again.
_NEVER_MS = 2**52
#: A reading may be ahead of our clock by the difference between two clocks.
_AHEAD_MS = 60_000


class _Refused(Exception):
    """It is not taken in, and why."""


@dataclass
class Importing:
    """Takes files in by the way that everything comes in."""

    folding: Folding
    intake: Intake
    clock: Clock

    def logger(self, device: str) -> LoggerView | None:
        """What is known of a logger, None if nothing of it was imported yet."""
        with self.folding.lock:
            known = self.folding.fold.lane.loggers.known.get(PREFIX + device)
        return None if known is None else LoggerView(device, known.zone, known.serial)

    def take(self, log: Log, actor: Actor) -> Imported:
        """Take a file in, whole or not at all; the same again changes nothing."""
        try:
            return self._take(log, actor)
        except _Refused as refused:
            return Imported(done=False, message=str(refused))
        except NotRecorded as late:
            return Imported(done=False, message=f"taken in, not yet recorded: {late}; import it once more")

    def _take(self, log: Log, actor: Actor) -> Imported:
        self._check(log)
        source = PREFIX + log.device
        who = PrivateText.of(actor.name)
        with self.folding.lock:
            before = self.folding.fold.lane.loggers.imported.get(log.sha256)
            if before is not None and before[1].asset != log.asset:
                raise _Refused(
                    f"it was imported for {before[1].asset} already (journal position {before[0]}), and a "
                    "log belongs to one asset; name that one, or a copy of what was recorded in this one"
                )
            plans = self._channels(log, source)
            known = self.folding.fold.lane.loggers.known.get(source)
            readings = sum(len(self.folding.fold.channels.histories.get(p.id, ())) for p in plans)
        pace_ms = plans[0].interval_ms if plans else 1
        fact = LoggerKnown(
            SourcePlan(source, FILE, round_ms=max(1, pace_ms), sends_time=True, simulated=log.simulated),
            tuple(plans), log.serial, log.kind, log.zone or (known.zone if known else ""), who.commitment,
        )  # fmt: skip
        if known is None or known.zone != fact.zone or not set(plans) <= set(known.channels):
            self._hand_in((fact,), private=(who,))
        for piece in _pieces(source, log, plans):
            with self.folding.lock:
                new = tuple(one for one in piece if not self.folding.fold.channels.is_repeat(one))
            if new:
                self._hand_in(new)
        logs = tuple(
            Logged(plan.id, min(column.at_ms), _until_ms(log, column), len(column.at_ms))
            for plan, column in zip(plans, log.columns, strict=True)
        )
        position = before[0] if before is not None else self._finish(log, source, logs, who)
        with self.folding.lock:
            now = sum(len(self.folding.fold.channels.histories[plan.id]) for plan in plans)
            taken = tuple(
                self._taken(plan, column, span)
                for plan, column, span in zip(plans, log.columns, logs, strict=True)
            )
            found = tuple(one for span in logs for one in self._excursions(span))
        total = sum(len(column.at_ms) for column in log.columns)
        new_ones = now - readings
        return Imported(
            done=True,
            already=before is not None and not new_ones,
            position=position,
            new=new_ones,
            repeats=total - new_ones,
            taken=taken,
            excursions=found,
        )

    # What must be right before anything is taken in

    def _check(self, log: Log) -> None:
        if len(log.content) > FILE_BYTES_MAX:
            raise _Refused(
                f"the file has {len(log.content) >> 20} MiB, and the journal keeps files of up to "
                f"{FILE_BYTES_MAX >> 20} MiB; export a shorter span, one file after the other"
            )
        if hashlib.sha256(log.content).hexdigest() != log.sha256:
            raise _Refused("the file is not the one that was read; import it again")
        if not (log.columns or log.days) or not all(column.at_ms for column in log.columns):
            raise _Refused("no reading was found in it")
        newest_ms = max((max(column.at_ms) for column in log.columns), default=0)
        with self.folding.lock:
            fold = self.folding.fold
            assets = [asset.id for asset in fold.lane.plan.assets]
            now_ms = fold.timebase.utc(self.clock.journal_ms())
            known = fold.lane.loggers.known.get(PREFIX + log.device)
        if log.asset not in assets:
            raise _Refused(f"there is no asset {log.asset!r}; there are: {listed(assets)}")
        if now_ms is None:
            raise _Refused(
                "this gateway's clock is not known, so nobody can tell whether the log lies in the future; "
                "set the clock, then import it"
            )
        if newest_ms > now_ms + _AHEAD_MS:
            raise _Refused("it holds readings from the future; leave them out, or put its clock right")
        if known is not None and log.zone and known.zone not in ("", log.zone) and not log.another_zone:
            raise _Refused(
                f"{log.device} was imported with its clock in {known.zone} before; leave out --tz, or say "
                "--another-tz if its clock was set anew"
            )

    def _channels(self, log: Log, source: str) -> list[ChannelPlan]:
        """The channel of each series: as known from trips before, where all of it is the same."""
        fold = self.folding.fold
        roles = _roles(fold.lane.profile_in(log.asset), log)
        plans: list[ChannelPlan] = []
        for column, role in zip(log.columns, roles, strict=True):
            step_ms = _step_ms(column) or 1
            for number in count(1):
                name = f"{source}.{column.id}" + (f"-{number}" if number > 1 else "")
                plan = ChannelPlan(
                    id=name, source=source, quantity="temperature", asset=log.asset, role=role,
                    interval_ms=step_ms, fresh_within_ms=_NEVER_MS, max_gap_ms=GAP_STEPS * step_ms,
                    valid_low=log.valid.low_mc, valid_high=log.valid.high_mc, unit=column.unit,
                )  # fmt: skip
                if fold.lane.loggers.channels.get(name, plan) == plan and name not in {p.id for p in plans}:
                    plans.append(plan)
                    break
        return plans

    # Handing in

    def _finish(self, log: Log, source: str, logs: tuple[Logged, ...], who: PrivateText) -> int:
        """The file is in: from here on it is judged."""
        file = kept(log.content)
        documents = [file]
        report = ""
        if log.unread:
            documents.append(Document.of("\n".join(log.unread) + "\n"))
            report = documents[-1].sha256
        fact = FileImported(
            sha256=log.sha256, name=log.name, size=len(log.content), kept=file.sha256, asset=log.asset,
            source=source, logs=logs, alarms=log.alarms, days=log.days, unread=len(log.unread), report=report,
            actor=who.commitment,
        )  # fmt: skip
        return self._hand_in((fact,), documents=tuple(documents), private=(who,))

    def _hand_in(
        self,
        facts: tuple[Reading | LoggerKnown | FileImported, ...],
        documents: tuple[Document, ...] = (),
        private: tuple[PrivateText, ...] = (),
    ) -> int:
        folded = hand_in(self.intake, facts, documents, private)
        refused = next((one for one in folded.announcements if _refuses(one)), None)
        if refused is not None:
            raise _Refused(in_words(refused.text, refused.detail))
        return folded.position

    # What became of it

    def _taken(self, plan: ChannelPlan, column: Column, span: Logged) -> Taken:
        place = self._place(span)
        judged: tuple[str, ...] = ()
        beside = _ANOTHER if plan.role else _NO_ROLE
        if place is not None:
            track = place.track
            first, last = (track.segment_at(at_ms) for at_ms in (span.from_ms, span.until_ms - 1))
            ruled = [s for s in track.line[max(0, first) : last + 1] if s.rules]
            judged = tuple(dict.fromkeys(f"{s.profile}/{s.stage}" for s in ruled))
            beside = "" if judged else _NO_LIMIT
        return Taken(
            plan.id, column.title, f"{plan.asset}/{plan.role}" if plan.role else "", len(column.at_ms),
            min(column.at_ms), max(column.at_ms), ", ".join(judged), beside,
        )  # fmt: skip

    def _place(self, span: Logged) -> Place | None:
        places = self.folding.fold.by_channel.get(span.channel, ())
        return next((p for p in places if p.track.measures(span.channel, span.from_ms)), None)

    def _excursions(self, span: Logged) -> Iterator[Excursion]:
        place = self._place(span)
        for each in place.ledger.all() if place is not None else ():
            interval = place.standing(each) if place is not None else each.interval
            if interval.start_ms >= span.until_ms:
                continue
            if interval.end_ms is not None and interval.end_ms < span.from_ms:
                continue
            channel = each.segment.channel
            yield Excursion(
                each.id, each.rule.id, each.rule.title, interval.start_ms, interval.triggered_ms,
                interval.end_ms, interval.extreme, channel.quantity if channel is not None else "",
            )  # fmt: skip


_NO_ROLE = "nobody said what it measured"
_ANOTHER = "another probe measured there then, and what was watched stays as it was"
_NO_LIMIT = "no limit was in force there then; if it was a consignment, say so: consignment start … --at"


def _refuses(said: Announcement) -> bool:
    return said.kind is Kind.REFUSED


def _roles(profile: ProfilePlan | None, log: Log) -> list[str]:
    """The role of each series: as said, or the only temperature that the asset's profile judges."""
    judged = roles_of(profile.stages) if profile is not None else {}
    usual = sorted(role for role, quantity in judged.items() if quantity in ("", "temperature"))
    open_ = [column for column in log.columns if column.role == ""]
    if open_ and (len(usual) != 1 or len(open_) > 1):
        titles = listed(column.title for column in open_)
        there = f"; {log.asset} is judged by {listed(usual)}" if usual else ""
        how = "--role ROLE" if len(log.columns) == 1 else "--column NAME=ROLE for each"
        raise _Refused(f"say what {titles} measured there, with {how}{there}")
    return [usual[0] if column.role == "" else column.role or "" for column in log.columns]


def _step_ms(column: Column) -> int | None:
    times = sorted(set(column.at_ms))
    steps = [after - before for before, after in pairwise(times)]
    return median_low(steps) if steps else None


def _until_ms(log: Log, column: Column) -> int:
    """A log stands for the time until it was stopped, else until its last reading."""
    last_ms = max(column.at_ms)
    return max(last_ms, log.until_ms or last_ms) + 1


def _pieces(source: str, log: Log, plans: list[ChannelPlan]) -> Iterator[list[Reading]]:
    for plan, column in zip(plans, log.columns, strict=True):
        readings = [
            Reading(source, plan.id, raw, column.unit if raw else "", at_ms, origin=Origin.IMPORTED, bad=bad,
                    doubt=doubt, simulated=log.simulated)
            for at_ms, raw, bad, doubt in zip(column.at_ms, column.raw, column.bad, column.doubt, strict=True)
        ]  # fmt: skip
        for first in range(0, len(readings), PIECE):
            yield readings[first : first + PIECE]
