"""What the care plan chapter holds: plans, goals, and what is asked of somebody."""

from helsevev.care_plan import (
    begin_pages,
    decision_pages,
    plan,
    plan_pages,
    task,
    task_pages,
    together_pages,
)
from helsevev.care_plan.ahead import TasksAhead
from helsevev.care_plan.demo import load_plans
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="care_plan",
    owns=("CarePlan", "Goal", "Task"),
    routes=(
        *begin_pages.ROUTES, *together_pages.ROUTES, *task_pages.ROUTES, *decision_pages.ROUTES,
        *plan_pages.ROUTES,
    ),
    rules={"CarePlan": plan.check, "Task": task.check},
    jobs=(TasksAhead,),
    demo=(load_plans,),
)  # fmt: skip
