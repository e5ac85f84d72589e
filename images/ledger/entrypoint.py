"""Serves Lambda's runtime API with the library's function of the ledger, from where the image keeps the library."""

import sys
from pathlib import Path

from awslambdaric.__main__ import main

HANDLER = "interlock.aws.ledger_function.handle"

if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1:4:2] != ["--library", "--fingerprint-file"]:
        sys.exit("the arguments are --library with the folder of the package interlock, and --fingerprint-file")
    # An isolated interpreter looks nowhere else than in its own packages.
    sys.path.insert(0, str(Path(sys.argv[2]).parent))
    from interlock.aws.ledger_function import trust_what_is_built_in

    trust_what_is_built_in(Path(sys.argv[4]))
    main([sys.argv[0], HANDLER])
