"""What must fit together about alarms: works and what shows that they are done, contacts and their steps."""

from __future__ import annotations

from collections.abc import Mapping

from coldchain.config.draft import Draft
from coldchain.config.endpoints import SINKS, InfluxSink, NoticeTable, tells_unrecorded
from coldchain.config.positions import Place
from coldchain.config.problems import listed
from coldchain.config.work_tables import WorkTable
from coldchain.model import Priority
from coldchain.plan import OUT_OF_SERVICE


def check_alarms(draft: Draft) -> None:
    """Check works, contacts and steps, and that a journal which fails silences no alarm."""
    _check_works(draft)
    _check_calling(draft)
    _doubt_unrecorded(draft)


def _check_works(draft: Draft) -> None:
    """Whether what must show that a work is done is measured at all, and as that quantity."""
    if OUT_OF_SERVICE in draft.works:
        what = "is the kind of work with no more said"
        draft.refuse(
            ("works", OUT_OF_SERVICE), what, "give it another name, or write alarms.out_of_service_max"
        )
    for asset, settings in draft.assets.items():
        profile = draft.limits.get(settings.profile or "")
        _doubt_signs(draft, asset, profile.head.works if profile is not None else {})
    for name, work in draft.works.items():
        for role, quantity in work.measured().items():
            there = {channel.quantity for channel in draft.channels.values() if channel.role == role}
            place: Place = ("works", name, "done_when")
            if not there:
                roles = listed(sorted({channel.role for channel in draft.channels.values()}))
                draft.refuse((*place, "role"), f'no channel has the role "{role}"', f"roles here: {roles}")
            elif quantity not in there:
                what = f'"{role}" is a {listed(sorted(there))}, not a {quantity}'
                draft.refuse((*place, "by"), what, "write it in the unit of that quantity")


def _doubt_signs(draft: Draft, asset: str, works: Mapping[str, WorkTable]) -> None:
    """Whether an asset has what shows that the works of its profile go on and are done."""
    there = {channel.role for channel in draft.channels.values() if channel.asset == asset}
    for name, work in works.items():
        missing = sorted(work.measured().keys() - there)
        if missing:
            what = f"no reading shows {listed(missing)} there, and {name} of its profile is told by it"
            draft.warn(
                ("assets", asset, "profile"), what, "add a channel with that role, if the vessel has one"
            )


def _check_calling(draft: Draft) -> None:
    """Whether each contact can be reached, each step names one, and what is critical calls somebody."""
    for name, contact in draft.contacts.items():
        if draft.must_exist("sinks", contact.sink, ("contacts", name, "sink")):
            sink = draft.sinks.get(contact.sink)
            if sink is not None and not isinstance(sink, NoticeTable) and sink.kind in SINKS:
                what = f"sinks.{contact.sink} ({sink.kind}) tells no people"
                draft.refuse(
                    ("contacts", name, "sink"), what, "name a sink that sends notices, such as webhook"
                )
    called = set()
    for priority, steps in draft.escalation.by_priority().items():
        for index, step in enumerate(steps):
            for number, contact_name in enumerate(step.to):
                draft.must_exist(
                    "contacts", contact_name, ("escalation", priority.value, index, "to", number)
                )
                called.add(contact_name)
    for name in sorted(draft.contacts.keys() - called):
        draft.warn(("contacts", name), "no step calls it", "name it in [escalation], or remove it")
    if draft.contacts and not draft.escalation.critical:
        what = "what is critical calls no contact: it goes to every sink as if there were none"
        draft.warn(
            ("contacts",), what, 'write critical = [{ after = "0 min", to = ["…"] }] under [escalation]'
        )


def _doubt_unrecorded(draft: Draft) -> None:
    """Whether any sink is told of a critical alarm while the journal cannot be written."""
    able = {name: sink for name, sink in draft.sinks.items() if not isinstance(sink, InfluxSink)}
    for sink in able.values():
        critical = not isinstance(sink, NoticeTable) or Priority.CRITICAL in sink.priorities
        if tells_unrecorded(sink) and critical:
            return
    draft.warn(
        ("sinks",),
        "while the journal cannot be written, as on a full disk, no sink is told of a critical alarm",
        f"let one of these have unrecorded = true and the priority critical: {listed(able)}"
        if able
        else "add a sink that somebody acts on, such as webhook, mail or sms",
    )
