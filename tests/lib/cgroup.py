"""A memory group of the kernel (version 1 or 2) around a process, without swap; or, where none can be made, a limit on its address space."""
import os
import pathlib


def _own_path(controller):
    """This process's group under that controller; "" is version 2."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(",") if controller else controllers == "":
            return path
    return None


class _Group:
    settings = {}  # a server sees the group by itself

    def __init__(self, folder, limits):
        """`limits`: the first must be there, the others (of swap) are where the kernel counts that. OSError leaves no group behind."""
        self.folder = folder
        folder.mkdir()
        try:
            for i, (name, value) in enumerate(limits.items()):
                if i == 0 or (folder / name).exists():
                    self.write(name, value)
        except OSError:
            folder.rmdir()
            raise

    def write(self, name, value):
        with open(self.folder / name, "r+", encoding="ascii") as f:  # r+: a limit that the kernel has not is not made
            f.write(str(value))

    def number(self, name):
        try:
            return int((self.folder / name).read_text())
        except (OSError, ValueError):
            return None

    def table(self, name):
        return {key: int(value) for key, value in (line.split() for line in (self.folder / name).read_text().splitlines())}

    def wrapper(self):
        """Words in front of a command that run it inside."""
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh"]

    def close(self):
        self.folder.rmdir()


class _GroupV1(_Group):
    kind = "cgroup v1"

    def __init__(self, folder, limit_bytes):
        super().__init__(folder, {"memory.limit_in_bytes": limit_bytes, "memory.memsw.limit_in_bytes": limit_bytes})

    def peak_bytes(self):
        return self.number("memory.max_usage_in_bytes")

    def reset_peak(self):
        self.write("memory.max_usage_in_bytes", 0)

    def kills(self):
        return self.table("memory.oom_control").get("oom_kill", 0)

    def refusals(self):
        """How often the limit was met, so that something of the file cache had to go first."""
        return self.number("memory.failcnt")

    def file_cache_bytes(self):
        return self.table("memory.stat")["total_cache"]

    def anonymous_bytes(self):
        return self.table("memory.stat")["total_rss"]


class _GroupV2(_Group):
    kind = "cgroup v2"

    def __init__(self, folder, limit_bytes):
        super().__init__(folder, {"memory.max": limit_bytes, "memory.swap.max": 0})

    def peak_bytes(self):
        return self.number("memory.peak")

    def reset_peak(self):
        pass  # only kernels from 6.12 on can, and only for one reader

    def kills(self):
        return self.table("memory.events")["oom_kill"]

    def refusals(self):
        return self.table("memory.events")["max"]

    def file_cache_bytes(self):
        return self.table("memory.stat")["file"]

    def anonymous_bytes(self):
        return self.table("memory.stat")["anon"]


class _AddressSpace:
    """No group can be made: the server's own settings must do, and its address space is limited to eight times as much, since what it
    reserves but does not use counts there."""

    kind = "no cgroup: server settings and RLIMIT_AS"

    def __init__(self, limit_bytes):
        self.limit_bytes = limit_bytes
        quarter = str(limit_bytes // 4)
        self.settings = {"server.memory.pagecache.size": quarter, "dbms.memory.transaction.total.max": quarter}

    def wrapper(self):
        return ["sh", "-c", f'ulimit -v {8 * self.limit_bytes // 1024} && exec "$@"', "sh"]

    def peak_bytes(self):
        return None

    kills = refusals = file_cache_bytes = anonymous_bytes = peak_bytes

    def reset_peak(self):
        pass

    def close(self):
        pass


def limited(name, limit_bytes):
    """The best limit that can be had here: processes are started with its `wrapper()` and, if they are servers, its `settings`; `close`
    it when all of them have ended."""
    unique = f"quiver-{name}-{os.getpid()}"
    places = [(_GroupV2, "/sys/fs/cgroup", _own_path("")), (_GroupV1, "/sys/fs/cgroup/memory", _own_path("memory"))]
    for kind, mount, path in places:
        if path is None:
            continue
        for parent in (mount + path.rstrip("/"), mount):
            try:
                return kind(pathlib.Path(parent) / unique, limit_bytes)
            except OSError:
                continue
    return _AddressSpace(limit_bytes)
