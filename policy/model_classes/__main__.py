"""Write the classes that a model may be made of, from the libraries that are installed.

`python -m policy.model_classes`; the libraries should be those of `requirements.lock`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from policy.model_classes.defined import ROOTS, defined_in, written

LIST = Path(__file__).parents[2] / "interlock/release/gates/files/model_classes.txt"


def main() -> int:
    """Return the exit code."""
    LIST.write_text(written({one for root in ROOTS for one in defined_in(root)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
