"""A private PostgreSQL on loopback, durable as it comes."""
import pathlib
import shutil
import subprocess
import tempfile
import time

from lib.quiver import free_port
from measure import compile_tool

SETTINGS = ("server_version", "synchronous_commit", "fsync", "wal_sync_method", "full_page_writes", "commit_delay", "shared_buffers", "max_connections", "jit")


def find():
    """The folder of the newest one's programs, or None."""
    return max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)


class Postgres:
    name = "PostgreSQL"

    def __init__(self, programs):
        self.bin, self.port = programs, free_port()

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="quiver-pg-"))
        shutil.chown(self.dir, "postgres")
        self.su(f"{self.bin}/initdb -D {self.dir}/d -A trust -E UTF8 --locale=C >/dev/null")
        with (self.dir / "d/postgresql.conf").open("a") as conf:
            conf.write(f"listen_addresses='127.0.0.1'\nport={self.port}\nunix_socket_directories='{self.dir}'\n"
                       "shared_buffers=1GB\nmax_connections=200\njit=off\n")
        self.su(f"{self.bin}/pg_ctl -D {self.dir}/d -w -l {self.dir}/log start >/dev/null")
        self.pid = int((self.dir / "d/postmaster.pid").read_text().split()[0])
        include = subprocess.run(["pg_config", "--includedir"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        self.client = compile_tool("pg_client", f"-I{include}", "-lpq")
        return self

    def __exit__(self, *_):
        self.su(f"{self.bin}/pg_ctl -D {self.dir}/d -m fast stop >/dev/null")
        shutil.rmtree(self.dir, ignore_errors=True)

    def su(self, command):
        subprocess.run(["su", "postgres", "-c", command], check=True, cwd="/")

    def sql(self, *texts):
        commands = [word for text in texts for word in ("-c", text)]
        return subprocess.run([f"{self.bin}/psql", "-qAt", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", "postgres", *commands],
                              check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def load(self, data):
        self.sql("CREATE TABLE person (id bigint PRIMARY KEY, name text, age int, city text)", f"\\copy person FROM '{data}/persons.csv' CSV",
                 "VACUUM ANALYZE person")

    def settings(self):
        return {name: self.sql(f"SHOW {name}") for name in SETTINGS}

    def persons(self, ids):
        return self.sql(f"SELECT id, name, age, city FROM person WHERE id IN ({','.join(map(str, ids))}) ORDER BY id").splitlines()

    def totals(self):
        """(persons, sum of their ages)"""
        return tuple(map(int, self.sql("SELECT count(*), sum(age) FROM person").split("|")))

    def rest(self):
        """Until the backends of the clients have ended: then their statistics are told and their parent has their time."""
        deadline = time.monotonic() + 10
        while "postgres: postgres" in subprocess.run(["ps", "-o", "args=", "--ppid", str(self.pid)], stdout=subprocess.PIPE, text=True, check=True).stdout:
            if time.monotonic() > deadline:
                raise TimeoutError("PostgreSQL's backends do not end")
            time.sleep(0.02)

    def counted_syncs(self):
        return int(self.sql("SELECT wal_sync FROM pg_stat_wal"))
