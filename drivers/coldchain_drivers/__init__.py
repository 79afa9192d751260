"""Device drivers: bytes in, readings as sent out. A driver knows no rule, no thread and no clock."""

from pathlib import Path

#: What is known of each device and from where, as data (coldchain.datasheet).
DATASHEETS = Path(__file__).parent / "datasheets"
