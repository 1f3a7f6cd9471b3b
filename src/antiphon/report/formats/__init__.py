"""What a run's journal is made into: one module, or folder, for each format."""
