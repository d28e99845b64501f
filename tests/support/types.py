"""Types of the fixtures that are functions."""

from collections.abc import Callable

from pinwheel.clients.memsql import Row

Query = Callable[[str], list[Row]]  # a statement; its rows
AskReport = Callable[..., list[Row]]  # a question of sql/questions and its parameters; its rows
MergeEvents = Callable[..., None]  # rows of the lake, or none when they are there already
MergeAll = Callable[..., None]  # merges all that is due; ``rolled_up``: whether the rollups follow
