"""The ``cardoon`` command."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Runs the command line and exits with its status."""
    from cardoon import _core

    # Python's own handler would only note the signal; the command handles it itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_core.cli(["cardoon", *sys.argv[1:]], sys.executable))


if __name__ == "__main__":
    main()
