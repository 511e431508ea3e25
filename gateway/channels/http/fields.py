"""The fields of a request, whatever carried them."""

from __future__ import annotations

from collections.abc import Mapping

Scalar = str | int | float | bool | None


class Fields:
    """Fields by name. Providers are not careful about the case of a name: the exact one goes
    first, and then any other. What is no single value (JSON's lists and objects) is left out.

    It prints no value: one of them may be a PIN.
    """

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._exact: dict[str, Scalar] = {
            name: _sayable(value)
            for name, value in fields.items()
            if isinstance(value, str | int | float | bool)
        }
        self._folded = {name.casefold(): value for name, value in self._exact.items()}

    def __repr__(self) -> str:
        return f"Fields({', '.join(sorted(self._exact))})"

    def value(self, name: str | None) -> Scalar:
        """The value with its JSON type; None where there is none."""
        if name is None:
            return None
        return self._exact.get(name, self._folded.get(name.casefold()))

    def text(self, name: str | None) -> str:
        """The value as text; empty where there is none."""
        return as_text(self.value(name))


def _sayable(value: Scalar) -> Scalar:
    """Half a letter of UTF-16 could be echoed to nobody."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def as_text(value: Scalar) -> str:
    """A value of JSON or YAML as a form would have it: `true`, `2`."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
