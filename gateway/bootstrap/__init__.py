"""The one place that names concrete classes.

`build` makes a cooperative's gateway from its settings. A test, a simulator or the demo calls it
too, with `Parts` of its own in place of the clock, randomness, the PIN hasher, the core ledger or
the SMS network.
"""

from gateway.bootstrap.duties import duties, line_duties
from gateway.bootstrap.gateways import build
from gateway.bootstrap.parts import ORDINARY, Parts, open_books, open_database
from gateway.bootstrap.site import application, console, wsgi

__all__ = [
    "ORDINARY",
    "Parts",
    "application",
    "build",
    "console",
    "duties",
    "line_duties",
    "open_books",
    "open_database",
    "wsgi",
]
