"""PostgreSQL, Redis and NATS on free loopback ports, for the time of one program.

    python3 servers.py COMMAND ARGUMENT...

starts them with all their data in a temporary folder, runs the command with the configuration of the jobs in the
environment as SERVICES_CONFIG, ends the servers and exits as the command did. However this program ends, also by
SIGKILL, the kernel ends the servers with it.

The programs are Debian's: postgresql, redis-server, nats-server, and util-linux for setpriv. One that is missing is an
error that names it.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

#: The longest wait for a server to start or to end, in seconds.
PATIENCE = 60.0

#: How often a server is started anew because another program took its port.
TRIES = 5


class Server:
    """One server on a port of its own, which it keeps when it is started again."""

    def __init__(self, name: str, command: list[str], folder: Path, ready: str) -> None:
        self.name, self._command, self._folder, self._ready = name, command, folder, ready
        self.log = folder / f"{name}.log"
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        for _ in range(TRIES):
            self.port = free_port()
            if self._try_start():
                return
        raise RuntimeError(f"{name} does not start:\n{self.log.read_text(errors='replace')}")

    def start(self) -> None:
        """Starts it again, where it was."""
        if not self._try_start():
            raise RuntimeError(f"{self.name} does not start again:\n{self.log.read_text(errors='replace')}")

    def stop(self) -> None:
        """Ends it, as its administrator would; connections break."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)  # PostgreSQL ends its sessions on this one
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _try_start(self) -> bool:
        command = [word.replace("PORT", str(self.port)) for word in self._command]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*as_plain_user(), *command], cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < end:
            if self._ready in self.log.read_text(errors="replace"):
                return True
            time.sleep(0.01)
        self.stop()
        return False


class Servers:
    """All of them, in a folder that is removed at the end."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="palitra-services-"))
        self._running: list[Server] = []
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        user = plain_user()
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        postgres, data = postgres_program("postgres"), self.folder / "data"
        initdb = [postgres_program("initdb"), "--pgdata", str(data), "--username", "palitra", "--auth", "trust"]
        made = subprocess.run(
            [*as_plain_user(), *initdb, "--no-locale", "--encoding", "UTF8", "--no-sync"],
            cwd=self.folder, capture_output=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        if made.returncode != 0:
            raise RuntimeError(f"initdb: {made.stderr.decode(errors='replace')}")
        settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}", "fsync=off"]
        self.postgres = self._add(
            "postgres",
            [postgres, "-D", str(data), "-p", "PORT", *(word for each in settings for word in ("-c", each))],
            "ready to accept connections",
        )
        redis = [program("redis-server"), "--bind", "127.0.0.1", "--port", "PORT", "--save", "", "--appendonly", "no"]
        self.redis = self._add("redis", redis, "Ready to accept connections")
        self.nats = self._add("nats", [program("nats-server"), "-a", "127.0.0.1", "-p", "PORT"], "Server is ready")

    def _add(self, name: str, command: list[str], ready: str) -> Server:
        server = Server(name, command, self.folder, ready)
        self._running.append(server)
        return server

    def config(self, *, connections: int = 4) -> dict[str, dict[str, object]]:
        """What a host of these jobs configures."""
        url = f"postgresql://palitra@127.0.0.1:{self.postgres.port}/postgres?application_name=palitra"
        return {
            "pg": {"url": url, "connections": connections},
            "redis": {"url": f"redis://127.0.0.1:{self.redis.port}"},
            "nats": {"url": f"nats://127.0.0.1:{self.nats.port}"},
            "objects": {"root": str(self.folder / "objects")},
        }

    def stop(self) -> None:
        """Ends all of them and removes their folder."""
        for server in self._running:
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def plain_user() -> pwd.struct_passwd:
    """Who runs the servers: PostgreSQL refuses to be root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def as_plain_user() -> list[str]:
    """The words before a command that run it as that user, and end it with this process."""
    user = plain_user()
    change = ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"] if os.geteuid() == 0 else []
    return [program("setpriv"), *change, "--pdeathsig", "INT", "--"]


def program(name: str) -> str:
    """Where it is, also if that is where the path of a plain user does not look."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    if not found:
        raise RuntimeError(f"{name} is missing: make setup installs it")
    return found


def postgres_program(name: str) -> str:
    """One of the newest PostgreSQL; Debian keeps them outside the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(versions[-1]) if versions else program(name)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with Servers() as servers:
        environment = {**os.environ, "SERVICES_CONFIG": json.dumps(servers.config())}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python3 servers.py COMMAND ARGUMENT...")
    sys.exit(main())
