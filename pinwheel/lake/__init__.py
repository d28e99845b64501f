"""The only writer of Delta: landing, compaction, late completion; and the readers of the table and its log."""
