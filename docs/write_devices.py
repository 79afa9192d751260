"""Write docs/drivers/modbus_devices.md anew from the data files under config/devices.

Use: python docs/write_devices.py
"""

from pathlib import Path

from coldchain.config.devices import device_files, shipped_device
from coldchain_drivers.modbus_device import DeviceFile
from coldchain_drivers.modbus_pages import page

PAGE = Path(__file__).parent / "drivers" / "modbus_devices.md"

if __name__ == "__main__":
    devices = {name: shipped_device(name, DeviceFile) for name in device_files()}
    PAGE.write_text(
        page({name: each for name, each in devices.items() if isinstance(each, DeviceFile)}), encoding="utf-8"
    )
