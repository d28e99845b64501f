"""An S3-compatible store on a local folder: replaces this process with S3Proxy from the locked jars.

    python -m pinwheel.server.s3

Why S3Proxy: its conditional put is atomic, on which the lake's commits depend; it is maintained, under the Apache
License, and comes as jars, so that tests and servers run the same bytes.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pinwheel.core.errors import MissingPartError, PinwheelError, SettingError
from pinwheel.core.settings import load
from pinwheel.install.bootstrap import java_program
from pinwheel.server.settings import S3Settings

LOGGING = Path(__file__).parent / "s3_logback.xml"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def properties_text(settings: S3Settings, environment: Mapping[str, str]) -> str:
    """S3Proxy's configuration.

    Raises:
        SettingError: the store would have no user.
    """
    missing = [key for key in KEYS if not environment.get(key)]
    if missing:
        raise SettingError(f"{' and '.join(missing)} must be set: they are the login of the store's one user")
    identity, credential = (environment[key] for key in KEYS)
    values = {
        "s3proxy.endpoint": f"http://{settings.s3_host}:{settings.s3_port}",
        "s3proxy.authorization": "aws-v4",
        "s3proxy.identity": identity,
        "s3proxy.credential": credential,
        "jclouds.provider": "filesystem-nio2",
        "jclouds.identity": "unused",  # required, though a folder has no login
        "jclouds.credential": "unused",
        "jclouds.filesystem.basedir": settings.s3_dir.absolute(),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def command(settings: S3Settings, properties: Path) -> tuple[str, ...]:
    """The command that starts S3Proxy.

    Raises:
        MissingPartError: its jars are not installed.
    """
    if not any(settings.s3_jars_dir.glob("s3proxy-*.jar")):
        raise MissingPartError(
            f"no S3Proxy in PINWHEEL_S3_JARS_DIR={settings.s3_jars_dir}; `pinwheel tools --servers` fetches it"
        )
    return (
        java_program(),
        f"-Xmx{settings.s3_heap_megabytes}m",
        "-XX:+ExitOnOutOfMemoryError",
        f"-Dlogback.configurationFile={LOGGING}",
        "-cp",
        f"{settings.s3_jars_dir}/*",
        "org.gaul.s3proxy.Main",
        "--properties",
        str(properties),
    )


def main() -> None:
    """Replace this process with the store, so that signals reach it directly."""
    try:
        settings = load(S3Settings)
        text = properties_text(settings, os.environ)
        settings.s3_dir.mkdir(parents=True, exist_ok=True)
        file, name = tempfile.mkstemp(prefix="pinwheel-s3-", suffix=".properties")  # only its owner can read it
        with os.fdopen(file, "w") as properties:
            properties.write(text)
        words = command(settings, Path(name))
    except PinwheelError as error:
        raise SystemExit(str(error)) from None
    os.execvp(words[0], words)  # noqa: S606 - no shell, fixed words


if __name__ == "__main__":
    main()
