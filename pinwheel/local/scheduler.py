"""The embedded Airflow's scheduler, with the libraries of the merge already loaded.

Airflow's LocalExecutor forks each task from the scheduler's process. The sessions of all tables and of the rollups then
share one copy of these libraries, some 200 MB each, and start without 4 s of CPU for importing them.
"""

import sys


def load_libraries() -> None:
    """Import what the merge's and the rollups' sessions import."""
    import expectations.suites  # noqa: F401
    import pinwheel.merge.session
    import pinwheel.rollup.session  # noqa: F401
    from expectations.context import quiet_context

    quiet_context()


def end_predecessors() -> None:
    """Take the schedulers that have died for dead, so that their tasks run again at once. Idempotent.

    Airflow waits 20 s for their next heartbeat, as they may be other schedulers. The embedded stack has one.
    """
    from airflow.jobs.job import Job, JobState
    from airflow.utils.session import create_session
    from sqlalchemy import update

    running = update(Job).where(Job.job_type == "SchedulerJob", Job.state == JobState.RUNNING)
    with create_session() as session:
        session.execute(running.values(state=JobState.FAILED))


def main() -> None:
    """Load the libraries, then be ``airflow scheduler`` with this process's arguments."""
    load_libraries()
    end_predecessors()
    from airflow.__main__ import main as airflow

    sys.argv[1:1] = ["scheduler"]
    airflow()  # type: ignore[no-untyped-call]  # Airflow's own


if __name__ == "__main__":
    main()
