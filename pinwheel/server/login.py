"""Writes Airflow's one login, with the password from the environment.

python -m pinwheel.server.login
"""

import os
from pathlib import Path

from pinwheel.operate.airflow_login import ADMIN, write_passwords

PASSWORD = "AIRFLOW_ADMIN_PASSWORD"  # noqa: S105 - the variable's name
FILE = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"


def main() -> None:
    """Overwrite the login: to change the password, set another one and restart."""
    if not os.environ.get(PASSWORD):
        raise SystemExit(f"{PASSWORD} must be set: it is the password of {ADMIN}")
    write_passwords(Path(os.environ[FILE]), {ADMIN: os.environ[PASSWORD]})


if __name__ == "__main__":
    main()
