"""Folders that nobody but the servers' account can enter, and which account that is."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import secrets
import stat
from pathlib import Path

from gateway.embedded.leash import Account, ourselves
from gateway.embedded.words import EmbeddedError


def guard(folder: Path, gid: int | None = None) -> Account:
    """Make a folder that only its servers' account may pass, or see that it still is one.

    Where everybody may create, somebody else may have been first: then it is not used.

    Args:
        gid: the group that root's servers have; without it, one that the folder has or is given.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not ours or stat.S_IMODE(found.st_mode) & 0o067:
        raise EmbeddedError(
            f"{folder} is not a folder that only you can write and read: if you know it, "
            "remove it, else give another --data"
        )
    if os.geteuid() != 0:
        return ourselves()
    # `nobody` is whoever cares to be: a group that no one else has keeps other nobodies out.
    if gid is None:
        gid = found.st_gid if found.st_mode & stat.S_IXGRP else _unused_gid()
    os.chown(folder, 0, gid)
    folder.chmod(0o710)
    return Account(_nobody(), gid)


def _nobody() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        unknown = "PostgreSQL does not run as root, and there is no account `nobody` to run it as"
        raise EmbeddedError(f"{unknown}: start as an ordinary user") from None


def _unused_gid() -> int:
    taken = {group.gr_gid for group in grp.getgrall()}
    while (gid := 60_100 + secrets.randbelow(4_900)) in taken:  # below systemd's own and nogroup
        pass
    return gid


def handed_over(folder: Path, account: Account) -> Path:
    """A folder that belongs to the account alone. Its parent is guarded, so no one was first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != account.uid:
        os.chown(folder, account.uid, account.gid)
    return folder
