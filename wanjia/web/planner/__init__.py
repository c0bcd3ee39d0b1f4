"""Pages of the planner audience."""
