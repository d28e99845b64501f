"""Messages about alerts as they arrived at a webhook and in a mailbox: files for people to read, and the examples in
docs/alerts.md.

PINWHEEL_SHOW_MESSAGES=FOLDER python -m pytest tests/operate/test_planted_faults.py
"""

import json
import os
import re
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.support import golden

FOLDER = os.environ.get("PINWHEEL_SHOW_MESSAGES")
EXAMPLES = ("the driver is killed", "a slice is held", "a table is changed")  # their messages are the same each time
NOON = datetime(2026, 3, 14, 12)
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?=(:00)? UTC)")


def show(fault: str, bodies: list[dict[str, Any]], mails: list[EmailMessage]) -> None:
    """Write the messages about a fault, if the environment names a folder."""
    if not FOLDER:
        return
    place = Path(FOLDER) / _file(fault)
    place.mkdir(parents=True, exist_ok=True)
    for number, body in enumerate(bodies, 1):
        (place / f"{number}_webhook.json").write_text(_json(body) + "\n")
    for number, mail in enumerate(mails, 1):
        headers = "\n".join(f"{name}: {value}" for name, value in mail.items())
        (place / f"{number}_mail.eml").write_bytes(mail.as_bytes())
        (place / f"{number}_mail.txt").write_text(f"{headers}\n\n{part(mail, 'plain')}")
        (place / f"{number}_mail.html").write_text(part(mail, "html"))


def part(mail: EmailMessage, kind: str) -> str:
    """The mail's text of a kind: plain or html; empty if it has none."""
    found = mail.get_body((kind,))
    return re.sub(r"\r\n?", "\n", found.get_content()) if found else ""


def check_example(fault: str, bodies: list[dict[str, Any]], began: datetime) -> None:
    """Compare with the golden file, as if the test had begun at noon; ``began``: a whole minute."""
    if fault in EXAMPLES:
        text = TIME.sub(lambda found: _moved(found[0], began), json.dumps(bodies, ensure_ascii=False))
        text = re.sub(r"#alert-\d+", "#alert-7", re.sub(r"(?<=Slice )\d+", "41", text))
        golden.check(f"planted/{_file(fault)}.json", _json(json.loads(text)) + "\n")


def examples() -> str:
    """The section of docs/alerts.md."""
    driver, slice_, table = (
        json.loads((golden.FOLDER / "planted" / f"{_file(fault)}.json").read_text()) for fault in EXAMPLES
    )
    return "\n".join(
        [
            "## Examples\n",
            "As they arrived when the test planted these faults. With `PINWHEEL_SHOW_MESSAGES=FOLDER` it writes the",
            "messages of all twelve there. The stream's driver was killed; a mail:\n",
            _mail(driver[0]),
            "It was started again:\n",
            _mail(driver[1]),
            "Events without an id came; a mail:\n",
            _mail(slice_[0]),
            "A column was renamed; the body of a webhook (`json://…`):\n",
            f"```json\n{_json(table[0])}\n```\n",
        ]
    )


def _mail(body: dict[str, Any]) -> str:
    return f"```text\nSubject: {body['title']}\n\n{body['message']}\n```\n"


def _moved(time: str, began: datetime) -> str:
    return f"{datetime.fromisoformat(time) - began + NOON:%Y-%m-%d %H:%M}"


def _file(fault: str) -> str:
    return fault.replace(" ", "_")


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
