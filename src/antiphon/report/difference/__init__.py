"""What differs between two runs: messages, fields, timings; ids and times that every run has anew are left out."""
