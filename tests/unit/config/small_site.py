"""A small site for the tests of this room: two drivers, a profile, a configuration that is right.

`changed` makes it wrong in one place. A line that ends in `#<` is the line that the problem must name.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from coldchain.config import ConfigError, load
from coldchain.driver import Driver, Line, Maturity, MqttDriver, Query, SerialDriver
from coldchain.model import Decoded


class _Settings(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class ProbeSettings(_Settings):
    unit: str = "degC"
    baud: int | None = 9600
    speaks: bool = False


class TrackerSettings(_Settings):
    topic: str
    simulated: bool = False
    sends_time: bool = True


def _nothing(*_: object) -> Decoded:
    return ()


PROBE = SerialDriver(
    name="probe",
    version="1",
    title="A probe that is asked",
    maturity=Maturity.GENERIC,
    settings=ProbeSettings,
    line=lambda s: Line(b"\n", 80, 1000, s.baud, "8N1"),
    poll=lambda s: () if s.speaks else (Query("temp_a", b"A?\n"),),
    decode=_nothing,
    keys=lambda s: {"temp_a": s.unit, "temp_b": s.unit},
)
TRACKER = MqttDriver(
    name="tracker",
    version="1",
    title="A tracker that speaks by itself",
    maturity=Maturity.GENERIC,
    settings=TrackerSettings,
    topics=lambda s: (s.topic,),
    decode=_nothing,
    keys=lambda s: {"mass": "kg", "vapour": "degC"},
    sends_time=lambda s: s.sends_time,
)
DRIVERS: dict[str, Driver] = {"probe": PROBE, "tracker": TRACKER}

PROFILE = """\
id = "frozen"
version = "3"
status = "unapproved"
title = "Frozen"
product_state = "frozen"

[figures.allowance]
title = "Time allowed above -150 °C"
default = "0 min"
source = "the label allows none"

[stages.storage]
title = "In storage"

[stages.transport]
title = "In transit"

[rules.too-warm]
role = "vapour"
side = "above"
value = "-150 °C"
hold = "10 min"
hold_source = "judgement"
priority = "critical"
advice = "Move it."
source = "label"
confidence = "high"

[rules.time-too-warm]
kind = "budget"
stages = ["transport"]
role = "vapour"
side = "above"
value = "-150 °C"
allowance = { figure = "allowance" }
priority = "low"
advice = "Quarantine."
source = "label"
confidence = "high"
"""

CONFIG = """\
[site]
name = "Cell bank"
time_zone = "Asia/Shanghai"

[journal]
path = "journal.db"

[alarms.re_alarm]
critical = "15 min"

[profiles]
directories = ["limits"]

[brokers.local]
host = "127.0.0.1"
client_id = "gateway-1"

[sources.freezer]
driver = "probe"
port = "/dev/ttyUSB0"
poll = "10 s"

[sources.shipper]
driver = "tracker"
broker = "local"

[sources.shipper.settings]
topic = "shipper/7"

[assets.dewar-2]
kind = "dewar"
profile = "frozen"
stage = "storage"

[assets.shipper-7]
kind = "dry_shipper"
tare_mass = "5.3 kg"
full_mass = "8.6 kg"
qualified_hold = "7 d"
profile = "frozen"
stage = "transport"

[channels."dewar-2.vapour"]
source = "freezer"
key = "temp_a"
asset = "dewar-2"
role = "vapour"
quantity = "temperature"
probe = "vapour"
fresh_within = "2 min"
valid_low = "-200 °C"
valid_high = "60 °C"

[channels."shipper-7.vapour"]
source = "shipper"
key = "vapour"
asset = "shipper-7"
role = "vapour"
quantity = "temperature"
probe = "vapour"
interval = "1 min"
fresh_within = "10 min"
valid_low = "-200 °C"
valid_high = "60 °C"

[channels."shipper-7.mass"]
source = "shipper"
key = "mass"
asset = "shipper-7"
role = "mass"
quantity = "mass"
interval = "1 min"
upload = "10 min"
fresh_within = "30 min"
valid_low = "0 kg"
valid_high = "60 kg"

[sinks.state]
kind = "mqtt_state"
broker = "local"
"""


def changed(text: str, old: str, new: str) -> str:
    """`text` with its one `old` made `new`; `old` empty: `new` at the end."""
    if not old:
        return text + new
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def write(folder: Path, config: str = CONFIG, profile: str = PROFILE) -> Path:
    """The site's files in a folder; returns the path of gateway.toml."""
    (folder / "limits").mkdir(exist_ok=True)
    (folder / "limits" / "frozen.toml").write_text(profile, encoding="utf-8")
    path = folder / "gateway.toml"
    path.write_text(config, encoding="utf-8")
    return path


def marked(text: str, message: str) -> str:
    """A message with `:@:` made the number of the one line of `text` that ends in `#<`."""
    lines = [number for number, line in enumerate(text.split("\n"), 1) if line.endswith("#<")]
    assert ":@:" not in message or len(lines) == 1
    return message.replace(":@:", f":{lines[0]}:") if lines else message


def problems(path: Path) -> list[str]:
    """What `load` says is wrong, line by line; none if it is right."""
    try:
        load(path, drivers=DRIVERS)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def warnings(path: Path) -> list[str]:
    """What `load` says is doubtful; the file must be right."""
    return [str(warning) for warning in load(path, drivers=DRIVERS).warnings]


class SirenSettings(_Settings):
    kind: str
    pin: int


class SIREN:
    """What a sink publishes, as far as a configuration looks at it."""

    settings = SirenSettings
