"""What edge nodes of Sparkplug say of themselves on a broker that nobody has described yet.

Only a birth names metrics, and a node is born when it connects or when a host asks it. A unit is taken from
a property of the metric alone; which metrics are a site's temperatures nobody but the site knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from coldchain.driver import Found
from coldchain.model import Measured
from coldchain.session import Publication
from coldchain_drivers.lies import KNOWN_UNITS
from coldchain_drivers.sparkplug_payload import Metric, NotPayload, Payload, Type, read
from coldchain_drivers.sparkplug_session import Held, rebirth
from coldchain_drivers.sparkplug_settings import Node
from coldchain_drivers.sparkplug_values import value_of

#: What edge nodes publish that says who they are, or that they are there.
LOOKS_AT = ("spBv1.0/+/NBIRTH/+", "spBv1.0/+/DBIRTH/+/+", "spBv1.0/+/NDATA/+", "spBv1.0/+/DDATA/+/+")
#: Metrics of the protocol itself.
_OWN = ("bdSeq", "Node Control/", "Device Control/", "Node Info/")
_KEY_MAX = 64


def find(heard: Mapping[str, bytes]) -> Found | None:
    """The numeric metrics of the births that were heard; those whose unit no birth tells are named."""
    metrics: dict[str, dict[str, str]] = {}
    now: dict[str, tuple[str, str]] = {}
    unitless: list[str] = []
    for node, device, metric, held in _born(heard):
        where = {"group": node[0], "edge_node": node[1]} | ({"device": device} if device else {})
        where["metric"] = metric.name
        unit_property = _unit_property(metric)
        unit = str(metric.properties[unit_property]) if unit_property else ""
        said = value_of("", unit or "C", metric.datatype, metric, held)  # the unit is no part of the number
        value = said.value if isinstance(said, Measured) else "no value"
        if not unit_property:
            unitless.append(f"{'/'.join(where.values())} = {value}")
            continue
        key = _key("/".join(filter(None, (device or node[1], metric.name))), metrics)
        metrics[key] = {"key": key} | where | {"unit_property": unit_property}
        if isinstance(said, Measured):
            now[key] = (value, unit)
    unborn = [f"{group}/{node}" for group, node in _unborn(heard)]
    if not metrics and not unitless and not unborn:
        return None
    notes = [
        f"{each}: heard without its birth, which alone names its metrics; listen until it connects, or --ask"
        for each in unborn
    ]
    notes += ["metrics whose unit no birth tells; add those you want, each with unit = …:"] * bool(unitless)
    notes += [f"    {each}" for each in unitless]
    whose = {"host_id": "our own name as a host, one for each gateway"}
    if not metrics:
        whose["metrics"] = "which of these, as { key, group, edge_node, device, metric, unit }"
        return Found({}, whose, notes=tuple(notes))
    trial = {"host_id": "coldchain"}
    return Found({"metrics": list(metrics.values())}, whose, trial, now, tuple(notes))


def asks(heard: Mapping[str, bytes], utc_ms: int) -> tuple[Publication, ...]:
    """A rebirth of each node that was heard and not born: what this host asks in service, too."""
    return tuple(rebirth(node, utc_ms) for node in _unborn(heard))


def _parts(topic: str) -> tuple[str, Node, str]:
    """Kind of message, node and device ("": the node itself)."""
    _, group, kind, node, *device = topic.split("/")
    return kind, (group, node), "".join(device)


def _births(heard: Mapping[str, bytes]) -> Iterator[tuple[Node, str, Payload, bytes]]:
    for topic, frame in sorted(heard.items()):
        kind, node, device = _parts(topic)
        if kind in {"NBIRTH", "DBIRTH"}:
            try:
                yield node, device, read(frame), frame
            except NotPayload:
                continue


def _born(heard: Mapping[str, bytes]) -> Iterator[tuple[Node, str, Metric, Held]]:
    """Each metric of a birth that is a number and no part of the protocol."""
    for node, device, payload, frame in _births(heard):
        held = Held(0, "", device, payload, frame)
        for metric in payload.metrics:
            whole = metric.datatype is not None and Type.INT8 <= metric.datatype <= Type.BOOLEAN
            if whole and metric.name and not metric.name.startswith(_OWN):
                yield node, device, metric, held


def _unborn(heard: Mapping[str, bytes]) -> list[Node]:
    """Nodes that were heard, or a device of theirs, without its birth."""
    born = {(node, device) for node, device, _, _ in _births(heard)}
    there = {_parts(topic)[1:] for topic in heard}
    return sorted({node for node, device in there if (node, device) not in born or (node, "") not in born})


def _unit_property(metric: Metric) -> str | None:
    """The one property that holds a unit; None if none or several do."""
    found = [name for name, said in metric.properties.items() if said in KNOWN_UNITS]
    return found[0] if len(found) == 1 else None


def _key(name: str, taken: Mapping[str, object]) -> str:
    made = re.sub(r"[^A-Za-z0-9_./-]+", "-", name).strip("-./")[-_KEY_MAX:].lstrip("-./") or "metric"
    number, key = 2, made
    while key in taken:
        key, number = f"{made[: _KEY_MAX - 4]}-{number}", number + 1
    return key
