"""The courses of life, one state machine in each file, in the order they are told.

Those with hospital stays come before those whose appointments a stay cancels.
"""

from __future__ import annotations

from ..course import Course
from . import (
    acute_infection,
    asthma,
    cancer,
    child_programme,
    copd,
    dementia,
    depression,
    diabetes_type_2,
    disability,
    end_of_life,
    everyday,
    frailty,
    heart_failure,
    hip_fracture,
    pregnancy,
    school_health,
    stroke,
    substance_use,
    vaccination,
    wound,
)

COURSES: tuple[Course, ...] = (
    child_programme.COURSE,
    pregnancy.COURSE,
    stroke.COURSE,
    hip_fracture.COURSE,
    heart_failure.COURSE,
    copd.COURSE,
    cancer.COURSE,
    dementia.COURSE,
    acute_infection.COURSE,
    asthma.COURSE,
    depression.COURSE,
    substance_use.COURSE,
    disability.COURSE,
    frailty.COURSE,
    wound.COURSE,
    end_of_life.COURSE,
    diabetes_type_2.COURSE,
    everyday.COURSE,
    school_health.COURSE,
    vaccination.COURSE,
)
