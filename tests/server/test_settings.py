"""Settings: files of old versions, what wins, what is refused."""
import os
import subprocess
import time

from base import BINARY, HomeCase, connect
from lib.quiver import free_port

# The settings that a stateful set of 2016 writes, leading blanks and all.
OLD_KUBERNETES = """
    unsupported.dbms.edition=enterprise

    dbms.mode={mode}
    dbms.connectors.default_advertised_address=core-0.neo4j.default.svc.cluster.local
    dbms.connectors.default_listen_address=127.0.0.1

    dbms.connector.bolt.type=BOLT
    dbms.connector.bolt.enabled=true
    dbms.connector.bolt.listen_address=127.0.0.1:{bolt}
    dbms.connector.http.type=HTTP
    dbms.connector.http.enabled=true
    dbms.connector.http.listen_address=127.0.0.1:{http}
    causal_clustering.raft_messages_log_enable=true
    # \u4e2d\u6587\u6ce8\u91ca
    causal_clustering.initial_discovery_members=core-0.invalid:5000,core-1.invalid:5000,core-2.invalid:5000
    causal_clustering.discovery_listen_address=127.0.0.1:{discovery}
    causal_clustering.leader_election_timeout=2s
    dbms.security.auth_enabled=false
"""


class Settings(HomeCase):
    def test_a_file_of_2016_starts_the_server(self):
        self.write_conf(OLD_KUBERNETES.format(mode="SINGLE", bolt=self.bolt_port, http=self.http_port, discovery=free_port()))
        started = self.quiver("start")
        self.assertEqual(started.returncode, 0, started.stderr)
        log = self.log_with("Started.")
        self.assertIn(f"Bolt enabled on 127.0.0.1:{self.bolt_port}.", log)
        self.assertIn("It is replaced by 'server.default_listen_address'", log)
        self.assertNotIn("Unrecognized setting", log)
        self.bolt = connect(self)
        address = f"core-0.neo4j.default.svc.cluster.local:{self.bolt_port}"
        self.assertEqual({s["role"]: s["addresses"] for s in self.bolt.route()["servers"]}, {"ROUTE": [address], "READ": [address], "WRITE": [address]})

    def test_a_member_of_a_cluster_waits_for_the_others_and_says_whom_it_does_not_find(self):
        self.write_conf(OLD_KUBERNETES.format(mode="CORE", bolt=self.bolt_port, http=self.http_port, discovery=free_port()))
        with open(self.home / "console.out", "wb") as output:
            server = subprocess.Popen([BINARY, "console", "--home", str(self.home)], stdout=output, stderr=subprocess.STDOUT)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        deadline = time.monotonic() + 20
        told = ""
        while time.monotonic() < deadline and not ("Waiting for 3 members" in told and "core-1.invalid" in told):
            self.assertIsNone(server.poll(), told)
            time.sleep(0.05)
            told = (self.home / "console.out").read_text()
        self.assertIn("Waiting for 3 members. Currently discovered 1 members", told)
        self.assertIn("core-1.invalid", told)
        self.assertIn("dbms.cluster.discovery.endpoints", told)

    def test_a_wrong_value_is_refused_with_its_place(self):
        self.write_conf("# a comment\n\nserver.bolt.enabled=perhaps\n")
        refused = self.quiver("start")
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, r"Bad value 'perhaps' for setting 'server.bolt.enabled' at .*/conf/neo4j.conf:3: it must be true or false")

    def test_an_unknown_setting_is_a_warning_or_when_strict_an_error(self):
        self.write_conf("db.transaktion.timeout=1s\n")
        told = self.quiver("admin", "server", "validate-config")
        self.assertEqual(told.returncode, 0)
        self.assertIn("Did you mean 'db.transaction.timeout'?", told.stdout)
        self.assertEqual(self.quiver("console", "--set=server.config.strict_validation.enabled=true").returncode, 1)

    def test_quiver_conf_comes_before_neo4j_conf_and_set_before_both(self):
        self.write_conf("server.bolt.enabled=perhaps\n")
        self.write_conf("dbms.max_databases=7\n", "quiver.conf")
        self.assertEqual(self.quiver("admin", "server", "validate-config").returncode, 0)
        self.assertIn("'x'", self.quiver("admin", "server", "validate-config", "--set", "dbms.max_databases=x").stderr)

    def test_the_environment_of_the_container_image_is_read(self):
        env = {**os.environ, "NEO4J_server_bolt_tls__level": "SOMETIMES"}
        refused = self.quiver("admin", "server", "validate-config", env=env)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("NEO4J_server_bolt_tls__level", refused.stderr)

    def test_commands_are_expanded_only_when_asked_for_and_from_a_safe_file(self):
        self.write_conf("dbms.max_databases=$(echo 5)\n")
        conf = self.home / "conf" / "neo4j.conf"
        conf.chmod(0o640)
        self.assertEqual(self.quiver("admin", "server", "validate-config").returncode, 1)
        self.assertEqual(self.quiver("admin", "server", "validate-config", "--expand-commands").returncode, 0)
        conf.chmod(0o666)
        self.assertIn("chmod 640", self.quiver("admin", "server", "validate-config", "--expand-commands").stderr)

    def test_a_certificate_that_is_missing_is_told_as_such(self):
        refused = self.quiver("console", "--set=dbms.mode=CORE", "--set=dbms.cluster.discovery.endpoints=127.0.0.1:1",
                              "--set=dbms.ssl.policy.cluster.enabled=true")
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, "certificate '.*/certificates/cluster/public.crt': No such file or directory")

    def test_a_level_of_tls_without_a_certificate_says_where_to_put_it(self):
        refused = self.quiver("console", "--set=server.bolt.tls_level=REQUIRED", *self.ports()[1:])
        self.assertEqual(refused.returncode, 1)
        self.assertIn("dbms.ssl.policy.bolt.enabled=true", refused.stderr)
