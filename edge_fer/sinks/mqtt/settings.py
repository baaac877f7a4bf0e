"""What `mqtt:host=NAME,...` may say, and the secrets that it may not: checked before connecting."""

from __future__ import annotations

import hashlib
import os
import re
import ssl
import stat
from dataclasses import dataclass, field
from pathlib import Path

from edge_fer.errors import ConfigError
from edge_fer.options import read_options

PASSWORD = "EDGE_FER_MQTT_PASSWORD"
"""Environment variable: a command line can be read by every user of the machine."""
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Set by systemd; only the unit may look into that folder, whatever the modes of its files."""
LONGEST_SECRET = 4096
"""Bytes read of a password file."""
PORT, TLS_PORT = 1883, 8883
PAGE = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of the sink; raises ValueError for what contradicts itself."""

    host: str = ""
    """Name or address of the broker."""
    port: int = 0
    """0 is 1883, or 8883 with TLS."""
    tls: bool = False
    """Encrypted, with the broker's certificate and host name checked; never plain instead."""
    ca: str = ""
    """File of the authorities that TLS trusts; empty is the system's own."""
    user: str = ""
    password_file: str = ""
    """Readable by its owner alone; empty is the environment variable."""
    discovery: bool = True
    """Home Assistant is told what there is."""
    name: str = ""
    """Of the device in Home Assistant; empty is its id."""
    page: str = ""
    """Address of the live page that Home Assistant links to."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port is {self.port}, expected 1 to 65535")
        if self.ca and not self.tls:
            raise ValueError("ca is given, but TLS is off: add tls=yes")
        if self.password_file and not self.user:
            raise ValueError("password_file is given, but no user: add user=NAME")
        if self.page and not PAGE.fullmatch(self.page):
            raise ValueError(f"page is {self.page!r}, expected an http:// or https:// address")


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to connect, and with what."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    trust: ssl.SSLContext | None
    """None is a plain connection."""

    def digest(self) -> bytes:
        """SHA-256 of the password and of the authorities that are trusted."""
        authorities = self.trust.get_ca_certs(binary_form=True) if self.trust is not None else ()
        parts = [(self.password or "").encode(), *sorted(authorities)]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()

    def __str__(self) -> str:
        return f"mqtt {self.host}:{self.port}"


def read_settings(argument: str) -> Settings:
    """The settings of a sink spec's argument; raises ConfigError naming the option."""
    settings = read_options(Settings(), argument, "mqtt")
    if not settings.host:
        raise ConfigError("mqtt: no broker is named: write mqtt:host=NAME")
    return settings


def open_broker(settings: Settings) -> Broker:
    """Read the secret and the authorities; raises ConfigError naming what cannot be used."""
    port = settings.port or (TLS_PORT if settings.tls else PORT)
    return Broker(settings.host, port, settings.user or None, _password(settings), _trust(settings))


def _password(settings: Settings) -> str | None:
    """The password that goes with the user; None without a user."""
    if not settings.user:
        return None
    if settings.password_file:
        secret = _secret_of(Path(settings.password_file))
    else:
        secret = os.environ.get(PASSWORD, "")
    if not secret:
        where = settings.password_file or PASSWORD
        raise ConfigError(f"mqtt: {where} holds no password for the user {settings.user!r}")
    return secret


def _trust(settings: Settings) -> ssl.SSLContext | None:
    """TLS 1.2 or later, authority and host name checked; None without TLS."""
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca or None)
    except OSError as error:
        raise ConfigError(f"mqtt: ca {settings.ca}: {_reason(error)}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _secret_of(path: Path) -> str:
    """The first line of a private file."""
    try:
        # Without O_NONBLOCK a FIFO would hang us here.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            _refuse_if_open(path, os.fstat(descriptor).st_mode)
            return file.read(LONGEST_SECRET).decode().partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"mqtt: password_file {path}: {_reason(error)}") from error


def _refuse_if_open(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise ConfigError(f"mqtt: password_file {path} is not a regular file")
    folder = os.environ.get(CREDENTIALS)
    if mode & 0o077 and not (folder and path.resolve().is_relative_to(Path(folder).resolve())):
        raise ConfigError(
            f"mqtt: password_file {path} may be read by others: chmod 600 {path}, "
            "and choose a new password if they could"
        )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
