"""The one suite that every core ledger passes."""

import pytest

# A failing assertion of the suite shows its values, as those of a test module do.
pytest.register_assert_rewrite("gateway.ledger.contract.suite")
