"""From the lake to the reporting tables, one slice at a time: prepare, judge, merge; ``session`` is the loop."""
