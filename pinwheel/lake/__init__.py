"""The only writer of Delta: landing, the pins table, compaction, late completion; and the readers of its log."""
