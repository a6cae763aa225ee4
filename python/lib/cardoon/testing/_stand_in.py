"""What a test's worker executes in place of an interpreter: gives the line to the host, and lives as long as its zygote."""

from __future__ import annotations

import json
import socket
import sys


def main() -> None:
    with socket.socket(socket.AF_UNIX) as host:
        host.connect(sys.argv[1])
        # The worker's own words: -m cardoon._zygote --app NAME --pool POOL
        socket.send_fds(host, [json.dumps(sys.argv[2:]).encode()], [0])
        host.recv(1)


if __name__ == "__main__":
    main()
