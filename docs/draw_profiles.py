"""Write the tables in docs/profiles.md, and docs/shipped-profiles.md, anew from the profiles.

Use: python docs/draw_profiles.py
"""

from pathlib import Path

from coldchain.profiles.documenting import redrawn, shipped_page

PAGE = Path(__file__).with_name("profiles.md")

if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    PAGE.with_name("shipped-profiles.md").write_text(shipped_page(), encoding="utf-8")
