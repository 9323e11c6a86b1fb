"""Logging in: the first password, changing it, setting it beforehand, wrong ones."""
import time

from base import HomeCase, connect
from lib.bolt import Failure

CHANGE = "ALTER CURRENT USER SET PASSWORD FROM $old TO $new"


class Users(HomeCase):
    def fails(self, code, call, *arguments, **named):
        with self.assertRaises(Failure) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.code, code)
        return caught.exception.message

    def test_the_first_password_must_be_changed(self):
        with self.server() as server:
            with connect(server, "neo4j", "neo4j") as bolt:
                self.assertTrue(bolt.login.get("credentials_expired"))
                self.fails("Neo.ClientError.Security.CredentialsExpired", bolt.run, "RETURN 1")
                self.fails("Neo.ClientError.Security.CredentialsExpired", bolt.run, "SHOW USERS", db="system")
                bolt.run(CHANGE, {"old": "neo4j", "new": "a new secret"}, db="system")
                self.assertEqual(bolt.run("RETURN 1 AS one").rows, [[1]])
            with connect(server, "neo4j", "a new secret") as bolt:
                self.assertNotIn("credentials_expired", bolt.login)
                self.assertEqual(bolt.run("RETURN 1 AS one").rows, [[1]])
            self.fails("Neo.ClientError.Security.Unauthorized", connect, server, "neo4j", "neo4j")
        with self.server() as server, connect(server, "neo4j", "a new secret") as bolt:
            self.assertEqual(bolt.run("RETURN 1 AS one").rows, [[1]])
        for path in self.home.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"a new secret", path.read_bytes(), path)

    def test_a_password_may_be_set_before_the_first_start_and_only_then(self):
        self.assertEqual(self.quiver("admin", "dbms", "set-initial-password", input="first secret\n").returncode, 0)
        with self.server() as server, connect(server, "neo4j", "first secret") as bolt:
            self.assertNotIn("credentials_expired", bolt.login)
        late = self.quiver("admin", "dbms", "set-initial-password", "another secret")
        self.assertEqual(late.returncode, 1)

    def test_unknown_users_and_wrong_passwords_are_told_the_same(self):
        with self.server(password="a good secret") as server:
            wrong = self.fails("Neo.ClientError.Security.Unauthorized", connect, server, "neo4j", "wrong")
            self.assertEqual(self.fails("Neo.ClientError.Security.Unauthorized", connect, server, "nobody", "wrong"), wrong)

    def test_three_wrong_passwords_lead_to_a_pause(self):
        with self.server(password="a good secret", settings={"dbms.security.auth_lock_time": "1s"}) as server:
            for _ in range(3):
                self.fails("Neo.ClientError.Security.Unauthorized", connect, server, "neo4j", "wrong")
            self.fails("Neo.ClientError.Security.AuthenticationRateLimit", connect, server, "neo4j", "a good secret")
            time.sleep(1.2)
            connect(server, "neo4j", "a good secret").close()

    def test_users_are_made_changed_shown_and_dropped(self):
        with self.server(password="a good secret") as server, connect(server, "neo4j", "a good secret") as admin:
            admin.run("CREATE USER ann SET PASSWORD 'secret of ann' CHANGE NOT REQUIRED", db="system")
            self.fails("Neo.ClientError.General.InvalidArguments", admin.run, "CREATE USER ann SET PASSWORD 'secret of ann'", db="system")
            admin.run("CREATE USER ann IF NOT EXISTS SET PASSWORD 'secret of ann'", db="system")
            users = {row["user"]: row for row in admin.run("SHOW USERS", db="system").dicts()}
            self.assertEqual(set(users), {"neo4j", "ann"})
            with connect(server, "ann", "secret of ann") as ann:
                self.assertEqual(ann.run("SHOW CURRENT USER YIELD user", db="system").rows, [["ann"]])
            admin.run("ALTER USER ann SET STATUS SUSPENDED", db="system")
            self.fails("Neo.ClientError.Security.Unauthorized", connect, server, "ann", "secret of ann")
            admin.run("DROP USER ann", db="system")
            self.fails("Neo.ClientError.Security.Unauthorized", connect, server, "ann", "secret of ann")
            self.assertIn("8 characters", self.fails("Neo.ClientError.Statement.ArgumentError", admin.run, "CREATE USER bob SET PASSWORD 'short'", db="system"))
