"""The demonstration's configuration."""

from __future__ import annotations

from pathlib import Path

from coldchain_simulators.scenario import DemoBox


def configuration(box: DemoBox, broker_port: int, folder: Path) -> str:
    """A gateway.toml as a person would write it."""
    return f"""\
[site]
name = "Demonstration"

[journal]
path = "{folder / "journal.db"}"

[clock]
trust = "site"

[brokers.demo]
host = "127.0.0.1"
port = {broker_port}
protocol = "3.1.1"
client_id = "coldchain-demo"

[sources.controller]
title = "TEC 3000 on a pseudo-terminal"
driver = "mve_tec3000"
port = "{box.port}"
poll = "30 s"
simulated = true
settings = {_inline(box.tec_settings)}

[sources.loggers]
title = "Loggers on MQTT"
driver = "mqtt_json"
broker = "demo"
clock_tolerance = "10 min"
simulated = true
settings = {_inline(box.mqtt_settings)}

[assets.box-7]
kind = "dry_shipper"
title = "Dry shipper box-7"
profile = "dry-shipper-150"

[assets.fridge-1]
kind = "refrigerator"
title = "Refrigerator 1"
profile = "fridge-2-8-buffered"

[channels."box-7.vapour"]
source = "controller"
key = "temp_a"
asset = "box-7"
role = "vapour"
quantity = "temperature"
probe = "vapour"
fresh_within = "10 min"
valid_low = "-200 °C"
valid_high = "60 °C"

[channels."box-7.vapour-2"]
source = "loggers"
key = "box-7/vapour"
unit = "°C"
asset = "box-7"
role = "second-vapour"
quantity = "temperature"
probe = "vapour"
interval = "1 min"
fresh_within = "10 min"
valid_low = "-200 °C"
valid_high = "60 °C"

[channels."box-7.mass"]
source = "loggers"
key = "box-7/mass"
unit = "kg"
asset = "box-7"
role = "mass"
quantity = "mass"
interval = "1 min"
fresh_within = "10 min"
valid_low = "0 kg"
valid_high = "60 kg"

[channels."fridge-1.product"]
source = "loggers"
key = "fridge-1/temperature"
unit = "°C"
asset = "fridge-1"
role = "product"
quantity = "temperature"
probe = "buffered"
interval = "1 min"
fresh_within = "10 min"
valid_low = "-40 °C"
valid_high = "60 °C"
"""


def _inline(value: object) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {_inline(one)}' for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
