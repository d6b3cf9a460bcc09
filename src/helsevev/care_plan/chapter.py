"""What the care plan chapter holds: plans, goals, and what is asked of somebody."""

from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(name="care_plan", owns=("CarePlan", "Goal", "Task"))
