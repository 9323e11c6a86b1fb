// Answers of one graph query for lines of ids on standard input, in the form that `hand` prints them: node answers.mjs URI QUERY

import { createInterface } from 'node:readline'
import neo4j from 'neo4j-driver'

const queries = {
  hop1: 'MATCH (p:Person {id: $a})-[:KNOWS]->(f:Person) RETURN count(DISTINCT f)',
  hop2: 'MATCH (p:Person {id: $a})-[:KNOWS]->(:Person)-[:KNOWS]->(f:Person) RETURN count(DISTINCT f)',
  hop3: 'MATCH (p:Person {id: $a})-[:KNOWS]->(:Person)-[:KNOWS]->(:Person)-[:KNOWS]->(f:Person) RETURN count(DISTINCT f)',
  shortest: 'MATCH (a:Person {id: $a}), (b:Person {id: $b}) OPTIONAL MATCH p = shortestPath((a)-[:KNOWS*]->(b)) RETURN coalesce(length(p), CASE WHEN a = b THEN 0 ELSE -1 END)',
  topcity: `MATCH (p:Person {id: $a})-[:KNOWS]->(:Person)-[:KNOWS]->(f:Person) WHERE f.age > 30
            WITH f.city AS city, count(*) AS n ORDER BY n DESC, city LIMIT 10 RETURN city + ':' + toString(n)`
}
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
