"""What it means and what to do: estate, risk, clock, plan, and the pages that people read."""
