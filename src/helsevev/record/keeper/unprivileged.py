"""PostgreSQL refuses to run as root: this finds and takes on an identity it accepts."""

from __future__ import annotations

import ctypes
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
# Accounts that own nothing, in the order of preference; every distribution has one of them.
_ACCOUNTS = ("postgres", "daemon", "nobody")


class NoIdentity(Exception):
    """There is no user as whom PostgreSQL can run in this folder; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who PostgreSQL runs as.

    `drop_to` is the user that root becomes, None to stay who we are. `namespace` stays the same
    user for every file and is called by another name inside: no file changes its owner.
    """

    drop_to: int | None = None
    namespace: bool = False

    def enter(self) -> None:
        """Become it, for good. Only in a process with one thread. Raises OSError."""
        if self.drop_to is not None:
            group = _group_of(self.drop_to)
            os.setgroups([])
            os.setresgid(group, group, group)
            os.setresuid(self.drop_to, self.drop_to, self.drop_to)
        if self.namespace:
            _enter_namespace()


def choose(data: Path, folder: Path, binaries: Path) -> Identity:
    """Find the first identity that can enter `data` and run what lies in `binaries`.

    `folder` (in `data`) is where PostgreSQL's files are, if there are any: who owns them already
    goes on doing so. Raises `NoIdentity`.
    """
    if os.geteuid() != 0:
        return Identity(namespace=not _has_name(os.geteuid()))
    for identity in _candidates(data, folder):
        # A dropped user needs only to get as far as the data folder; `prepare` lets it in there.
        reach = data if identity.drop_to is None else data.parent
        if _works(identity, reach, binaries):
            return identity
    raise NoIdentity(
        "PostgreSQL does not run as root. Neither a user namespace nor an unprivileged user could "
        f"both enter {data.parent} and run the programs in {binaries}. Run as an ordinary user, "
        "or put the repository and the data folder (HELSEVEV_DATA) where others may enter, "
        "for example with: chmod o+x on each folder above them."
    )


def prepare(identity: Identity, data: Path, folder: Path) -> None:
    """Make `folder` and give it, and nothing else, to the identity."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if identity.drop_to is None:
        return
    data.chmod(data.stat().st_mode & 0o777 | 0o011)
    if folder.stat().st_uid != identity.drop_to:
        group = _group_of(identity.drop_to)
        for path, _, files in os.walk(folder):
            for name in (path, *(os.path.join(path, file) for file in files)):
                os.lchown(name, identity.drop_to, group)


def _candidates(data: Path, folder: Path) -> list[Identity]:
    owner = folder.stat().st_uid if folder.exists() else 0
    if owner != 0:
        return [Identity(drop_to=owner, namespace=not _has_name(owner))]
    owners = [path.stat().st_uid for path in (data, *data.parents)]
    accounts = [pwd.getpwnam(name).pw_uid for name in _ACCOUNTS if _is_account(name)]
    users = dict.fromkeys(uid for uid in owners + accounts if uid != 0)
    dropped = [Identity(drop_to=uid, namespace=not _has_name(uid)) for uid in users]
    return [Identity(namespace=True), *dropped]


def _works(identity: Identity, reach: Path, binaries: Path) -> bool:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            identity.enter()
            os.chdir(reach)
            command = [str(binaries / "postgres"), "--version"]
            silent = subprocess.DEVNULL
            status = subprocess.call(command, stdin=silent, stdout=silent, stderr=silent)
        except OSError:
            pass
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def _enter_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    # initdb looks its user up, so the name inside must be one that the machine knows.
    inside = next(pwd.getpwnam(name) for name in (*_ACCOUNTS, _any_account()) if _is_account(name))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside.pw_uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inside.pw_gid} {gid} 1")


def _any_account() -> str:
    return next((entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != 0), "")


def _is_account(name: str) -> bool:
    try:
        return pwd.getpwnam(name).pw_uid != 0
    except KeyError:
        return False


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _group_of(uid: int) -> int:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return uid
