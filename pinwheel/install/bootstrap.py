"""Sets up this project's Python environment and Java on a bare machine.

    python3 pinwheel/install/bootstrap.py

Runs in the system's ``python3`` before anything is installed, so it imports the standard library only. Idempotent:
when everything is there it takes milliseconds.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = "uv==0.9.11"
PYTHON = (3, 11)  # what requirements.txt was compiled for, and what Airflow, Spark and GX all run on
JAVA = 17  # the oldest that Spark 4.2 and Kafka 4.2 run on
JAVA_PACKAGE = "openjdk-17-jre-headless"
STAMP = ".stamp"


class BootstrapError(Exception):
    """The machine lacks something; the message has the command that installs it."""


def main() -> int:
    """Bring the environment up to date; returns 1 after one message when that is not possible."""
    tools = Path(os.environ.get("PINWHEEL_STATE_DIR", ROOT / ".pinwheel")).absolute() / "tools"
    try:
        check_python(sys.version_info[:2])
        ensure_environment(tools)
        ensure_java()
    except BootstrapError as error:
        print(f"pinwheel: {error}", file=sys.stderr)
        return 1
    return 0


def check_python(found: tuple[int, ...]) -> None:
    """Raise unless this is the Python that the locked packages were compiled for."""
    if found != PYTHON:
        raise BootstrapError(
            f"this is Python {found[0]}.{found[1]}, but Python {PYTHON[0]}.{PYTHON[1]} is needed: "
            "name one with `make PYTHON=/path/to/python3.11 run`"
        )


def ensure_environment(tools: Path) -> None:
    """Install exactly requirements.txt and this project into ``tools``/venv."""
    venv = tools / "venv"
    digest = wanted_digest(ROOT)
    if is_current(venv, digest):
        return
    begin = time.monotonic()
    (venv / STAMP).unlink(missing_ok=True)  # from here on it is incomplete
    uv = ensure_uv(tools)
    say("Installing the Python packages (about 1.3 GB)")
    if not (venv / "bin" / "python").exists():
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)])
    target = ["--python", str(venv / "bin" / "python")]
    run([uv, "pip", "sync", "--require-hashes", *target, str(ROOT / "requirements.txt")])
    run([uv, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", *target, "--editable", str(ROOT)])
    write_stamp(venv, digest)
    say(f"Python environment ready ({time.monotonic() - begin:.0f} s)")


def wanted_digest(root: Path) -> str:
    """Digest of the environment's inputs; pyproject.toml is one, because it controls the editable install."""
    total = hashlib.sha256(f"{UV} {sys.executable}".encode())
    for name in ("requirements.txt", "pyproject.toml"):
        total.update(hashlib.sha256((root / name).read_bytes()).digest())
    return total.hexdigest()


def is_current(venv: Path, digest: str) -> bool:
    """Whether the environment is complete and was built from these inputs."""
    stamp = venv / STAMP
    return stamp.exists() and stamp.read_text() == digest and (venv / "bin" / "pinwheel").exists()


def write_stamp(venv: Path, digest: str) -> None:
    """Mark the environment as complete, atomically; the last step."""
    part = venv / f"{STAMP}.part"
    part.write_text(digest)
    part.rename(venv / STAMP)


def ensure_uv(tools: Path) -> str:
    """Install the pinned uv into a separate environment; returns its path."""
    home = tools / "uv"
    uv = home / "bin" / "uv"
    if is_stamped(home):
        return str(uv)
    say("Installing uv")
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    ensure_venv_module()
    run([sys.executable, "-m", "venv", str(home)])
    run([str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV])
    write_stamp(home, UV)
    return str(uv)


def is_stamped(home: Path) -> bool:
    """Whether the installation of the pinned uv was completed."""
    return (home / STAMP).exists() and (home / STAMP).read_text() == UV


def ensure_venv_module() -> None:
    """Debian ships ``venv`` and ``ensurepip`` in a package apart from Python."""
    probe = subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False)
    if probe.returncode:
        install(f"python{PYTHON[0]}.{PYTHON[1]}-venv", "Python's venv module")


def ensure_java() -> None:
    """Make sure that there is a Java of 17 or newer; installs it when run as root."""
    if (java_version(java_program()) or 0) >= JAVA:
        return
    install(JAVA_PACKAGE, f"Java {JAVA} or newer (found: {java_version(java_program()) or 'none'})")
    found = java_version(java_program())
    if (found or 0) < JAVA:
        raise BootstrapError(
            f"Java {JAVA} or newer is needed, but {java_program()} is {found}; set JAVA_HOME to a newer one"
        )


def java_program() -> str:
    """The ``java`` that Kafka and Spark use."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


def java_version(program: str) -> int | None:
    """Its major version; None when there is no such program."""
    try:
        text = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found.group(1)) if found else None


def install(package: str, what: str) -> None:
    """Install a Debian package; when not root, raise with the command to run."""
    command = f"apt-get update && apt-get install -y {package}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BootstrapError(f"{what} is needed. This one command installs it:\n  sudo sh -c '{command}'")
    say(f"Installing {package}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], environment)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], environment)


def run(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a command; its output is shown only when it fails."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise BootstrapError(
            f"`{' '.join(command)}` failed; fix that and start again:\n{(done.stdout + done.stderr)[-3000:]}"
        )


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"  ...  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
