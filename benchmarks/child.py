"""One side of one case, in this process: `python -m benchmarks.child module:function '{"options": …}'`.

Only the side's own module is imported, so that a baseline's memory is not the program's. Prints its figures
as JSON.
"""

from __future__ import annotations

import importlib
import json
import sys


def main() -> None:
    """Run the side that the command line names."""
    module, function = sys.argv[1].split(":")
    side = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    print(json.dumps(side(json.loads(sys.argv[2]))))


main()
