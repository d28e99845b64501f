"""Write Airflow's one login, with the password that the environment gives.

python -m pinwheel.server.login
"""

import os
from pathlib import Path

from pinwheel.operate.airflow_login import ADMIN, write_passwords

PASSWORD = "AIRFLOW_ADMIN_PASSWORD"  # noqa: S105 - the variable's name
FILE = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"


def main() -> None:
    """Replace whatever was there: a password is changed by setting another and starting again."""
    if not os.environ.get(PASSWORD):
        raise SystemExit(f"{PASSWORD} must be set: it becomes the password of {ADMIN}")
    write_passwords(Path(os.environ[FILE]), {ADMIN: os.environ[PASSWORD]})


if __name__ == "__main__":
    main()
