"""Where things lie in the data folder, and what the keeper tells its users about itself."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlsplit

ROLE = "helsevev"
DATABASE = "helsevev"

# A socket's address holds 107 bytes on Linux and 103 elsewhere; PostgreSQL adds its file's name.
_LONGEST_SOCKET = 103
_SOCKET_FILE = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of one data folder's embedded PostgreSQL."""

    data: Path

    @property
    def users(self) -> Path:
        """Locked shared by whoever uses the database, exclusively by a keeper that stops."""
        return self.data / "postgres.users"

    @property
    def keeper(self) -> Path:
        """Locked exclusively by the living keeper; holds its `State`."""
        return self.data / "postgres.keeper"

    @property
    def folder(self) -> Path:
        """All that belongs to PostgreSQL, and to the user it runs as."""
        return self.data / "postgres"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.folder / "cluster"

    @property
    def password(self) -> Path:
        """The role's random password, readable by its owner alone."""
        return self.folder / "password"

    @property
    def log(self) -> Path:
        """What the keeper and PostgreSQL had to say."""
        return self.folder / "log"

    def socket_folder(self) -> Path:
        """Return a private folder that can hold the socket, made when it is not there.

        It lies in the data folder unless the path is too long or the file system takes no
        sockets; then it is a short one among the machine's temporary folders, noted down so that
        the next start finds it again.
        """
        near = self.folder / "socket"
        near.mkdir(mode=0o700, exist_ok=True)
        if _takes_sockets(near):
            return near
        note = self.folder / "socket.elsewhere"
        if note.exists() and _is_private(Path(note.read_text())):
            return Path(note.read_text())
        # Not the folder of the login session: it goes away when the user logs out.
        for temporary in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp makes it private
            far = Path(tempfile.mkdtemp(prefix="helsevev-", dir=temporary))
            if _takes_sockets(far):
                note.write_text(str(far))
                return far
            far.rmdir()
        raise OSError(f"neither {near} nor {tempfile.gettempdir()} can hold PostgreSQL's socket")

    def remove_far_socket_folder(self) -> None:
        """Leave nothing among the machine's temporary folders; only when nobody knows it."""
        note = self.folder / "socket.elsewhere"
        if note.exists():
            with contextlib.suppress(OSError):
                Path(note.read_text()).rmdir()
            note.unlink()


@dataclass(frozen=True, slots=True)
class State:
    """What the keeper is doing; `message` says why it failed."""

    keeper: int
    phase: str
    socket: str = ""
    message: str = ""

    def write(self, descriptor: int) -> None:
        """Put it in the keeper's lock file in place of what was there."""
        text = json.dumps(asdict(self)).encode()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text, 0)

    @classmethod
    def read(cls, path: Path) -> State | None:
        """Read it; None when there is none or it is just being written."""
        try:
            return cls(**json.loads(path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None


def program_url(owner: str, role: str) -> str:
    """The URL by which the program connects, as a role that owns nothing, beside the owner's."""
    parts = urlsplit(owner)
    secret = sha256(f"{role} {parts.password}".encode()).hexdigest()
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{secret}@{host}").geturl()


def url(socket_folder: str, password: str, database: str = DATABASE) -> str:
    """Return the address of a database behind a unix socket, as PostgreSQL's URLs are written."""
    return f"postgresql://{ROLE}:{password}@/{database}?host={quote(socket_folder, safe='')}"


def answers(socket_folder: str) -> bool:
    """Tell whether something listens on the socket in the folder."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(f"{socket_folder}/{_SOCKET_FILE}")
        except OSError:
            return False
    return True


def _takes_sockets(folder: Path) -> bool:
    if len(os.fsencode(folder / _SOCKET_FILE)) > _LONGEST_SOCKET:
        return False
    trial = folder / ".trial"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            trial.unlink(missing_ok=True)
            probe.bind(str(trial))
        except OSError:
            return False
        finally:
            trial.unlink(missing_ok=True)
    return True


def _is_private(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return status.st_uid == os.geteuid() and status.st_mode & 0o170777 == 0o040700
