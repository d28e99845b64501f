"""From the lake to the reporting tables, one slice at a time: stage, audit, merge; ``session`` is the loop."""
