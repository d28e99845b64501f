"""A program: Airflow's API server with the FAB auth manager, in the folder and with the settings of its environment.

Makes Airflow's database, runs the commands of its standard input, one a line, and serves on the port of its argument.
"""

import os
import shlex
import sys

import uvicorn


def main(port: int) -> None:
    from airflow.cli import cli_parser

    parser = cli_parser.get_parser()
    for line in ("airflow db migrate", *sys.stdin):
        given = parser.parse_args(shlex.split(os.path.expandvars(line))[1:])
        given.func(given)
    print("SERVING", flush=True)
    from airflow.api_fastapi.app import create_app

    uvicorn.run(create_app(), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]))
