"""From what a person asks for to the fact that the journal keeps."""

from __future__ import annotations

from collections.abc import Callable

from coldchain.facts import (
    Acknowledged,
    AlarmClosed,
    Bound,
    ConsignmentEnded,
    ConsignmentStarted,
    EtaSet,
    ExcursionReopened,
    ExcursionResolved,
    Fact,
    LatchReset,
    Shelved,
    StageEntered,
    Unbound,
    Unshelved,
    WorkBegan,
    WorkEnded,
)
from coldchain.removed import NamesErased
from coldchain.web.station import (
    AcknowledgeAlarm,
    Action,
    Actor,
    BeginWork,
    BindChannel,
    CloseAlarm,
    EndConsignment,
    EndWork,
    EnterStage,
    EraseNames,
    ReopenExcursion,
    ResetLatch,
    ResolveExcursion,
    SetEta,
    ShelveAlarm,
    StartConsignment,
    UnbindChannel,
    UnshelveAlarm,
)


def fact_of(action: Action, actor: Actor, commit_to: Callable[[str], str], now_ms: int) -> Fact:
    """The fact of an action. `commit_to` keeps a private text and answers what stands for it."""
    who = commit_to(actor.name)
    at_ms = getattr(action, "at_ms", None)
    at_ms = now_ms if at_ms is None else at_ms
    match action:
        case AcknowledgeAlarm():
            return Acknowledged(action.alarm, action.occurrences, who, commit_to(action.comment))
        case ShelveAlarm():
            return Shelved(action.alarm, action.until_ms, who, commit_to(action.comment))
        case UnshelveAlarm():
            return Unshelved(action.alarm, who, commit_to(action.comment))
        case ResetLatch():
            return LatchReset(action.alarm, who, commit_to(action.comment))
        case CloseAlarm():
            return AlarmClosed(action.alarm, who, commit_to(action.comment))
        case StartConsignment():
            return ConsignmentStarted(
                action.consignment,
                action.asset,
                action.profile,
                action.stage,
                at_ms,
                action.units,
                who,
                commit_to(action.why),
            )
        case EnterStage():
            return StageEntered(action.consignment, action.stage, at_ms, who, commit_to(action.why))
        case SetEta():
            return EtaSet(action.consignment, action.eta_ms, at_ms, who)
        case EndConsignment():
            return ConsignmentEnded(
                action.consignment, str(action.outcome), at_ms, who, commit_to(action.why)
            )
        case BindChannel():
            return Bound(action.channel, action.asset, action.role, at_ms, who, commit_to(action.why))
        case BeginWork() | EndWork() | ResolveExcursion() | ReopenExcursion():
            return _judgement(action, who, commit_to(action.comment))
        case UnbindChannel():
            return Unbound(action.channel, at_ms, who, commit_to(action.why))
        case EraseNames():
            return NamesErased(action.commitments, who, commit_to(action.comment))


def _judgement(
    action: BeginWork | EndWork | ResolveExcursion | ReopenExcursion, who: str, comment: str
) -> Fact:
    """What a person says of a vessel, or of what happened in it."""
    match action:
        case BeginWork():
            return WorkBegan(action.scope, action.work, action.until_ms, who, comment)
        case EndWork():
            return WorkEnded(action.scope, action.work, who, comment)
        case ResolveExcursion():
            return ExcursionResolved(action.excursion, action.from_ms, action.to_ms, who, comment)
        case ReopenExcursion():
            return ExcursionReopened(action.excursion, who, comment)
