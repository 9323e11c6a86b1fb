"""What both parts of the benchmark measure with: clients compiled on the spot, processor time and sync calls of a server from outside."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = float(os.environ.get("SECONDS", "3"))
TICKS = os.sysconf("SC_CLK_TCK")
SYNC_CALLS = "fsync,fdatasync,sync_file_range,sync,syncfs,msync"


def compile_tool(name, *flags):
    out = pathlib.Path(tempfile.gettempdir()) / f"quiver-bench-{name}"
    subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE", str(HERE / f"{name}.c"), *flags, "-o", str(out)], check=True)
    return str(out)


def words_of(command, env=None):
    return subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def family(pid):
    """A process and its children."""
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], stdout=subprocess.PIPE, text=True, check=False).stdout
    return [pid, *map(int, out.split())]


def _cpu_fields(pid):
    """User and system time of the process, then of its children that have ended and were waited for: fields 14 to 17, in ticks."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:  # it has ended: its parent counts it now
        return [0, 0, 0, 0]
    return [int(f) for f in fields[11:15]]


def cpu_s(pid):
    """Of a server with all its processes, those that have ended among them."""
    return (sum(_cpu_fields(pid)) + sum(sum(_cpu_fields(child)[:2]) for child in family(pid)[1:])) / TICKS


def syncs_of(pid, action):
    """(sync calls of the server while `action` runs, what it returned), counted by strace in every process and thread; None calls without strace."""
    if shutil.which("strace") is None:
        return None, action()
    attach = [word for p in family(pid) for word in ("-p", str(p))]
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as summary:
        tracer = subprocess.Popen(["strace", "-f", "-c", "-o", summary.name, "-e", f"trace={SYNC_CALLS}", *attach], stderr=subprocess.DEVNULL)
        time.sleep(0.5)  # until it has attached to all of them
        result = action()
        tracer.terminate()
        tracer.wait()
        rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s.*?(\w+)$", summary.read(), re.MULTILINE)
    return sum(int(calls) for calls, name in rows if name in SYNC_CALLS.split(",")), result
