"""The server on the disk that can lose power: build/tests/sim/sim_server, whose disk is a file between two lives."""
import pathlib
import shutil
import subprocess

from lib.quiver import Server

POWER_CUT = 99  # its exit code


class PowerIsGone(Exception):
    """The process died with its disk."""


class SimServer(Server):
    """A server that is told what happens to its disk (the commands are in tests/sim/sim_server.c)."""

    def __init__(self, binary, **options):
        super().__init__(binary, auth=False, stdin=subprocess.PIPE, **options)

    def __enter__(self):
        return self  # each life begins with power_on

    def __exit__(self, kind, error, trace):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        if self.own_home and kind is None:
            shutil.rmtree(self.home, ignore_errors=True)

    def power_on(self, seed, *commands):
        """Starts from what survived; `seed` decides what survives next. PowerIsGone: it went again before the server answered."""
        if self.process is not None:
            self.process.stdin.close()
        self.env = {**self.env, "SIM_IMAGE": str(self.home / "disk"), "SIM_SEED": str(seed), "SIM_COMMANDS": ";".join(commands)}
        self.spawn()
        try:
            self.wait_until_up()
        except RuntimeError:
            if self.process.wait() == POWER_CUT:
                raise PowerIsGone() from None
            raise
        return self

    def tell(self, command):
        self.process.stdin.write(f"{command}\n".encode())
        self.process.stdin.flush()

    def cut_now(self):
        """Unless power has gone by itself."""
        try:
            self.tell("cut now")
        except BrokenPipeError:
            pass
        if not self.is_gone(20):
            raise RuntimeError(f"the process did not die with its disk: {self.console()[-600:]}")

    def is_gone(self, wait_s):
        """Waits for the end of the process; True if it was the power."""
        try:
            return self.process.wait(wait_s) == POWER_CUT
        except subprocess.TimeoutExpired:
            return False


def binary_beside(quiver):
    """The program that Meson built beside build/cli/quiver."""
    return pathlib.Path(quiver).resolve().parent.parent / "tests/sim/sim_server"
