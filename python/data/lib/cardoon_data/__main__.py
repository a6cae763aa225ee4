"""The ``cardoon-data`` command."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Runs the command line and exits with its status. What makes calls of Python is in Python."""
    if sys.argv[1:2] == ["calls"]:
        from cardoon_data._calls import command

        sys.exit(command.main(sys.argv[2:]))
    from cardoon_data import _engine

    # Python's own handler would only note the signal; the command handles it itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_engine.main(sys.argv[1:], sys.executable, ["-m", "cardoon_data"]))


if __name__ == "__main__":
    main()
