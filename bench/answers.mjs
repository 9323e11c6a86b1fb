// Answers of one graph query for lines of ids on standard input, in the form that `hand` prints them: node answers.mjs URI QUERY

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import neo4j from 'neo4j-driver'

const queries = JSON.parse(readFileSync(new URL('queries.json', import.meta.url)))
const [uri, name] = process.argv.slice(2)
const driver = neo4j.driver(uri, undefined, { telemetryDisabled: true, disableLosslessIntegers: true })
const session = driver.session()
let spent = 0n
let count = 0
for await (const line of createInterface({ input: process.stdin })) {
  const [a, b = a] = line.trim().split(/\s+/).map(text => neo4j.int(text))
  const start = process.hrtime.bigint()
  const { records } = await session.run(queries[name], { a, b })
  spent += process.hrtime.bigint() - start
  count++
  console.log(records.map(record => record.get(0)).join(' '))
}
console.error(`${count} ${Number(spent) / 1e9}`)
await driver.close()
