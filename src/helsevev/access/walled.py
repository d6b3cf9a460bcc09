"""For those who answer requests: nothing about anybody is there until the gate finds a tie."""

from helsevev.record.wall import behind, see_whole

__all__ = ["behind", "see_whole"]
