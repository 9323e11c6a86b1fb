// What many clients at once may rely on. The server's address is in QUIVER_URI.

import assert from 'node:assert/strict'
import test, { after, before, beforeEach } from 'node:test'
import neo4j from 'neo4j-driver'

let driver
before(() => { driver = neo4j.driver(process.env.QUIVER_URI, undefined, { disableLosslessIntegers: true, telemetryDisabled: true, maxConnectionPoolSize: 100 }) })
after(() => driver.close())
beforeEach(() => run('MATCH (n) DETACH DELETE n'))

const run = async (query, parameters) => {
  const session = driver.session()
  try {
    return (await session.run(query, parameters)).records.map(record => record.toObject())
  } finally {
    await session.close()
  }
}
const begin = () => {
  const session = driver.session()
  const tx = session.beginTransaction()
  return { run: (...query) => tx.run(...query), commit: () => tx.commit().finally(() => session.close()), rollback: () => tx.rollback().catch(() => {}).finally(() => session.close()) }
}
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

test('fifty clients that add one to ten counters lose nothing and need no retry', async () => {
  await run('UNWIND range(0, 9) AS i CREATE (:C {i: i, n: 0})')
  const client = async id => {
    for (let k = 0; k < 20; k++) await run('MATCH (c:C {i: $i}) SET c.n = c.n + 1', { i: (id + k) % 10 })
  }
  await Promise.all(Array.from({ length: 50 }, (_, id) => client(id)))
  assert.deepEqual(await run('MATCH (c:C) RETURN sum(c.n) AS sum'), [{ sum: 1000 }])
})

test('a counter that comes up in several rows is added to row by row', async () => {
  await run('CREATE (:C {n: 0})')
  await run('UNWIND [1, 2, 3] AS i MATCH (c:C) SET c.n = c.n + i')
  assert.deepEqual(await run('MATCH (c:C) RETURN c.n AS n'), [{ n: 6 }])
})

for (const parties of [2, 3]) {
  test(`a deadlock of ${parties} ends with the transient code, and the others go on`, async () => {
    await run('UNWIND range(0, toInteger($last)) AS i CREATE (:C {i: i, n: 0})', { last: parties - 1 })
    const txs = Array.from({ length: parties }, begin)
    const lock = (tx, i) => tx.run('MATCH (c:C {i: $i}) SET c.n = c.n + 1', { i })
    await Promise.all(txs.map((tx, i) => lock(tx, i)))
    const outcomes = await Promise.all(txs.map((tx, i) => lock(tx, (i + 1) % parties).then(() => tx.commit()).then(() => 'committed', async error => {
      await tx.rollback()
      return error.code
    })))
    const victims = outcomes.filter(outcome => outcome !== 'committed')
    assert.deepEqual(victims, ['Neo.TransientError.Transaction.DeadlockDetected'])
    assert.deepEqual(await run('MATCH (c:C) RETURN sum(c.n) AS sum'), [{ sum: 2 * (parties - 1) }])
  })
}

test('two MERGE at once under a unique constraint make one node', async () => {
  await run('CREATE CONSTRAINT IF NOT EXISTS FOR (u:U) REQUIRE u.name IS UNIQUE')
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 8 }, () => run('MERGE (u:U {name: $name})', { name: `n${round}` })))
  }
  assert.deepEqual(await run('MATCH (u:U) RETURN count(u) AS nodes, count(DISTINCT u.name) AS names'), [{ nodes: 20, names: 20 }])
})

test('a query that waits for the lock of an idle client stops none of sixty-four other connections', async () => {
  await run('CREATE (:C {i: 0, n: 0}), (:D {n: 1})')
  const idle = begin()
  await idle.run('MATCH (c:C) SET c.n = 1')
  const waiting = Array.from({ length: 16 }, () => run('MATCH (c:C) SET c.n = c.n + 1'))
  await sleep(100)
  const start = Date.now()
  await Promise.all(Array.from({ length: 64 }, () => run('MATCH (d:D) RETURN d.n AS n')))
  assert.ok(Date.now() - start < 5000, 'the others had to wait')
  await idle.commit()
  await Promise.all(waiting)
  assert.deepEqual(await run('MATCH (c:C) RETURN c.n AS n'), [{ n: 17 }])
})

test('a transaction sees its own writes, others see them after the commit', async () => {
  const tx = begin()
  await tx.run('CREATE (:C {n: 1})')
  assert.equal((await tx.run('MATCH (c:C) RETURN count(c) AS n')).records[0].get('n'), 1)
  assert.deepEqual(await run('MATCH (c:C) RETURN count(c) AS n'), [{ n: 0 }])
  await tx.commit()
  assert.deepEqual(await run('MATCH (c:C) RETURN count(c) AS n'), [{ n: 1 }])
})

test('what is rolled back never was', async () => {
  await run('CREATE (:C {n: 1})')
  const tx = begin()
  await tx.run('MATCH (c:C) SET c.n = 2 CREATE (c)-[:R]->(:C {n: 3})')
  await tx.rollback()
  assert.deepEqual(await run('MATCH (c:C) RETURN c.n AS n'), [{ n: 1 }])
})

test('a clause does not see what it writes itself, the next one sees all', async () => {
  await run('UNWIND range(1, 3) AS i CREATE (:C)')
  await run('MATCH (c:C) CREATE (:C)')
  assert.deepEqual(await run('MATCH (c:C) RETURN count(c) AS n'), [{ n: 6 }])
  assert.deepEqual(await run('MATCH (c:C) CREATE (:C) WITH count(*) AS made MATCH (c:C) RETURN made, count(c) AS n'), [{ made: 6, n: 12 }])
})

test('a hub grows under many clients at once', async () => {
  await run('CREATE (:Hub {i: 0})')
  const client = async id => {
    for (let k = 0; k < 10; k++) await run('MATCH (h:Hub {i: 0}) CREATE (h)<-[:IN]-(:Leaf {id: $id})', { id: id * 100 + k })
  }
  await Promise.all(Array.from({ length: 40 }, (_, id) => client(id)))
  assert.deepEqual(await run('MATCH (h:Hub)<-[r:IN]-(l) RETURN count(r) AS rels, count(DISTINCT l.id) AS leaves'), [{ rels: 400, leaves: 400 }])
})
