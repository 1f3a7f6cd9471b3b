"""What antiphon costs: round trips per second of CPU, reaction time, a thousand desks. `python -m bench` says it."""
