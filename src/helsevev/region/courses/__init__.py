"""The courses of life, one state machine in each file, in the order they are told."""

from __future__ import annotations

from ..course import Course
from . import frailty, heart_failure

COURSES: tuple[Course, ...] = (heart_failure.COURSE, frailty.COURSE)
