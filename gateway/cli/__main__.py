"""`python -m gateway.cli` is `chaski`."""

from gateway.cli.main import main

main()
