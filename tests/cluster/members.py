"""Members of the replicated register as processes: on loopback, or each on a host of its own in a network namespace."""
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

CLIENT_ABOVE = 1000  # the client port, above the group's
SLOW_WIRE = pathlib.Path(__file__).resolve().parent / "slow_wire.py"


def ask(address, line, timeout_s=2.0):
    """One question, one answer; OSError if there is none."""
    with socket.create_connection(address, timeout=timeout_s) as s:
        s.sendall(b"1 " + line.encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            more = s.recv(65536)
            if not more:
                raise OSError("the connection was closed")
            answer += more
    return answer.decode().split(" ", 1)[1].strip()


class Network:
    """Hosts 1 to `count`: loopback with ports of their own."""

    def __init__(self, count):
        self.base = random.randrange(20000, 30000)

    def address(self, n):
        return "127.0.0.1", self.base + n

    def command(self, n, command):
        return command

    def close(self):
        pass


class Loopback(Network):
    """Hosts of one machine that have addresses of their own."""

    def address(self, n):
        return f"127.0.0.{n}", self.base


class Hosts(Network):
    """Each member in a network namespace, joined by a bridge; what goes between two of them can be cut, one way or both.

    The wire of a host can be made slow: a process takes it out of the bridge and carries its frames there, late."""

    def __init__(self, count):
        self.tag = f"qv{os.getpid() % 10000}"
        self.subnet = f"10.{random.randrange(64, 128)}.{random.randrange(256)}"
        self.count = count
        self.bridge = f"{self.tag}br"
        self.wires = {}
        self.ip("link", "add", self.bridge, "address", "02:00:00:00:00:fe", "type", "bridge")  # not that of a port, which may go
        self.ip("addr", "add", f"{self.subnet}.254/24", "dev", self.bridge)
        self.ip("link", "set", self.bridge, "up")
        for n in range(1, count + 1):
            self.add_host(n)

    @staticmethod
    def usable():
        """Tried, because a container may forget any part of it."""
        name = f"qvprobe{os.getpid() % 10000}"
        if os.geteuid() != 0 or not shutil.which("nft") or not shutil.which("ip"):
            return False
        tries = [["ip", "netns", "add", name], ["ip", "netns", "exec", name, "nft", "add table inet q"],
                 ["ip", "link", "add", name, "type", "bridge"], ["ip", "link", "del", name]]
        good = Hosts.packets_usable() and all(subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0 for words in tries)
        subprocess.run(["ip", "netns", "del", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        return good

    @staticmethod
    def packets_usable():
        try:
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
            return True
        except OSError:
            return False

    @staticmethod
    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    def name(self, n):
        return f"{self.tag}n{n}"

    def slow(self, n, end):
        """The second way into the bridge: `w` is at the slow wire, `b` at the bridge."""
        return f"{self.tag}{end}{n}"

    def add_host(self, n):
        inside, outside = f"{self.tag}i{n}", f"{self.tag}o{n}"
        self.ip("netns", "add", self.name(n))
        self.ip("link", "add", outside, "type", "veth", "peer", "name", inside)
        self.ip("link", "set", inside, "netns", self.name(n))
        self.ip("link", "set", outside, "master", self.bridge)
        self.ip("link", "set", outside, "up")
        self.ip("-n", self.name(n), "addr", "add", f"{self.subnet}.{n}/24", "dev", inside)
        self.ip("-n", self.name(n), "link", "set", inside, "up")
        self.ip("-n", self.name(n), "link", "set", "lo", "up")
        self.ip("link", "add", self.slow(n, "w"), "type", "veth", "peer", "name", self.slow(n, "b"))
        self.ip("link", "set", self.slow(n, "b"), "master", self.bridge)
        for end in "wb":
            self.ip("link", "set", self.slow(n, end), "up")
        self.nft(n, "add table inet q")
        self.nft(n, "add chain inet q in { type filter hook input priority 0 ; }")

    def nft(self, n, rule):
        subprocess.run(["ip", "netns", "exec", self.name(n), "nft", rule], check=True)

    def address(self, n):
        return f"{self.subnet}.{n}", 7000

    def command(self, n, command):
        return ["ip", "netns", "exec", self.name(n), *command]

    def cut(self, source, target):
        """What `source` sends does not arrive at `target`."""
        self.nft(target, f"add rule inet q in ip saddr {self.subnet}.{source} drop")

    def lose(self, source, target, percent):
        self.nft(target, f"add rule inet q in ip saddr {self.subnet}.{source} numgen random mod 100 < {percent} drop")

    def slow_down(self, n, delay_ms=0, jitter_ms=0, bytes_a_second=0):
        """Everything that host `n` sends or is sent, either way."""
        outside = f"{self.tag}o{n}"
        command = [sys.executable, str(SLOW_WIRE), outside, self.slow(n, "w"), str(delay_ms), str(jitter_ms), str(bytes_a_second)]
        self.ip("link", "set", outside, "nomaster")
        self.ip("link", "set", outside, "arp", "off")  # the machine itself is not to answer there
        self.wires[n] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if self.wires[n].stdout.readline() != "ready\n":
            raise RuntimeError(f"the slow wire of host {n} does not carry")

    def sent_to(self, n):
        """Bytes of frames, so far."""
        return int(pathlib.Path(f"/sys/class/net/{self.tag}o{n}/statistics/tx_bytes").read_text())

    def speed_up(self, n):
        wire = self.wires.pop(n)
        alive = wire.poll() is None
        wire.kill()
        wire.communicate()
        self.ip("link", "set", f"{self.tag}o{n}", "arp", "on")
        self.ip("link", "set", f"{self.tag}o{n}", "master", self.bridge)
        if not alive:
            raise RuntimeError(f"the slow wire of host {n} ended by itself")

    def heal(self):
        for n in range(1, self.count + 1):
            self.nft(n, "flush chain inet q in")
        for n in list(self.wires):
            self.speed_up(n)

    def close(self):
        for wire in self.wires.values():
            wire.kill()
            wire.communicate()
        for n in range(1, self.count + 1):
            subprocess.run(["ip", "netns", "del", self.name(n)], check=False)
            subprocess.run(["ip", "link", "del", self.slow(n, "w")], check=False)
        subprocess.run(["ip", "link", "del", self.bridge], check=False)


class Members:
    def __init__(self, program, count=3, hosts=None, network=None, options=()):
        self.program, self.network = str(program), network or Network(hosts or count)
        self.first = list(range(1, count + 1))
        self.options = list(options)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="quiver-register-"))
        self.processes, self.joined = {}, set()

    def text(self, n):
        return "%s:%d" % self.network.address(n)

    def client_address(self, n):
        host, port = self.network.address(n)
        return host, port + CLIENT_ABOVE

    def start(self, n):
        if n in self.processes:
            return
        others = self.first if n in self.first else sorted(self.processes) or self.first or [n]  # whoever was a member knows the others
        command = [self.program, "--server", str(n), "--directory", str(self.directory / str(n)), "--listen", self.text(n),
                   "--client", "%s:%d" % self.client_address(n), "--members", ",".join(f"{m}={self.text(m)}" for m in others),
                   *([] if n in self.first else ["--join"]), *self.options]
        with open(self.directory / f"{n}.log", "a", encoding="utf-8") as log:
            self.processes[n] = subprocess.Popen(self.network.command(n, command), stderr=log, stdout=log)

    def start_all(self):
        for n in self.first:
            self.start(n)
        return self

    def signal(self, n, number):
        if n in self.processes:
            os.kill(self.pid(n), number)

    def pid(self, n):
        return self.processes[n].pid  # ip netns exec replaces itself by the command

    def kill(self, n):
        process = self.processes.pop(n, None)
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()

    def dead(self):
        """Members that ended by themselves, with the last line that they said."""
        for n, process in list(self.processes.items()):
            if process.poll() is not None:
                lines = (self.directory / f"{n}.log").read_text(errors="replace").splitlines()
                yield n, lines[-1] if lines else ""

    def status(self, n):
        """As a dict; None if it does not answer."""
        try:
            words = ask(self.client_address(n), "s", 1.0).split()
        except OSError:
            return None
        return dict(zip(words[::2], words[1::2]))

    def leader(self, timeout_s=15):
        """The member that may write."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found = [(int(s["term"]), n) for n in list(self.processes) if (s := self.status(n)) and s["open"] == "1"]
            if found:
                return max(found)[1]
            time.sleep(0.02)
        raise TimeoutError("nobody leads")

    def tell_leader(self, line, timeout_s=20):
        """Asks whoever leads until the answer is ok."""
        end = time.monotonic() + timeout_s
        answer = "nothing"
        while time.monotonic() < end:
            try:
                answer = ask(self.client_address(self.leader()), line, 3.0)
            except (OSError, TimeoutError) as trouble:
                answer = str(trouble)
            if answer == "ok":
                return
            time.sleep(0.05)
        raise TimeoutError(f"{line}: {answer}")

    def members(self):
        """{server: role} as the leader sees it."""
        return {int(part.split(":")[0]): part.split(":")[1] for part in self.status(self.leader())["members"].split(",")}

    def wait_together(self, timeout_s=30):
        """All that run have applied what is committed."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            states = [self.status(n) for n in list(self.processes)]
            if all(states) and len({s["applied"] for s in states}) == 1 and any(s["open"] == "1" for s in states):
                return
            time.sleep(0.05)
        raise TimeoutError(f"not together: {states}")

    def close(self, keep=False):
        for n in list(self.processes):
            self.kill(n)
        self.network.close()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)
