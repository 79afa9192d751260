"""Every payload codec by the name of its model, and a device's settings that choose one."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from coldchain.driver import Reach
from coldchain_drivers.lorawan.cayenne_lpp import cayenne_lpp
from coldchain_drivers.lorawan.codec import Codec
from coldchain_drivers.lorawan.dragino_lht65n import DRAGINO_LHT65N
from coldchain_drivers.lorawan.dragino_ltc2 import DRAGINO_LTC2, DRAGINO_LTC2_HT
from coldchain_drivers.lorawan.elsys import ELSYS
from coldchain_drivers.lorawan.milesight_em300 import MILESIGHT_EM300_MCS, MILESIGHT_EM300_TH
from coldchain_drivers.lorawan.milesight_pt100 import MILESIGHT_EM500_PT100
from coldchain_drivers.lorawan.milesight_ts101 import MILESIGHT_TS101
from coldchain_drivers.lorawan.milesight_ts201 import MILESIGHT_TS201
from coldchain_drivers.settings import Key, Strict

CODECS: dict[str, Codec] = {
    codec.name: codec
    for codec in (
        DRAGINO_LTC2,
        DRAGINO_LTC2_HT,
        DRAGINO_LHT65N,
        MILESIGHT_EM500_PT100,
        MILESIGHT_TS101,
        MILESIGHT_EM300_TH,
        MILESIGHT_EM300_MCS,
        MILESIGHT_TS201,
        ELSYS,
        cayenne_lpp(()),
    )
}


def _model(name: str) -> str:
    if name not in CODECS:
        raise ValueError(f'no payload of "{name}" is known; there are {", ".join(CODECS)}')
    return name


def _eui(text: str) -> str:
    bare = text.lower().replace("-", "").replace(":", "")
    if len(bare) != 16 or set(bare) - set("0123456789abcdef"):
        raise ValueError(f'"{text}" is no DevEUI; write its 16 hex digits')
    return bare


DevEui = Annotated[str, AfterValidator(_eui)]


class LoraDevice(Strict):
    """One sensor, and whose payload it sends."""

    name: Key = Field(description="keys of its values begin with it, as in shipper-7/channel_1")
    model: Annotated[str, AfterValidator(_model)] = Field(description="one of " + ", ".join(CODECS))
    lpp_channels: Annotated[tuple[Annotated[int, Field(ge=0, le=255)], ...], Field(strict=False)] = Field(
        default=(), description="for cayenne_lpp alone: its channels, as [3, 5]"
    )

    @model_validator(mode="after")
    def _has_channels(self) -> Self:
        if (self.model == "cayenne_lpp") is not bool(self.lpp_channels):
            raise ValueError("cayenne_lpp needs lpp_channels, and no other model has them")
        return self

    @cached_property
    def codec(self) -> Codec:
        """Whose payload it sends."""
        return cayenne_lpp(self.lpp_channels) if self.lpp_channels else CODECS[self.model]

    @cached_property
    def keys(self) -> dict[str, str]:
        """Every key, with its unit as sent."""
        return {f"{self.name}/{name}": unit for name, unit in self.codec.units.items()}

    @property
    def reach(self) -> dict[str, Reach]:
        """How far each key reaches, where it ends."""
        return {f"{self.name}/{name}": reach for name, reach in self.codec.reach.items()}
