"""The reports of a load: read once from its record, shown as a page, numbers for machines, and texts."""
