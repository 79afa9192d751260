"""Write docs/drivers/*.md anew: a page for each driver from its datasheet, and the readings that lie.

Use: python docs/write_driver_pages.py
"""

from pathlib import Path

from coldchain.config.example import load_example
from coldchain.config.sources import installed_drivers
from coldchain.datasheet import read_datasheet
from coldchain.driver import Driver
from coldchain.reports.driver_page import driver_page
from coldchain_drivers import DATASHEETS
from coldchain_drivers.lies_page import lies_page

FOLDER = Path(__file__).parent / "drivers"


def page(driver: Driver) -> str:
    """The page of a driver."""
    sheet = read_datasheet(driver)
    (source,) = load_example(driver, sheet).sources.values()
    return driver_page(driver, sheet, source)


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    ours = [
        each
        for each in installed_drivers().values()
        if each.datasheet and each.datasheet.parent == DATASHEETS
    ]
    return {f"{driver.name}.md": page(driver) for driver in ours} | {"lies.md": lies_page()}


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
