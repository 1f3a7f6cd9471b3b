"""Reports: what is made of a run's journal, while it goes on or afterwards. They read the journal and nothing else."""
