"""From the lake to the reporting tables, a slice at a time: stage, audit, merge; ``session`` keeps doing it."""
