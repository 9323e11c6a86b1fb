#!/usr/bin/env python3
"""S4, the causal cluster of Neo4j 3.4 in depth, as a replay: tests/cluster/articles/s4.py BINARY. See README.md."""
import sys
import types

from replay import MEMBER, Article, Failure, assert_lines, until

article = Article("S4")
FORM = """
dbms.connectors.default_listen_address=0.0.0.0
dbms.connectors.default_advertised_address=localhost
dbms.mode={mode}
causal_clustering.minimum_core_cluster_size_at_formation=3
causal_clustering.minimum_core_cluster_size_at_runtime=3
""" + MEMBER


def configure(host, world, mode="CORE"):
    members = ",".join(f"localhost:{h.port['discovery']}" for h in world.cores)
    host.configure(FORM.format(mode=mode, members=members, **host.port))


def leader(world, among=None):
    """(it, the others), once all that run call the same one."""
    def find():
        running = among or world.running
        rows = [tuple(sorted((tuple(row[1][:1]), row[2]) for row in h.ask("call dbms.cluster.overview()").rows)) for h in running]
        leaders = [a[0] for a, role in rows[0] if role == "LEADER"]
        return rows.count(rows[0]) == len(rows) and len(leaders) == 1 and [h for h in running if h.address() == leaders[0]]
    found, = until(find)
    return found, [h for h in (among or world.running) if h is not found]


def people(host):
    return host.ask("MATCH (n:Person {name: 'wzh'}) RETURN count(n)").rows[0][0]


@article.line("S4-01", "three servers with the settings of the article; only the addresses differ")
def _(world):
    world.cores = [article.host() for _ in range(3)]
    for host in world.cores:
        configure(host, world)
        text = (host.home / "conf/neo4j.conf").read_text() + "dbms.security.auth_enabled=false\n"
        host.configure(text)


@article.line("S4-03", "./bin/neo4j start finds conf/neo4j.conf by itself, and comes back with 0")
def _(world):
    world.starts = [world.cores[0].launch(), world.cores[1].launch()]
    until(lambda: "Starting" in world.cores[0].log())


@article.line("S4-04", "one that is started late spoils nothing: the others say whom they wait for")
def _(world):
    until(lambda: "Waiting for 3 members. Currently discovered 2 members" in world.cores[0].log())
    world.starts.append(world.cores[2].launch())
    assert [p.wait(60) for p in world.starts] == [0, 0, 0]
    world.running = list(world.cores)


@article.line("S4-05", "the lines of a start, with their stamps")
def _(world):
    stamp = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d{4} INFO  "
    port = world.cores[0].port
    assert_lines(world.cores[0].log(), stamp + "======== .* ========$", stamp + r"Starting\.\.\.$", stamp + r"My connection info: \[$",
                 rf"^\s+Discovery:   listen=0\.0\.0\.0:{port['discovery']}, advertised=localhost:{port['discovery']},$",
                 rf"^\s+Transaction: listen=0\.0\.0\.0:{port['transaction']}, advertised=localhost:{port['transaction']},",
                 rf"^\s+Raft:        listen=0\.0\.0\.0:{port['raft']}, advertised=localhost:{port['raft']},",
                 rf"^\s+Client Connector Addresses: bolt://localhost:{port['bolt']},http://localhost:{port['http']}", r"^\]$",
                 stamp + r"Discovering cluster with initial members: \[localhost:\d+, localhost:\d+, localhost:\d+\]$",
                 stamp + r"Attempting to connect to the other cluster members before continuing\.\.\.$",
                 stamp + rf"Bolt enabled on 0\.0\.0\.0:{port['bolt']}\.$", stamp + r"Started\.$",
                 stamp + rf"Remote interface available at http://localhost:{port['http']}/$")


@article.line("S4-06", "stamps in the zone of the system, where that is asked for")
def _(world):
    host = article.host()
    host.env["TZ"] = "Asia/Shanghai"
    host.configure(f"dbms.logs.timezone=SYSTEM\ndbms.connector.bolt.listen_address=:{host.port['bolt']}\n"
                   f"dbms.connector.http.listen_address=:{host.port['http']}\n")
    assert host.neo4j("start").returncode == 0
    host.neo4j("stop")
    assert_lines(host.log(), r"\+0800 INFO  Starting\.\.\.$")


@article.line("S4-08", "the first login is neo4j/neo4j and must change its password")
def _(world):
    host = article.host()
    host.configure(f"dbms.connector.bolt.listen_address=:{host.port['bolt']}\ndbms.connector.http.listen_address=:{host.port['http']}\n")
    assert host.neo4j("start").returncode == 0
    with host.bolt("neo4j", "neo4j") as bolt:
        assert bolt.login.get("credentials_expired") is True, bolt.login
    with host.bolt("neo4j", "neo4j", version=(5, 4)) as bolt:
        bolt.run("ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO 'a new one'", db="system")
    with host.bolt("neo4j", "a new one") as bolt:
        assert bolt.run("RETURN 1").rows == [[1]]
    host.neo4j("stop")


@article.line("S4-10", "call dbms.cluster.overview(): who leads, who follows")
def _(world):
    found, others = leader(world)
    seen = found.ask("call dbms.cluster.overview()")
    assert seen.columns == ["id", "addresses", "role", "groups", "database"], seen.columns
    assert sorted(row[2] for row in seen.rows) == ["FOLLOWER", "FOLLOWER", "LEADER"]
    assert all(row[3:] == [[], "default"] for row in seen.rows), seen.rows
    assert {a for row in seen.rows for a in row[1]} >= {h.address(s) for h in world.cores for s in ("bolt", "http")}


@article.line("S4-11", "call dbms.cluster.routing.getServers(): 300 s, WRITE, READ and ROUTE")
def _(world):
    found, others = leader(world)
    (ttl, servers), = found.ask("call dbms.cluster.routing.getServers()").rows
    of = {entry["role"]: set(entry["addresses"]) for entry in servers}
    name = lambda h: f"localhost:{h.port['bolt']}"  # noqa: E731
    assert (ttl, of) == (300, {"WRITE": {name(found)}, "READ": set(map(name, others)), "ROUTE": set(map(name, world.cores))}), of


@article.line("S4-12", "a node made on the leader is found on a follower")
def _(world):
    found, others = leader(world)
    assert [people(h) for h in world.cores] == [0, 0, 0]
    found.ask("CREATE (:Person {name: 'wzh'})")
    until(lambda: [people(h) for h in world.cores] == [1, 1, 1])


@article.line("S4-13", "an empty server joins as a read replica: its store is copied, it is in the overview and serves reads")
def _(world):
    replica = article.host()
    configure(replica, world, "READ_REPLICA")
    replica.configure((replica.home / "conf/neo4j.conf").read_text() + "dbms.security.auth_enabled=false\n")
    assert replica.neo4j("start").returncode == 0, replica.log()[-500:]
    until(lambda: people(replica) == 1)
    roles = [row[2] for row in world.cores[0].ask("call dbms.cluster.overview()").rows]
    assert sorted(roles) == ["FOLLOWER", "FOLLOWER", "LEADER", "READ_REPLICA"], roles
    (_, servers), = world.cores[0].ask("call dbms.cluster.routing.getServers()").rows
    assert f"localhost:{replica.port['bolt']}" in next(e["addresses"] for e in servers if e["role"] == "READ")
    world.replica = replica


@article.line("S4-15", "the leader is killed: the others lose the connection, try again, and do not take it for gone")
def _(world):
    world.killed, rest = leader(world)
    world.killed.kill()
    world.running = rest
    world.next, _ = leader(world, rest)
    for host in rest:
        until(lambda h=host: assert_lines(h.log(), rf"Lost connection to: localhost:{world.killed.port['raft']}") or True)
    overview = world.next.ask("CALL dbms.cluster.overview()", version=(5, 4)).rows
    assert len(overview) >= 3 or world.killed.address() not in str(overview)


@article.line("S4-17", "the lines of an election")
def _(world):
    member = r"MemberId\{[0-9a-f]{8}\}"
    assert_lines(world.next.log(), rf"Moving to CANDIDATE state, \{{term=\d+, candidate={member}, lastAppended=\d+, lastLogTerm=\d+\}}",
                 rf"Moving to LEADER state at term \d+ \(I am {member}\)")
    until(lambda: assert_lines(world.next.log(), rf"Leader changed from {member} to {member}") or True)


@article.line("S4-21", "it comes back by a plain start: recovery with its lines, and follows")
def _(world):
    world.next.ask("CREATE (:Person {name: 'wzh'})")
    assert world.killed.neo4j("start").returncode == 0
    until(lambda: people(world.killed) == 2)
    assert_lines(world.killed.log(), r"Recovery required", r"Recovery completed\. \d+ transactions, first:\d+, last:\d+ recovered")
    world.running = list(world.cores)
    leader(world)


@article.line("S4-24", "dbms.listConfig() has checkpoint and log settings with their defaults")
def _(world):
    asked = "call dbms.listConfig() yield name, value where name contains '{}' return name, value;"
    host = world.cores[0]
    found = dict(host.ask(asked.format("dbms.checkpoint")).rows)
    wanted = {"dbms.checkpoint": "periodic", "dbms.checkpoint.interval.time": "900000ms", "dbms.checkpoint.interval.tx": "100000"}
    assert wanted.items() <= found.items(), found
    found = dict(host.ask(asked.format("dbms.tx_log")).rows)
    assert {"dbms.tx_log.rotation.retention_policy", "dbms.tx_log.rotation.size"} <= set(found), found


@article.line("S4-27", "the greeting of the driver's manual, through Bolt 3")
def _(world):
    found, _ = leader(world)
    greeting = found.ask("CREATE (a:Greeting) SET a.message = $message RETURN a.message + ', from node ' + id(a)", {"message": "hello, world"}).rows[0][0]
    assert greeting.startswith("hello, world, from node "), greeting


@article.line("S4-31", "while nobody leads, the routing table is there and has no writer")
def _(world):
    found, others = leader(world)
    found.kill()
    others[0].kill()
    last = others[1]

    def table():
        (_, servers), = last.ask("call dbms.cluster.routing.getServers()").rows
        return {entry["role"]: entry["addresses"] for entry in servers}
    until(lambda: not table().get("WRITE"))
    assert table()["ROUTE"] and table()["READ"], table()
    for host in (found, others[0]):
        assert host.neo4j("start").returncode == 0
    leader(world)


@article.line("S4-32", "a write that fails for want of a leader has a code that drivers try again")
def _(world):
    found, others = leader(world)
    for host in others:
        host.kill()
    try:
        with found.bolt(version=(5, 4)) as bolt:
            bolt.socket.settimeout(3)
            bolt.run("CREATE (:Person)")
        raise AssertionError("nobody else is there, and it was committed")
    except OSError:
        pass  # unanswered for three seconds: parked, not failed
    except Failure as failure:
        assert failure.code.startswith("Neo.TransientError.") or failure.code == "Neo.ClientError.Cluster.NotALeader", failure
    for host in others:
        assert host.neo4j("start").returncode == 0
    leader(world)


def alone(host):
    host.configure((host.home / "conf/neo4j.conf").read_text().replace("dbms.mode=CORE", "dbms.mode=SINGLE"))


@article.line("S4-19", "a standalone server becomes a member with its data, and a member becomes standalone again")
def _(world):
    hosts = [article.host() for _ in range(3)]
    members = ",".join(f"localhost:{h.port['discovery']}" for h in hosts)
    for host in hosts:
        host.configure(FORM.format(mode="CORE", members=members, **host.port) + "dbms.security.auth_enabled=false\n")
    first = hosts[0]
    alone(first)
    assert first.neo4j("start").returncode == 0
    first.ask("CREATE (:Person {name: 'wzh'})")
    first.neo4j("stop")
    first.configure((first.home / "conf/neo4j.conf").read_text().replace("dbms.mode=SINGLE", "dbms.mode=CORE"))
    assert [p.wait(60) for p in [h.launch() for h in hosts]] == [0, 0, 0], first.log()[-1000:]
    until(lambda: [people(h) for h in hosts] == [1, 1, 1])
    leader(world, hosts)[0].ask("CREATE (:Person {name: 'wzh'})")
    until(lambda: people(hosts[2]) == 2)
    for host in hosts:
        host.neo4j("stop")
    said = hosts[2].run("admin", "server", "unbind")
    assert said.returncode == 0, said.stdout + said.stderr
    alone(hosts[2])
    assert hosts[2].neo4j("start").returncode == 0, hosts[2].log()[-1000:]
    assert people(hosts[2]) == 2
    hosts[2].neo4j("stop")


if __name__ == "__main__":
    sys.exit(article.main(types.SimpleNamespace()))
