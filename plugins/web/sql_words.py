"""The kind of a statement: for helpful messages, and to refuse the few that the database allows and the page does not.

The database user and the read-only transaction decide what a statement may do. This reads no grammar: it knows
comments, texts and words, as the servers do with the SQL mode of our sessions.
"""

import re

TOKEN = re.compile(
    r"""
    (?P<comment>--(?=\s|\Z)[^\n]*|\#[^\n]*|/\*(?!M?!).*?(?:\*/|\Z))
    |(?P<text>'(?:[^'\\]|\\.|'')*+'|"(?:[^"\\]|\\.|"")*+"|`(?:[^`]|``)*+`)
    |(?P<code>/\*M?!)
    |(?P<word>\w+)
    |(?P<sign>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
FIRST = ("SELECT", "WITH", "EXPLAIN", "SHOW", "DESCRIBE", "DESC")
SHOWN = re.compile(
    r"(FULL |EXTENDED )?(TABLES|COLUMNS|FIELDS|INDEX|INDEXES|KEYS|TABLE STATUS|CREATE TABLE|DATABASES|WARNINGS)\b"
)
LOCKS = re.compile(r"\b(FOR UPDATE|FOR SHARE|LOCK IN SHARE MODE)\b")  # a reading transaction may take the last


def refusal(sql: str) -> str | None:
    """Why the page does not send a text to the database; None: it does."""
    found = [(str(m.lastgroup), m.group().upper()) for m in TOKEN.finditer(sql) if m.lastgroup != "comment"]
    if ("code", "/*!") in found or ("code", "/*M!") in found:
        return (
            "Comments that the database runs (/*! … */) are not taken: write what is in them as SQL, or leave it out."
        )
    statement = " ".join("?" if kind == "text" else word for kind, word in found).strip("; (")
    if not statement:
        return "There is no statement. Write one, or take a question or a table from the list."
    if any(token == ("sign", ";") for token in found[: len(found) - _closing(found)]):
        return "One statement at a time: there is something after the first semicolon."
    return _wrong_kind(statement)


def _closing(found: list[tuple[str, str]]) -> int:
    """How many semicolons are at the end."""
    return next((n for n, token in enumerate(reversed(found)) if token != ("sign", ";")), len(found))


def _wrong_kind(statement: str) -> str | None:
    first, _, rest = statement.partition(" ")
    if first not in FIRST:
        return f"Explore only reads: a statement begins with SELECT, WITH, EXPLAIN, SHOW or DESCRIBE, not {first[:40]}."
    if first == "SHOW" and not SHOWN.match(rest):
        return "Of SHOW, Explore takes TABLES, COLUMNS, INDEX, TABLE STATUS, CREATE TABLE, DATABASES and WARNINGS."
    if found := LOCKS.search(rest):
        return f"Explore locks nothing, because merges would wait for it: leave {found[1]} out."
    return None
