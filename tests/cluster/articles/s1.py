#!/usr/bin/env python3
"""S1, a causal cluster of Neo4j 3.1 on Kubernetes, as a replay without Kubernetes: tests/cluster/articles/s1.py BINARY. See README.md."""
import sys
import types
import urllib.request

from replay import Article, assert_lines, until

article = Article("S1")
# As the init container writes it: a blank before each line, and blank lines. Ports, which a pod has for itself, are added.
FORM = """
                unsupported.dbms.edition=enterprise

                dbms.mode=CORE

                dbms.connectors.default_advertised_address=localhost

                dbms.connectors.default_listen_address=0.0.0.0

                dbms.connector.bolt.type=BOLT

                dbms.connector.bolt.enabled=true

                dbms.connector.bolt.listen_address=0.0.0.0:{bolt}

                dbms.connector.http.type=HTTP

                dbms.connector.http.enabled=true

                dbms.connector.http.listen_address=0.0.0.0:{http}

                causal_clustering.raft_messages_log_enable=true

                causal_clustering.initial_discovery_members={members}

                causal_clustering.leader_election_timeout=2s

                dbms.security.auth_enabled=false
                dbms.memory.pagecache.size=64m
                causal_clustering.discovery_listen_address=:{discovery}
                causal_clustering.transaction_listen_address=:{transaction}
                causal_clustering.raft_listen_address=:{raft}
                dbms.routing.listen_address=:{routing}
"""


def pod(world):
    host = article.host()
    world.pods.append(host)
    return host


def configure(host, world, mode="CORE", members=None):
    members = members or ",".join(f"localhost:{h.port['discovery']}" for h in world.pods[:3])
    host.configure(FORM.format(members=members, **host.port).replace("dbms.mode=CORE", f"dbms.mode={mode}"))


def overview(host):
    return {row[0]: row[2] for row in host.ask("CALL dbms.cluster.overview()").rows}


@article.line("S1-03", "the settings as the init container writes them: leading blanks, blank lines, keys of 3.1")
def _(world):
    world.pods = []
    for _ in range(3):
        pod(world)
    for host in world.pods:
        configure(host, world)
    starts = [host.launch() for host in world.pods]
    assert [p.wait(60) for p in starts] == [0, 0, 0], world.pods[0].log()[-1000:]


@article.line("S1-10", "the lines of kubectl logs")
def _(world):
    stamp = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000 INFO  "
    for host in world.pods:
        assert_lines(host.log(), stamp + r"Starting\.\.\.$", stamp + r"Waiting for other members to join cluster before continuing\.\.\.$",
                     stamp + rf"Bolt enabled on 0\.0\.0\.0:{host.port['bolt']}\.$", stamp + r"Started\.$",
                     stamp + rf"Remote interface available at http://localhost:{host.port['http']}/$")


@article.line("S1-11", "a browser comes through a tunnel, by localhost")
def _(world):
    request = urllib.request.Request(world.pods[0].address("http"), headers={"Accept": "application/json", "Host": "localhost:7474"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert b"bolt" in answer.read()


@article.line("S1-12", "CALL dbms.cluster.overview(): a leader and two followers")
def _(world):
    until(lambda: sorted(overview(world.pods[0]).values()) == ["FOLLOWER", "FOLLOWER", "LEADER"])
    world.before = overview(world.pods[0])
    rows = world.pods[0].ask("CALL dbms.cluster.overview()").rows
    assert {tuple(row[1][:2]) for row in rows} == {(h.address("bolt"), h.address("http")) for h in world.pods}


@article.line("S1-13", "replicas: 5. Two more join as followers, although nobody's settings name them")
def _(world):
    for _ in range(2):
        host = pod(world)
        configure(host, world)
        assert host.neo4j("start").returncode == 0, host.log()[-1000:]
    until(lambda: sorted(overview(world.pods[0]).values()) == ["FOLLOWER"] * 4 + ["LEADER"])
    told = "has caught up and votes from now on"
    until(lambda: sum(h.log().count(told) for h in world.pods) == 4)


@article.line("S1-14", "replicas: 3. The two go and are seen no more; ids and leader of the others stay")
def _(world):
    ids = {}
    for host in world.pods[3:]:
        address = host.address()
        ids[address] = next(row[0] for row in world.pods[0].ask("CALL dbms.cluster.overview()").rows if row[1][:1] == [address])
    leader = next(h for h in world.pods[:3] for row in h.ask("CALL dbms.cluster.overview()").rows if row[2] == "LEADER" and row[1][:1] == [h.address()])
    for host in world.pods[3:]:
        leader.ask(f"DROP SERVER '{ids[host.address()]}'", version=(5, 4), db="system")
        host.neo4j("stop")
    until(lambda: overview(world.pods[0]) == world.before)


@article.line("S1-15", "a read replica is a pod like any other: without a name of its own, without a vote")
def _(world):
    host = pod(world)
    configure(host, world, "READ_REPLICA")
    assert host.neo4j("start").returncode == 0, host.log()[-500:]
    until(lambda: "READ_REPLICA" in overview(world.pods[0]).values())
    host.kill()
    until(lambda: "READ_REPLICA" not in overview(world.pods[0]).values())


@article.line("S1-16", "a member keeps its id over a restart")
def _(world):
    follower = next(h for h in world.pods[1:3])
    follower.neo4j("stop")
    assert follower.neo4j("start").returncode == 0
    until(lambda: set(world.before) <= set(overview(follower)))


@article.line("S1-07", "an address that does not resolve is told with its name and where it came from, and tried for ever")
def _(world):
    host = article.host()
    configure(host, world, members="neo4j-0.neo4j.default.svc.cluster.invalid:5000")
    waiting = host.launch()
    try:
        until(lambda: assert_lines(host.log(), r"WARN .*neo4j-0\.neo4j\.default\.svc\.cluster\.invalid:5000.*(initial_discovery_members|discovery\.endpoints)") or True)
        assert waiting.poll() is None
    finally:
        host.kill()
        waiting.wait(60)


if __name__ == "__main__":
    sys.exit(article.main(types.SimpleNamespace()))
