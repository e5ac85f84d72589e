"""Serves Lambda's runtime API with the handler beside this file."""

import os
import sys

from awslambdaric.__main__ import main

if __name__ == "__main__":
    # Isolated mode leaves a program's own folder out of the search path.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    main([sys.argv[0], "handling.handle"])
