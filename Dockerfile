# Everything of Pinwheel that docker-compose.yml runs: Airflow, Spark's master, workers and driver, the store, the
# stand-in. Set up by the scripts that `make run` uses, from the same locks.
FROM python:3.11.14-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    UV_NO_CACHE=1 \
    UV_COMPILE_BYTECODE=1

WORKDIR /opt/pinwheel

# Packages, Java, jars and the location database first: they change more rarely than our own files.
COPY pyproject.toml requirements.txt README.md LICENSE ./
COPY pinwheel/__init__.py pinwheel/cli.py pinwheel/cli_repairs.py pinwheel/command.py pinwheel/
COPY pinwheel/core pinwheel/core
COPY pinwheel/install pinwheel/install
COPY pinwheel/local pinwheel/local
COPY expectations/__init__.py expectations/
RUN python3 pinwheel/install/bootstrap.py \
    && .pinwheel/tools/venv/bin/pinwheel tools --servers \
    && rm -rf /var/lib/apt/lists/*

COPY . .
RUN .pinwheel/tools/venv/bin/python -m compileall -q pinwheel expectations plugins spark_jobs \
    && useradd --uid 10001 --create-home pinwheel \
    && install -d -o pinwheel -g pinwheel /var/lib/pinwheel /var/lib/airflow /var/lib/s3

ENV HOME=/tmp \
    PATH=/opt/pinwheel/.pinwheel/tools/venv/bin:$PATH \
    PYTHONPATH=/opt/pinwheel \
    PYSPARK_PYTHON=/opt/pinwheel/.pinwheel/tools/venv/bin/python \
    SPARK_HOME=/opt/pinwheel/.pinwheel/tools/venv/lib/python3.11/site-packages/pyspark

USER pinwheel
