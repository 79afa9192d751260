"""Write the drawings and the list in docs/alarms.md anew from the alarm table.

Use: python docs/draw_alarms.py
"""

from pathlib import Path

from coldchain.alarms.drawing import redrawn

PAGE = Path(__file__).with_name("alarms.md")

if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
