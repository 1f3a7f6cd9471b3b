"""Scenarios: steps, workflows, and the run that performs them."""
