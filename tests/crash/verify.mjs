// Prints what is in the database, one line a transaction: "client seq parts counter"; node verify.mjs URI

import neo4j from 'neo4j-driver'

const driver = neo4j.driver(process.argv[2], undefined, { disableLosslessIntegers: true, telemetryDisabled: true })
const rows = async query => (await driver.executeQuery(query)).records.map(record => [...record.values()].join(' '))
const lines = [
  ...await rows('MATCH (t:Tx) OPTIONAL MATCH (t)-[r:PART]->(p:Part) WHERE r.i = p.i AND p.seq = t.seq RETURN "tx", t.client, t.seq, count(DISTINCT p)'),
  ...await rows('MATCH (p:Part) WHERE NOT EXISTS { (:Tx)-[:PART]->(p) } RETURN "orphan", p.seq, p.i'),
  ...await rows('MATCH (c:Counter) RETURN "counter", c.client, c.n')
]
console.log(lines.join('\n'))
await driver.close()
