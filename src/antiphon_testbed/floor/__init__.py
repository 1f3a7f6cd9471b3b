"""The floor: agents, their work, and who gets what. Pure: times come in, effects go out."""
