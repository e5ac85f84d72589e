"""Serves Lambda's runtime API with the library's function of the ledger, from where the image keeps the library."""

import sys
from pathlib import Path

from awslambdaric.__main__ import main

HANDLER = "interlock.aws.ledger_function.handle"

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "--library":
        sys.exit("the arguments are --library and the folder of the package interlock")
    # An isolated interpreter looks nowhere else than in its own packages.
    sys.path.insert(0, str(Path(sys.argv[2]).parent))
    main([sys.argv[0], HANDLER])
