"""What the gate hands out of the record, and the database's failures that callers tell apart."""

from helsevev.record.connection import ConnectionLost, DatabaseError, WallRefused
from helsevev.record.export_jobs import JobRow
from helsevev.record.store import Stored

__all__ = ["ConnectionLost", "DatabaseError", "JobRow", "Stored", "WallRefused"]
