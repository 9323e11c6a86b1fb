// Loads the generated graph through the official driver: node load.mjs URI DIR [persons|all]

import { createReadStream } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import neo4j from 'neo4j-driver'

const [uri, dir, what = 'all'] = process.argv.slice(2)
const BATCH = 5000
const driver = neo4j.driver(uri, undefined, { telemetryDisabled: true, disableLosslessIntegers: true })
const int = text => neo4j.int(text)

async function table (file, toRow, query) {
  const lines = createInterface({ input: createReadStream(path.join(dir, file)), crlfDelay: Infinity })
  let rows = []
  let count = 0
  for await (const line of lines) {
    rows.push(toRow(line.split(',')))
    if (rows.length < BATCH) continue
    await driver.executeQuery(query, { rows })
    count += rows.length
    rows = []
  }
  if (rows.length > 0) await driver.executeQuery(query, { rows })
  console.error(`${file}: ${count + rows.length} rows`)
}

await driver.executeQuery('CREATE CONSTRAINT IF NOT EXISTS FOR (p:Person) REQUIRE p.id IS UNIQUE')
await table('persons.csv', ([id, name, age, city]) => ({ id: int(id), name, age: int(age), city }), 'UNWIND $rows AS row CREATE (p:Person) SET p = row')
if (what === 'all') {
  await table('knows.csv', ([from, to, since]) => ({ from: int(from), to: int(to), since }),
    'UNWIND $rows AS row MATCH (a:Person {id: row.from}) MATCH (b:Person {id: row.to}) CREATE (a)-[:KNOWS {since: row.since}]->(b)')
}
await driver.close()
