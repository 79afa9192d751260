"""Settings of `sparkplug_b`: who we are, and which metrics of which edge nodes are ours."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from coldchain_drivers.settings import Key, Strict, UnitToken


def _id(text: str) -> str:
    if set(text) & set("+/#\0"):
        raise ValueError(f'"{text}": an id of Sparkplug has no +, / or # in it')
    return text


SparkplugId = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_id)]


class MetricSetting(Strict):
    """One metric that is a quantity of ours."""

    key: Key = Field(description="name of the quantity; channels refer to it")
    group: SparkplugId = Field(description="group id, the second level of its topics")
    edge_node: SparkplugId = Field(description="edge node id, the fourth level of its topics")
    device: SparkplugId | None = Field(
        default=None, description="device id, the fifth level; left out: a metric of the edge node itself"
    )
    metric: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        description="name of the metric as in the birth, as Temperature/Vapor"
    )
    unit: UnitToken | None = Field(
        default=None, description="unit of the metric; this or unit_property is needed"
    )
    unit_property: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="property of the metric that holds the unit in the birth, as engUnit"
    )

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if (self.unit is None) is (self.unit_property is None):
            raise ValueError("give either unit or unit_property: a unit is never guessed")
        return self


Node = tuple[str, str]  # group, edge node


class SparkplugSettings(Strict):
    """A host application and what it listens to."""

    host_id: SparkplugId = Field(
        description="our own id as a host, one for each gateway: edge nodes may wait for it to be there"
    )
    metrics: Annotated[tuple[MetricSetting, ...], Field(strict=False, min_length=1)] = Field(
        description="the quantities: a table of key, group, edge_node, device, metric, unit"
    )
    reorder_timeout_ms: Annotated[int, Field(ge=0, le=60_000)] = Field(
        default=2000,
        description="how long a missing message may take before a rebirth is asked for (2000: our judgement)",
    )

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len({metric.key for metric in self.metrics}) < len(self.metrics):
            raise ValueError("two metrics have the same key")
        if len(self.wanted) < len(self.metrics):
            raise ValueError("two keys are the same metric")
        return self

    @cached_property
    def wanted(self) -> dict[tuple[Node, str, str], MetricSetting]:
        """Each metric by node, device ("": the node itself) and name."""
        return {((m.group, m.edge_node), m.device or "", m.metric): m for m in self.metrics}

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The edge nodes, in the order of the settings."""
        return tuple(dict.fromkeys((m.group, m.edge_node) for m in self.metrics))

    def of(self, node: Node, device: str | None = None) -> tuple[MetricSetting, ...]:
        """What is wanted of a node, or of one device of it."""
        return tuple(
            m
            for m in self.metrics
            if (m.group, m.edge_node) == node and (device is None or (m.device or "") == device)
        )
