"""Timeouts, killing, memory limits: each ends the query with its own code and leaves the server well."""
import threading
import time

from base import HomeCase, connect
from lib.bolt import Failure

LONG = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN sum(a * b) AS s"
LARGE = "UNWIND range(1, 20000000) AS a WITH collect(a) AS all RETURN size(all) AS n"


class Limits(HomeCase):
    def fails(self, code, call, *arguments, **named):
        with self.assertRaises(Failure) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.code, code, caught.exception.message)

    def test_the_server_s_timeout_ends_a_query(self):
        with self.server(auth=False, settings={"db.transaction.timeout": "300ms"}) as server, connect(server) as bolt:
            begun = time.monotonic()
            self.fails("Neo.ClientError.Transaction.TransactionTimedOut", bolt.run, LONG)
            self.assertLess(time.monotonic() - begun, 5)
            self.assertEqual(bolt.run("RETURN 1 AS one").rows, [[1]])

    def test_the_client_s_timeout_has_a_code_of_its_own(self):
        with self.server(auth=False) as server, connect(server) as bolt:
            self.fails("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", bolt.run, LONG, tx_timeout=300)
            self.assertEqual(bolt.run("RETURN 1 AS one").rows, [[1]])

    def test_a_transaction_can_be_shown_and_terminated(self):
        with self.server(auth=False) as server, connect(server) as victim, connect(server) as admin:
            caught = []

            def run():
                try:
                    victim.run(LONG)
                except Failure as e:
                    caught.append(e.code)

            thread = threading.Thread(target=run)
            thread.start()
            ids = []
            deadline = time.monotonic() + 10
            while not ids and time.monotonic() < deadline:
                ids = [row["transactionId"] for row in admin.run("SHOW TRANSACTIONS").dicts() if "range(1, 100000)" in row["currentQuery"]]
            self.assertEqual(len(ids), 1)
            self.assertEqual(admin.run("TERMINATE TRANSACTION $id", {"id": ids[0]}).dicts()[0]["message"], "Transaction terminated.")
            thread.join(10)
            self.assertFalse(thread.is_alive())
            self.assertEqual(caught, ["Neo.TransientError.Transaction.Terminated"])

    def test_a_stop_does_not_wait_for_a_query_for_ever(self):
        with self.server(auth=False, settings={"db.shutdown_transaction_end_timeout": "500ms"}) as server:
            victim = connect(server)
            victim.send(0x10, LONG, {}, {})
            victim.send(0x3F, {"n": -1})
            time.sleep(0.3)
            begun = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - begun, 5)

    def test_a_transaction_s_memory_is_limited(self):
        with self.server(auth=False, settings={"db.memory.transaction.max": "10m"}) as server, connect(server) as bolt:
            self.fails("Neo.ClientError.General.TransactionOutOfMemoryError", bolt.run, LARGE)
            self.assertEqual(bolt.run("RETURN 1 AS one").rows, [[1]])

    def test_the_server_s_memory_is_limited(self):
        with self.server(auth=False, settings={"dbms.memory.transaction.total.max": "20m"}) as server, connect(server) as bolt:
            self.fails("Neo.TransientError.General.MemoryPoolOutOfMemoryError", bolt.run, LARGE)
            self.assertEqual(bolt.run("RETURN 1 AS one").rows, [[1]])

    def test_the_number_of_transactions_is_limited(self):
        with self.server(auth=False, settings={"db.transaction.concurrent.maximum": "2"}) as server:
            connections = [connect(server) for _ in range(3)]
            for c in connections[:2]:
                c.begin()
            self.fails("Neo.TransientError.Transaction.MaximumTransactionLimitReached", connections[2].begin)
            for c in connections:
                c.close()
