"""Plain English: patterns that made our sentences hard to read are banned."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Banned patterns, and what to write instead. They are matched in prose: Markdown outside code, Python docstrings and
# comments, SQL comments, and texts on the pages.
BANNED = {
    r"\b(?:was|were|is|are|be|been) had\b": "was found, could be fetched",
    r"\b(?:told|minded|minds|mend|mended|mending|mends|unlearned)\b": "reported, sent; objects to; fixed",
    r"\bbeside\b": "next to, besides",
    r"(?:^|(?<=[.;:!] )|(?<=^[-*] ))[Ww]ho(?:ever)? (?![^.!?]*\?)": "a noun: the reader, the operator, a person who",
    r"\bfor who\b|\bof who\b|\bto who\b": "for people who",
    r"(?:^|(?<=[.!] )|(?<=^[-*] ))What (?![^.!?]*\?)": "a noun: a record that, the rows that",
    r"\bnobody is\b|\btells? nobody\b": "no alert is sent; no-op",
    r"\b(?:merge's|its|their|with) books\b": "manifest, ledger, offsets, results",  # not: the books
    r"\bdear(?:er|est)?\b": "expensive",
    r", for (?:it|they) (?:is|are|was|were|has|have|holds?|needs?|can)\b": "because",
}
PACKAGES = ("pinwheel", "spark_jobs", "expectations", "dags", "plugins", "bench", "tests")
PAGES = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
MODULES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py") if file != Path(__file__))
STATEMENTS = sorted(p for p in (ROOT / "sql").rglob("*.sql") if p.parent.name != "schema")  # merged ones never change


def of_markdown(text: str) -> Iterator[str]:
    """Paragraphs, without code and headings."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(?: {4}|#).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"`[^`]*`", "code", text)
    for paragraph in re.split(r"\n\s*\n|\n(?=[-*|] )|\|", text):
        yield " ".join(paragraph.split())


def of_python(source: str) -> Iterator[str]:
    """Docstrings, and comments with the lines that go on from them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from of_markdown((ast.get_docstring(node) or "").replace("``", "`"))
    comments: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments.append((token.start[0], token.string.lstrip("# ")))
    yield from _joined(comments)


def of_sql(source: str) -> Iterator[str]:
    """Comments that are not the header, and the header's purpose and grain."""
    lines = [(n, line.strip()) for n, line in enumerate(source.splitlines()) if line.strip().startswith("--")]
    yield from _joined([(n, re.sub(r"^--\s*(?:purpose:|grain:)?\s*", "", line)) for n, line in lines])
    yield from re.findall(r"COMMENT '((?:[^']|'')*)'", source)


def of_html(source: str) -> Iterator[str]:
    """Texts between tags."""
    yield from (" ".join(text.split()) for text in re.findall(r">([^<>{}]+)<", source))


def _joined(comments: list[tuple[int, str]]) -> Iterator[str]:
    """Lines that follow each other are one text."""
    for n, (line, text) in enumerate(comments):
        if n and comments[n - 1][0] == line - 1:
            continue
        parts, at = [text], n
        while at + 1 < len(comments) and comments[at + 1][0] == comments[at][0] + 1:
            at += 1
            parts.append(comments[at][1])
        yield re.sub(r"`[^`]*`", "code", " ".join(parts))


def found(texts: Iterator[str]) -> list[str]:
    """Each hit, with what to write instead."""
    return [
        f"…{text[max(0, hit.start() - 30) : hit.end() + 40]}… ({instead})"
        for text in texts
        for pattern, instead in BANNED.items()
        for hit in re.finditer(pattern, text)
    ]


def test_pages_are_plain() -> None:
    assert {str(p.relative_to(ROOT)): hits for p in PAGES if (hits := found(of_markdown(p.read_text())))} == {}


def test_docstrings_and_comments_are_plain() -> None:
    assert {str(p.relative_to(ROOT)): hits for p in MODULES if (hits := found(of_python(p.read_text())))} == {}


def test_statements_are_plain() -> None:
    assert {str(p.relative_to(ROOT)): hits for p in STATEMENTS if (hits := found(of_sql(p.read_text())))} == {}


def test_texts_of_the_pages_are_plain() -> None:
    texts = [*(ROOT / "plugins").rglob("*.html"), *(ROOT / "pinwheel").rglob("*.html*")]
    assert texts
    assert {str(p.relative_to(ROOT)): hits for p in texts if (hits := found(of_html(p.read_text())))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "The pin was had from the API.",
        "A slow answer is told as none.",
        "The linter minds that.",
        "The driver runs beside the worker.",
        "Who reads it, waits.",
        "- Who is bound sees less.",
        "It ends. What is merged stays.",
        "Twice tells nobody twice.",
        "A commit, with its books.",
        "The dearest statement is the count.",
        "The URL is secret, for it holds a token.",
    ],
)
def test_a_banned_pattern_is_found(text: str) -> None:
    assert found(of_markdown(text))


@pytest.mark.parametrize(
    "text", ["What if it dies right here?", "Who sees which brands?", "Besides, `beside` is code."]
)
def test_a_question_and_code_are_let_through(text: str) -> None:
    assert found(of_markdown(text)) == []
