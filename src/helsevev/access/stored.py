"""What the gate hands out of the record, and the one failure of the record that callers name."""

from helsevev.record.database import ConnectionLost
from helsevev.record.store import Stored

__all__ = ["ConnectionLost", "Stored"]
