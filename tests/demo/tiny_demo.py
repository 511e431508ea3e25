"""A demo without a bank: `tiny_demo.py PORT DATA WEB WORKER`, the last two written in Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gateway.demo.supervise import run_demo

INVITATION = "dial *775#"


def _say(line: str) -> None:
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


if __name__ == "__main__":
    port, data, web, worker = sys.argv[1:]
    code = run_demo(
        int(port),
        Path(data),
        prepare=lambda endpoints: None,
        say=_say,
        environment=lambda endpoints: {"CHASKI_OF": "the demo"},
        web=[sys.executable, "-c", web, port],
        worker=[sys.executable, "-c", worker],
        invitation=INVITATION,
    )
    sys.exit(code)
