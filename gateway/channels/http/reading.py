"""Profiles out of their files, each fault with its line."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from gateway.channels import sheets
from gateway.channels.http.checks import faults
from gateway.channels.http.profile import Profile, Sheet
from gateway.channels.sheets import FaultySheetError, SheetFault, faulty

SHIPPED = Path(__file__).parent / "profiles"

PROFILES_MAX = 100  # a cooperative has contracts with two or three aggregators

# It stands in the webhook's path, in each log line and in each figure.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


def load_profile(path: Path) -> Profile:
    """The profile of a file, checked.

    Raises:
        FaultySheetError: there is no such file, it is none, or it would not work.
    """
    if not _NAME.fullmatch(path.stem) or path.suffix != ".yaml":
        raise faulty(path, "a profile is called like `hubtel.yaml`: a-z, 0-9 and -")
    sheet = sheets.read(path, Sheet)
    sheet.refuse(faults(sheet.data))
    data = sheet.data
    return Profile(path.stem, data.source, tuple(data.unconfirmed), data.request, data.reply)


def check_profile(path: Path) -> tuple[SheetFault, ...]:
    """Every fault of a file that shall be a profile; none: it can be served."""
    return tuple(sheets.all_faults([lambda: load_profile(path)]))


def load_profiles(folder: Path | None = None) -> dict[str, Profile]:
    """The profiles that are shipped and those of a folder, by name. Of two of one name the folder's
    is served.

    Raises:
        FaultySheetError: with the faults of all of them, or that there is no such folder.
    """
    paths = {path.stem: path for path in (*_files(SHIPPED), *(_files(folder) if folder else ()))}
    if found := sheets.all_faults(partial(load_profile, path) for path in paths.values()):
        raise FaultySheetError(found)
    return {name: load_profile(path) for name, path in sorted(paths.items())}


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise faulty(folder, "there is no such folder")
    if strays := sorted(folder.glob("*.[yY][mM][lL]")):
        raise faulty(strays[0], "is not read: rename it to .yaml")
    files = sorted(folder.glob("*.yaml"))
    if len(files) > PROFILES_MAX:
        raise faulty(folder, f"more than {PROFILES_MAX} profiles")
    return files
