"""The trace: a run as one page that a browser opens from disk, with all that it shows inside it."""
