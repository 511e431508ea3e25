"""A visitor as Flask-Login wants them."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.signin.register import Visitor


@dataclass(frozen=True, slots=True)
class Signed:
    """Who is signed in. What the cookie keeps of them is a token, which the database knows."""

    visitor: Visitor
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """What is in the cookie."""
        return self.visitor.token
