// Eight clients that write explicit transactions until the server dies: node writer.mjs URI CLIENTS FIRST_SEQUENCE
//
// One transaction is (:Tx {client, seq})-[:PART]->(:Part {seq, i}) for i in 0..3, made by three statements, and a change of the
// client's own counter node. Each line on standard output is a transaction whose commit was acknowledged: "client seq".

import { writeSync } from 'node:fs'
import neo4j from 'neo4j-driver'

const [uri, clients, first] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const driver = neo4j.driver(uri, undefined, { telemetryDisabled: true, maxConnectionPoolSize: clients, connectionTimeout: 5000 })
let dead = false

async function client (id) {
  for (let seq = first; !dead; seq++) {
    const session = driver.session()
    try {
      const tx = session.beginTransaction()
      await tx.run('CREATE (:Tx {client: $id, seq: $seq})', { id: neo4j.int(id), seq: neo4j.int(seq) })
      await tx.run('MATCH (t:Tx {client: $id, seq: $seq}) UNWIND [0, 1, 2] AS i CREATE (t)-[:PART {i: i}]->(:Part {seq: $seq, i: i})', { id: neo4j.int(id), seq: neo4j.int(seq) })
      await tx.run('MERGE (c:Counter {client: $id}) SET c.n = coalesce(c.n, 0) + 1', { id: neo4j.int(id) })
      await tx.commit()
      writeSync(1, `${id} ${seq}\n`)
    } catch (error) {
      if (error.code === 'ServiceUnavailable' || error.code === 'SessionExpired' || /onnection/.test(error.message)) dead = true
      else {
        console.error(`client ${id}: ${error.code} ${error.message}`)
        process.exit(3)
      }
    } finally {
      await session.close().catch(() => {})
    }
  }
}

await Promise.all(Array.from({ length: clients }, (_, id) => client(id)))
await Promise.race([driver.close().catch(() => {}), new Promise(resolve => setTimeout(resolve, 500))])
process.exit(0)
