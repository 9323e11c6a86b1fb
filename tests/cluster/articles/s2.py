#!/usr/bin/env python3
"""S2, the trial of a cluster that is to replace one machine, as a replay: tests/cluster/articles/s2.py BINARY. See README.md."""
import shutil
import sys
import time
import types

from replay import MEMBER, Article, has_ended, until

article = Article("S2")
FORM = """# 配置之后机子才可以互联
dbms.connectors.default_listen_address=0.0.0.0
dbms.connectors.default_advertised_address=localhost
dbms.mode={mode}
dbms.security.auth_enabled=false
""" + MEMBER
CREATE = "CREATE (n:Person{name:'朱允炆',works:'',gender:'男',birth_dead_day:'1377年12⽉5-不详'}) RETURN n"


def configure(host, cores, mode="CORE"):
    host.configure(FORM.format(mode=mode, members=",".join(f"localhost:{h.port['discovery']}" for h in cores), **host.port))


def count(host):
    return host.ask("match (n) return count(n)").rows[0][0]


def leader(world, among=None):
    def find():
        for host in among or world.nodes:
            rows = host.ask("CALL dbms.cluster.overview()").rows
            found = [h for h in among or world.nodes for row in rows if row[2] == "LEADER" and row[1][:1] == [h.address()]]
            if len(found) != 1:
                return None
        return found
    return until(find)[0]


def write(world, among=None):
    """To whoever leads, again while that changes."""
    def once():
        leader(world, among).ask(CREATE)
        return True
    until(once)


@article.line("S2-05", "settings of the old HA are refused with the way out")
def _(world):
    host = article.host()
    host.configure("dbms.mode=HA\nha.server_id=1\nha.initial_hosts=10.30.239.202:5001,10.30.239.203:5001,10.30.239.204:5001\n")
    said = host.neo4j("start")
    text = said.stdout + said.stderr + host.log()
    assert said.returncode != 0 and "dbms.mode" in text and "CORE" in text, text


@article.line("S2-06", "settings with Chinese comments; no keys between the machines are needed")
def _(world):
    world.nodes = [article.host() for _ in range(3)]
    for host in world.nodes:
        configure(host, world.nodes)
    starts = [host.launch() for host in world.nodes]
    assert [p.wait(60) for p in starts] == [0, 0, 0]


@article.line("S2-10", "a person with a name, an empty text and rare characters comes back byte for byte")
def _(world):
    seen = leader(world).ask(CREATE + "{.name, .works, .gender, .birth_dead_day} AS n").rows
    assert seen == [[{"name": "朱允炆", "works": "", "gender": "男", "birth_dead_day": "1377年12⽉5-不详"}]], seen


@article.line("S2-09", "written on any node, by its own address, and counted on all three at once on that node, soon on the others")
def _(world):
    until(lambda: len({count(h) for h in world.nodes}) == 1)
    for host in world.nodes:
        before = count(host)
        host.ask(CREATE)
        assert count(host) == before + 1
        until(lambda: [count(h) for h in world.nodes] == [before + 1] * 3)


@article.line("S2-11", "the master is stopped: another one is elected, and the node is written to again")
def _(world):
    world.stopped = leader(world)
    before = count(world.stopped)
    world.stopped.neo4j("stop")
    rest = [h for h in world.nodes if h is not world.stopped]
    began = time.monotonic()
    write(world, rest)
    world.gap_s = time.monotonic() - began
    assert world.gap_s < 2, f"{world.gap_s:.1f} s"
    until(lambda: [count(h) for h in rest] == [before + 1] * 2)


@article.line("S2-13", "a killed master comes back by a plain restart, five times of five, in less than two seconds")
def _(world):
    assert world.stopped.neo4j("start").returncode == 0
    for _ in range(5):
        master = leader(world)
        before = count(master)
        master.kill()
        write(world, [h for h in world.nodes if h is not master])
        began = time.monotonic()
        assert master.neo4j("start").returncode == 0
        until(lambda: count(master) == before + 1)
        assert time.monotonic() - began < 2, f"{time.monotonic() - began:.1f} s"


@article.line("S2-14", "a killed slave comes back by a restart")
def _(world):
    master = leader(world)
    slave = next(h for h in world.nodes if h is not master)
    slave.kill()
    write(world, [h for h in world.nodes if h is not slave])
    assert slave.neo4j("start").returncode == 0
    until(lambda: count(slave) == count(master))


@article.line("S2-12", "one address for everything: while its master dies, whoever writes through another node sees neither an error nor a doubled write")
def _(world):
    master = leader(world)
    door = next(h for h in world.nodes if h is not master)
    before = count(master)
    with door.bolt(version=(5, 4)) as bolt:
        bolt.socket.settimeout(60)
        for i in range(30):
            if i == 10:
                master.kill()
            bolt.run("CREATE (:Person)")
    assert master.neo4j("start").returncode == 0
    until(lambda: [count(h) for h in world.nodes] == [before + 30] * 3)


@article.line("S2-17", "start returns with 0 when the server answers; stop when it has ended, and no file stays open")
def _(world):
    host = world.nodes[0]
    pid = host.pid()
    assert host.neo4j("stop").returncode == 0
    assert has_ended(pid)
    assert host.neo4j("start").returncode == 0
    assert count(host) > 0


@article.line("S2-18", "status: 0 while it runs, 3 when it does not")
def _(world):
    host = world.nodes[0]
    assert host.neo4j("status").returncode == 0
    host.neo4j("stop")
    assert host.neo4j("status").returncode == 3
    host.neo4j("start")


@article.line("S2-19", "a standby that can be read: one primary and one read replica, on two machines")
def _(world):
    primary, standby = article.host(), article.host()
    configure(primary, [primary], "SINGLE")
    primary.configure((primary.home / "conf/neo4j.conf").read_text() + "dbms.clustering.enable=true\n")
    configure(standby, [primary], "READ_REPLICA")
    assert primary.neo4j("start").returncode == 0
    primary.ask(CREATE)
    assert standby.neo4j("start", 30).returncode == 0, standby.log()[-500:]
    until(lambda: count(standby) == 1)
    primary.ask(CREATE)
    until(lambda: count(standby) == 2)
    standby.ask(CREATE)
    assert [count(primary), count(standby)] == [3, 3]


@article.line("S2-21", "two servers on one folder: the second one says who holds it, and harms nothing")
def _(world):
    first, second = article.host(), article.host()
    configure(first, [first], "SINGLE")
    assert first.neo4j("start").returncode == 0
    shutil.rmtree(second.home / "data", ignore_errors=True)
    configure(second, [second], "SINGLE")
    second.configure((second.home / "conf/neo4j.conf").read_text() + f"dbms.directories.data={first.home}/data\n")
    refused = second.neo4j("start")
    text = refused.stdout + refused.stderr + second.log()
    assert refused.returncode != 0 and str(first.pid()) in text, text
    assert count(first) == 0
    first.neo4j("stop")


@article.line("S2-29", "the data lies where the article looks for it: data/databases, under the name of old")
def _(world):
    host = article.host()
    configure(host, [host], "SINGLE")
    host.configure((host.home / "conf/neo4j.conf").read_text() + "dbms.active_database=graph.db\n")
    assert host.neo4j("start").returncode == 0, host.log()[-500:]
    assert (host.home / "data/databases/graph.db").is_dir()
    host.neo4j("stop")


if __name__ == "__main__":
    sys.exit(article.main(types.SimpleNamespace()))
