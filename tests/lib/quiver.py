"""A real server for tests: started in a home folder of its own on ports of its own, stopped at the end."""
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time


_given = set()


def free_port():
    """Never the same one twice: it may be taken much later. Below those that systems give to outgoing connections, and by lot, for the
    sake of tests beside this one."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


def npm_install(folder):
    """Installs the packages of folder/package.json unless they are there. False without npm."""
    folder = pathlib.Path(folder)
    if (folder / "node_modules/.package-lock.json").exists():  # npm writes it last
        return True
    if shutil.which("npm") is None:
        return False
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], cwd=folder, check=True)
    return True


class Server:
    """`with Server(binary) as s:` gives a running server; s.uri is its Bolt address, s.home its folder."""

    def __init__(self, binary, home=None, auth=True, password=None, settings=None, env=None, wrapper=(), start_timeout_s=30, stdin=None,
                 host="127.0.0.1"):
        self.binary = str(pathlib.Path(binary).resolve())
        self.own_home = home is None
        self.home = pathlib.Path(home or tempfile.mkdtemp(prefix="quiver-test-"))
        self.host, self.bolt_port, self.http_port = host, free_port(), free_port()
        self.settings = {
            "server.bolt.listen_address": f"{host}:{self.bolt_port}",
            "server.http.listen_address": f"{host}:{self.http_port}",
            **({} if auth else {"dbms.security.auth_enabled": "false"}),
            **(settings or {}),
        }
        self.password = password
        self.env = {**os.environ, **(env or {})}
        self.wrapper = list(wrapper)
        self.start_timeout_s = start_timeout_s
        self.stdin = stdin
        self.process = None

    @property
    def uri(self):
        return f"bolt://{self.host}:{self.bolt_port}"

    def command(self, *words):
        sets = [f"--set={key}={value}" for key, value in self.settings.items()]
        return [self.binary, *words, "--home", str(self.home), *sets]

    def spawn(self):
        """Starts the process and does not wait until it answers."""
        if self.password is not None and not (self.home / "data").is_dir():
            subprocess.run([self.binary, "admin", "dbms", "set-initial-password", self.password, "--home", str(self.home)], check=True,
                           stdout=subprocess.DEVNULL)
        self.home.mkdir(parents=True, exist_ok=True)
        with open(self.home / "console.out", "ab") as output:
            self.process = subprocess.Popen(self.wrapper + self.command("console"), stdin=self.stdin, stdout=output, stderr=subprocess.STDOUT,
                                            env=self.env, start_new_session=True)
        return self

    def start(self):
        self.spawn()
        self.wait_until_up()
        return self

    def wait_until_up(self):
        deadline = time.monotonic() + self.start_timeout_s
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.console()}")
            try:
                socket.create_connection((self.host, self.bolt_port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"the server did not answer in {self.start_timeout_s} s:\n{self.console()}")

    def console(self):
        return (self.home / "console.out").read_text(errors="replace")[-5000:]

    def memory_mb(self):
        """Resident memory; 0 under a sanitizer, which keeps what was freed and takes a multiple of it."""
        told = pathlib.Path(f"/proc/{self.process.pid}")
        if re.search("lib[at]san", (told / "maps").read_text(encoding="ascii", errors="replace")):
            return 0
        return next(int(line.split()[1]) // 1024 for line in (told / "status").read_text().splitlines() if line.startswith("VmRSS"))

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def kill(self):
        """kill -9, as a power cut does to a process."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout_s=20):
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"the server did not stop within {timeout_s} s:\n{self.console()}") from None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        code = self.stop() if self.process is not None and self.process.poll() is None else self.process and self.process.returncode
        if kind is None and code not in (None, 0, -signal.SIGKILL):
            raise RuntimeError(f"the server ended with {code}:\n{self.console()}")
        if self.own_home and kind is None:
            shutil.rmtree(self.home, ignore_errors=True)
