"""The first page, and who may do what."""

from __future__ import annotations

from flask import render_template

from gateway.console.access import DOORS, Needs, Views
from gateway.console.at_hand import AtHand
from gateway.signin.register import Role


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""
    del at_hand

    def show() -> str:
        return render_template("home.html")

    def who_may_what() -> str:
        doors = [door for door in DOORS if door.needs is Needs.ALL]
        return render_template("access.html", doors=doors, roles_in_order=list(Role))

    return {"home": show, "access.show": who_may_what}
