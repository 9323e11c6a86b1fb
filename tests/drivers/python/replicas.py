"""Writes through a router and reads behind the bookmark: from each replica itself, and from whoever the router says reads."""
import json
import sys

import neo4j

router, *replicas = sys.argv[1:]
WRITES = 50
seen, readers = 0, set()
direct = [neo4j.GraphDatabase.driver(f"bolt://{replica}") for replica in replicas]
with neo4j.GraphDatabase.driver(f"neo4j://{router}") as driver:
    for n in range(WRITES):
        with driver.session() as session:
            session.execute_write(lambda tx, n=n: tx.run("CREATE (:ByDriver {n: $n})", n=n).consume())
            bookmarks = session.last_bookmarks()
        found = []
        for reader in [driver, *direct]:
            with reader.session(bookmarks=bookmarks, default_access_mode=neo4j.READ_ACCESS) as session:
                result = session.run("MATCH (b:ByDriver) RETURN count(b)")
                found.append(result.single()[0])
                if reader is driver:
                    readers.add(result.consume().server.address)
        seen += found == [n + 1] * len(found)
for reader in direct:
    reader.close()
print(json.dumps({"written": WRITES, "seen": seen, "readers": sorted(f"{host}:{port}" for host, port, *_ in readers)}))
