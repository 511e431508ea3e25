"""`python -m tests.simulation [radio | planted]`: see `scripts/simulate`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Dispatch to what was asked for; each is imported only then."""
    match [*argv]:
        case ["radio", *rest]:
            from tests.simulation import radio

            return radio.main(rest)
        case ["planted", *rest]:
            from tests.simulation import planted

            return planted.main(rest)
        case _:
            from tests.simulation import campaign

            return campaign.main(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
