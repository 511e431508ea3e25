"""Every way leads somewhere, ends, and is short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.dialog.book import Book, Condition, Journey, Menu, Option, Slot
from gateway.dialog.checker.limits import Limits
from gateway.dialog.checker.told import fault
from gateway.dialog.kinds import KINDS
from gateway.dialog.yaml_lines import Fault


def faults(book: Book, limits: Limits) -> Iterator[Fault]:
    """Menus and journeys that nobody reaches, that never end, or that take too long."""
    depths = _depths(book)
    for menu in book.menus.values():
        if menu.name not in depths:
            yield fault(menu.at, "no option leads to this menu", screen=menu.name)
        elif not _leads_on(book, menu):
            what = "this menu leads to no journey"
            yield fault(menu.at, what, screen=menu.name, mend="give it an option that does")
        yield from _keys(menu, limits)
    yield from _circles(book)
    reached = {option.go for name in depths for option in book.menus[name].options}
    for journey in book.journeys.values():
        if journey.name not in reached and not journey.newcomers:
            yield fault(journey.at, "no option leads to this journey", screen=journey.name)
        if journey.name in reached and journey.newcomers:
            at = journey.lines.get("newcomers", journey.at)
            what = "it is for newcomers, and they see no menu"
            yield fault(at, what, screen=journey.name, mend="leave out the option, or `newcomers:`")
        for slot in journey.slots:
            yield from _too_many(journey, slot, limits)
        yield from _budget(book, journey, depths, limits)


# ---- Where ways lead -----------------------------------------------------------------------------


def _depths(book: Book) -> Mapping[str, int]:
    """How many keys it takes to each menu that can be reached."""
    depths, edge = {book.home: 0}, [book.home]
    while edge:
        name = edge.pop(0)
        for option in book.menus[name].options:
            if option.go in book.menus and option.go not in depths:
                depths[option.go] = depths[name] + 1
                edge.append(option.go)
    return depths


def _leads_on(book: Book, menu: Menu) -> bool:
    """Whether a journey can be reached from here. What leads to nothing is another fault."""
    seen, edge = {menu.name}, [menu]
    while edge:
        for option in edge.pop().options:
            if option.go not in book.menus:
                return True
            if option.go not in seen:
                seen.add(option.go)
                edge.append(book.menus[option.go])
    return False


def _circles(book: Book) -> Iterator[Fault]:
    """Options that lead back to a menu above: `0` and `00` do that, and a circle never ends."""

    def walk(name: str, above: tuple[str, ...]) -> Iterator[Fault]:
        seen.add(name)
        for option in book.menus[name].options:
            if option.go in (*above, name):
                what = f"`{option.go}` is where the member came from"
                mend = "0 and 00 lead back: leave the option out"
                yield fault(option.at, what, screen=name, mend=mend)
            elif option.go in book.menus and option.go not in seen:
                yield from walk(option.go, (*above, name))

    seen: set[str] = set()
    yield from walk(book.home, ())


# ---- Keys ----------------------------------------------------------------------------------------


def _keys(menu: Menu, limits: Limits) -> Iterator[Fault]:
    taken: set[int] = set()
    for number, option in enumerate(menu.options, start=1):
        if option.key in taken:
            yield fault(option.at, f"the key {option.key} is taken already", screen=menu.name)
        taken.add(option.key)
        if number > limits.options:
            what = f"this is option {number}: people lose the thread beyond {limits.options}"
            yield fault(option.at, what, screen=menu.name, mend="put some into a menu below")


def _too_many(journey: Journey, slot: Slot, limits: Limits) -> Iterator[Fault]:
    for number, choice in enumerate(slot.choices, start=1):
        if number > limits.options:
            what = f"this is choice {number}: people lose the thread beyond {limits.options}"
            at = choice.label.variants[0].at if choice.label.variants else slot.at
            yield fault(at, what, screen=f"{journey.name}/{slot.name}")


# ---- How long ways are ---------------------------------------------------------------------------


def _budget(
    book: Book, journey: Journey, depths: Mapping[str, int], limits: Limits
) -> Iterator[Fault]:
    """What a member types after dialling, the PIN included, on the longest way."""
    at = journey.lines.get("inputs_max", journey.at)
    if journey.inputs_max > limits.inputs:
        what = f"a session does not last for more than {limits.inputs} inputs"
        yield fault(at, what, screen=journey.name)
        return
    ways = [
        depths[name] + 1 + _inputs(journey, option)
        for name in depths
        for option in book.menus[name].options
        if option.go == journey.name
    ]
    if journey.newcomers:
        ways.append(len(journey.slots) + (journey.confirm is not None))
    if ways and max(ways) > journey.inputs_max:
        what = f"it takes {max(ways)} inputs, the PIN included, and {journey.inputs_max} are meant"
        mend = "ask for less, or bring it nearer to the home menu"
        yield fault(at, what, screen=journey.name, mend=mend)


def _inputs(journey: Journey, option: Option) -> int:
    """The slots that are asked, not those of which there is mostly one, and what confirms."""
    asked = [slot for slot in journey.slots if _asked(slot, option.given)]
    return len(asked) + (journey.confirm is not None)


def _asked(slot: Slot, given: Mapping[str, str]) -> bool:
    alone = slot.type in KINDS and KINDS[slot.type].alone
    return slot.name not in given and not alone and _may_hold(slot.only_when, given)


def _may_hold(condition: Condition | None, given: Mapping[str, str]) -> bool:
    """Whether a condition can hold for whoever came with these slots given."""
    if condition is None or condition.name not in given:
        return True
    return condition.value in {None, given[condition.name]}
