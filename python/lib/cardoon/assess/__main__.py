"""The command `cardoon assess`."""

from __future__ import annotations

import os
import sys

from .command import main
from .stdout import reserved_stdout

if __name__ == "__main__":
    with reserved_stdout() as stdout:
        status = main(sys.argv[1:], stdout, sys.stderr, os.environ)
    sys.exit(status)
