"""`health.py URL`: exit 0 if the server behind URL answers 200 within four seconds."""

import sys
import urllib.request

# A proxy from the environment would be asked instead of the server beside us.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

if __name__ == "__main__":
    try:
        with _OPENER.open(sys.argv[1], timeout=4) as answer:
            sys.exit(0 if answer.status == 200 else 1)
    except OSError as problem:
        sys.exit(str(problem))
