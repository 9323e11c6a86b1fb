// Increments through one address by one version of the official JavaScript driver: counting.mjs FOLDER CLIENTS HOST:PORT. See README.md.
import { createRequire } from "node:module"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"

const [folder, clients, address] = process.argv.slice(2)
const packageName = "neo4j-driver"
const require = createRequire(join(folder, "package.json"))
const { default: imported, ...named } = require(packageName)
const neo4j = imported?.driver ? imported : (named.driver ? named : require(packageName))
process.removeAllListeners("warning")

const INCREMENT = "MATCH (c:Counter {number: $number}) SET c.n = c.n + 1 RETURN c.n"
const READ = "MATCH (c:Counter {number: $number}) RETURN c.n"
const COUNTERS = 4

const told = { done: 0, failed: [], unseen: 0 }
let stopping = false

const version = JSON.parse(readFileSync(join(dirname(require.resolve(packageName)), "..", "package.json"))).version
const isOld = Number(version.split(".")[0]) < 4
const routing = isOld ? "bolt+routing" : "neo4j"
const connect = scheme => neo4j.driver(`${scheme}://${address}`, neo4j.auth.basic("neo4j", "secret"), { encrypted: isOld ? false : "ENCRYPTION_OFF" })
const openSession = driver => (isOld ? driver.session() : driver.session({ database: "neo4j" }))
const value = async (runner, text, number) => (await runner.run(text, { number: neo4j.int(number) })).records[0].get(0).toNumber()

const count = async (scheme, driver, inFunction, number) => {
  const session = openSession(driver)
  const write = session.executeWrite ?? session.writeTransaction, read = session.executeRead ?? session.readTransaction
  while (!stopping) {
    try {
      const n = inFunction ? await write.call(session, tx => value(tx, INCREMENT, number)) : await value(session, INCREMENT, number)
      told.done += 1
      if (await read.call(session, tx => value(tx, READ, number)) < n) told.unseen += 1
    } catch (error) {
      told.failed.push(`${scheme} ${inFunction}: ${error.code}: ${error.stack}`)
      break
    }
  }
  await session.close()
}

const schemes = ["bolt", routing], drivers = schemes.map(connect)
const running = Array.from({ length: Number(clients) }, (_, i) => count(schemes[i % 2], drivers[i % 2], (i >> 1) % 2 === 0, i % COUNTERS))
process.stdin.on("end", () => { stopping = true }).resume()
await Promise.all(running)
if (!stopping) await new Promise(resolve => process.stdin.on("end", resolve)) // all have failed
await Promise.all(drivers.map(driver => driver.close()))
process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit(0)) // not before a long line is written
