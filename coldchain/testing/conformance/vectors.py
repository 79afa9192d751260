"""Checks against the vectors of the datasheet: bytes that somebody published, and their meaning."""

from __future__ import annotations

from coldchain.datasheet import Says, Vector
from coldchain.driver import SerialDriver
from coldchain.model import Bad, Decoded, Measured, Noted
from coldchain.testing.conformance.subject import Subject, values


def it_reads_each_vector(subject: Subject) -> None:
    """Each vector is read as exactly the values and refusals beside it, and BAD keeps its bytes."""
    wrong = {}
    for vector in subject.datasheet.vectors:
        frame = subject.frame(vector)
        want = tuple(_item(said, frame) for said in vector.says)
        got = subject.read(vector)
        if got != want:
            wrong[vector.name] = f"\n  read {got}\n  not  {want}"
    assert not wrong, "".join(f"\n{name}:{how}" for name, how in wrong.items())


def _item(said: Says, frame: bytes) -> Measured | Bad | Noted:
    if said.bad is not None:
        return Bad(said.bad, frame, said.key, said.at_ms, said.sequence, said.history)
    assert said.key is not None
    if said.text is not None:
        return Noted(said.key, said.text, said.at_ms)
    assert said.value is not None
    return Measured(said.key, said.value, said.unit, said.at_ms, said.sequence, said.doubt, said.history)


def it_guesses_no_unit(subject: Subject) -> None:
    """The unit of each value is where the datasheet says: in the frame, or by request, format or settings."""
    for vector in subject.datasheet.vectors:
        frame = subject.frame(vector)
        wrong = [each for each in values(subject.read(vector)) if not _told(subject, vector, frame, each)]
        assert wrong == [], f"{vector.name}: {wrong}"


def _told(subject: Subject, vector: Vector, frame: bytes, value: Measured) -> bool:
    told = {key: each for each in subject.datasheet.units for key in each.keys}
    who = told.get(value.key) or told.get("*")
    assert who is not None, f"nobody tells the unit of {value.key}"
    spelled = [value.unit, *(code for code, unit in who.codes.items() if unit == value.unit)]
    sent = {text.encode(code, "replace") for text in spelled for code in ("latin-1", "utf-8")}
    if "frame" in who.by and any(each in frame for each in sent):
        return True
    stated = subject.driver.keys(subject.settings(vector.changes)).get(value.key, "")
    return who.by != ("frame",) and value.unit == stated


def it_answers_no_question_that_was_not_asked(subject: Subject) -> None:
    """A device that is asked: what comes without a question is never the value of some key."""
    driver = subject.driver
    if not isinstance(driver, SerialDriver):
        return
    for vector in subject.datasheet.vectors:
        settings = subject.settings(vector.changes)
        if driver.poll(settings):
            said: Decoded = driver.decode(settings, None, subject.frame(vector))
            assert values(said) == [], vector.name
            assert said, f"{vector.name}: what came unasked must be BAD"


def it_knows_its_device(subject: Subject) -> None:
    """The right device's identity is taken; a wrong one gets a sentence why."""
    driver, settings = subject.driver, subject.settings()
    requests = driver.identity(settings) if isinstance(driver, SerialDriver) else ()
    identities = subject.datasheet.identities
    for request in requests:
        own = [each for each in identities if (each.asked or requests[0].key) == request.key]
        assert {each.right for each in own} == {True, False}, f"{request.key}: show right and wrong"
        for each in own:
            assert isinstance(driver, SerialDriver)
            said = driver.identify(settings, request, each.reply)
            assert (said is None) is each.right, f"{each.name}: {said}"
            assert said is None or len(said) > 10, f"{each.name}: no sentence"
    assert requests or identities == (), "identities, and nobody is asked who it is"


CHECKS = (
    it_reads_each_vector,
    it_guesses_no_unit,
    it_answers_no_question_that_was_not_asked,
    it_knows_its_device,
)
