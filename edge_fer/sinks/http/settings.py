"""What `http:ADDRESS:PORT,...` may say: where to listen, under which names, with which token."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import socket
import stat
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from edge_fer.errors import ConfigError
from edge_fer.options import read_options

PORT = 8787
LOOPBACK = ("127.0.0.1", "::1")
ATTEMPTS, PAUSE_S = 5, 0.4
"""A port may be taken for a moment by the daemon that ends: 78 is never started again."""
SEND_BUFFER = 1 << 16
"""Bytes of the kernel's buffer for one client, lest it hide that the client does not read."""
SHORTEST_TOKEN, LONGEST_TOKEN = 32, 4096
"""Bytes."""
TOKEN = re.compile(rb"[!-~]+")
"""What a header can carry: printable ASCII without a space."""
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Set by systemd; only the unit may look into that folder, whatever the modes of its files."""
NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
HOW_TO_TOKEN = "make one with: (umask 077; openssl rand -hex 32 > FILE)"

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of the sink; raises ValueError for what cannot be."""

    address: str = ""
    """To listen on; empty is loopback, as 127.0.0.1 and as ::1."""
    port: int = PORT
    """0 is any free one."""
    names: str = ""
    """Host names, or addresses, under which others reach it, joined by `+`."""
    token: str = ""
    """File of the token that clients must send; empty is none, on loopback alone."""
    required: bool = True
    """No daemon without the page; `no` goes on while the port is taken, and takes it later."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port is {self.port}, expected 0 to 65535")
        if self.address:
            ip_address(self.address)  # says itself what is wrong
        for name in self.known_as:
            if not NAME.fullmatch(name):
                raise ValueError(f"names holds {name!r}, expected host names joined by +")

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All that are listened on."""
        return tuple(map(ip_address, (self.address,) if self.address else LOOPBACK))

    @property
    def remote(self) -> bool:
        """True when other machines can reach it."""
        return not all(address.is_loopback for address in self.addresses)

    @property
    def known_as(self) -> tuple[str, ...]:
        """The configured names."""
        return tuple(name for name in self.names.lower().split("+") if name)

    def hosts(self, port: int) -> frozenset[bytes]:
        """The only values of a Host header that are answered, in lower case."""
        names = {"localhost", *self.known_as}
        for address in (*map(ip_address, LOOPBACK), *self.addresses):
            names.add(f"[{address}]" if address.version == 6 else str(address))
        allowed = {f"{name}:{port}" for name in names}
        # A browser leaves out the port that belongs to http.
        return frozenset(host.encode() for host in (allowed | names if port == 80 else allowed))


def read_settings(argument: str, allow_remote: bool) -> Settings:
    """The settings of a sink spec's argument; raises ConfigError naming the option."""
    place, _, rest = argument.partition(",")
    if "=" in place:
        place, rest = "", argument
    options = read_options(Settings(), rest, "http")
    address, port = _place(place, options)
    settings = read_options(options, f"address={address},port={port}", "http")
    _check_remote(settings, allow_remote)
    return settings


def _place(text: str, options: Settings) -> tuple[str, str]:
    """Address and port of `127.0.0.1:8787`, `[::1]:8787`, `8787`, or of nothing at all."""
    if not text:
        return options.address, str(options.port)
    if text.isdigit():
        return options.address, text
    address, _, port = text.rpartition(":")
    if not address or not port.isdigit():
        raise ConfigError(f"http: {text!r} is no place to listen: write ADDRESS:PORT")
    address = address.removeprefix("[").removesuffix("]")
    return "" if address == "localhost" else address, port


def _check_remote(settings: Settings, allow_remote: bool) -> None:
    """Beyond loopback only with a token, a flag, and a name that the Host header must hold."""
    if not settings.remote:
        return
    where = f"http: {settings.address} can be reached by other machines"
    if not settings.token:
        raise ConfigError(f"{where}: name a token file (token=FILE); {HOW_TO_TOKEN}")
    if not allow_remote:
        raise ConfigError(f"{where}: if that is meant, add --http-allow-remote")
    if settings.addresses[0].is_unspecified and not settings.known_as:
        raise ConfigError(f"{where} under any name: say which (names=pi-hall.local+192.168.1.20)")


def token_hash(settings: Settings) -> bytes | None:
    """SHA-256 of the token, all that is kept of it; None without one.

    Raises ConfigError for a file that is missing, short, or readable by others.
    """
    if not settings.token:
        return None
    path = Path(settings.token)
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            token = file.read(LONGEST_TOKEN + 1).strip() if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise ConfigError(f"http: token {path}: {error.strerror}; {HOW_TO_TOKEN}") from error
    if mode & 0o077 and not _credential(path):
        raise ConfigError(f"http: token {path} can be read by others: chmod 600 {path}")
    if not SHORTEST_TOKEN <= len(token) <= LONGEST_TOKEN or not TOKEN.fullmatch(token):
        wanted = f"{SHORTEST_TOKEN} or more printable characters without a space"
        raise ConfigError(f"http: token {path} is no token: expected {wanted}; {HOW_TO_TOKEN}")
    return hashlib.sha256(token).digest()


def _credential(path: Path) -> bool:
    folder = os.environ.get(CREDENTIALS)
    return bool(folder) and path.resolve().is_relative_to(Path(str(folder)).resolve())


def listen(settings: Settings, attempts: int = ATTEMPTS) -> list[socket.socket]:
    """Sockets that listen, all on one port; raises ConfigError naming a place that is taken."""
    sockets: list[socket.socket] = []
    port = settings.port
    try:
        for address in settings.addresses:
            if bound := _bound(address, port, attempts, optional=bool(sockets)):
                sockets.append(bound)
                port = bound.getsockname()[1]
    except BaseException:
        for one in sockets:
            one.close()
        raise
    return sockets


def _bound(address: Address, port: int, attempts: int, optional: bool) -> socket.socket | None:
    """A socket; None where a machine without IPv6 need not have it."""
    try:
        bound = _patiently_bound(address, port, attempts)
    except OSError as error:
        if optional and error.errno in NO_IPV6:
            return None
        raise ConfigError(_why(address, port, error)) from error
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    return bound


def _patiently_bound(address: Address, port: int, attempts: int) -> socket.socket:
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    while True:
        attempts -= 1
        try:
            return socket.create_server((str(address), port), family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not attempts:
                raise
        time.sleep(PAUSE_S)


def _why(address: Address, port: int, error: OSError) -> str:
    place = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    reasons = {
        errno.EADDRINUSE: "is in use: end the program that has it, or choose another port",
        errno.EACCES: "may not be opened: choose a port of 1024 or more",
        errno.EADDRNOTAVAIL: "is no address of this machine",
    }
    return f"http: {place} {reasons.get(error.errno or 0, f'cannot be opened ({error.strerror})')}"
