// Transaction functions through one version of the official JavaScript driver while leaders die: failover.mjs FOLDER URI. See README.md.
import { createRequire } from "node:module"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"

const [folder, uri] = process.argv.slice(2)
const packageName = "neo4j-driver"
const require = createRequire(join(folder, "package.json"))
const { default: imported, ...named } = require(packageName)
const neo4j = imported?.driver ? imported : (named.driver ? named : require(packageName))
const version = JSON.parse(readFileSync(join(dirname(require.resolve(packageName)), "..", "package.json"))).version
const major = Number(version.split(".")[0])

const name = `js ${version}`
const scheme = major >= 4 ? "neo4j" : "bolt+routing"
const driver = neo4j.driver(uri.replace(/^.*:\/\//, `${scheme}://`), neo4j.auth.basic("neo4j", "secret"),
                            { encrypted: major >= 4 ? "ENCRYPTION_OFF" : false })
const writeIn = (session, work) => (session.executeWrite ?? session.writeTransaction).call(session, work)
const readIn = (session, work) => (session.executeRead ?? session.readTransaction).call(session, work)
const number = value => (neo4j.isInt(value) ? value.toNumber() : value)

const told = { acknowledged: [], unknown: [], failed: [], unseen: [], readers: {} }
let stopping = false
process.stdin.on("end", () => { stopping = true }).resume()
process.removeAllListeners("warning")
/// Now and then a driver of version 5 calls a connection that ends while it logs in an error of the protocol, which it does not run
/// the function again for.
const isCutOff = error => error.code === "ProtocolError" && /^(Connection was closed by server$|Failed to connect to server)/.test(error.message)
const fail = (id, error) => {
  if (isCutOff(error)) told.unknown.push(id)
  else told.failed.push({ id, code: error.code ?? error.name, detail: error.message })
}

/// One write and, behind its bookmark, one read on whoever takes reads.
const writeAndRead = async id => {
  const session = driver.session()
  try {
    await writeIn(session, tx => tx.run("MERGE (w:Written {id: $id}) RETURN w.id", { id }))
    told.acknowledged.push(id)
    const { records, summary } = await readIn(session, tx => tx.run("MATCH (w:Written {id: $id}) RETURN count(w)", { id }))
    if (number(records[0].get(0)) !== 1) told.unseen.push(id)
    told.readers[summary.server.address] = (told.readers[summary.server.address] ?? 0) + 1
  } catch (error) {
    fail(id, error)
  } finally {
    await session.close()
  }
}

const writer = async number => {
  for (let i = 0; !stopping; i++) {
    await writeAndRead(`${name}/${number}/${i}`)
    if (i === 0) console.log(JSON.stringify({ ready: number }))
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

console.log(JSON.stringify({ driver: name }))
await Promise.all([writer(0), writer(1)])
await driver.close()
process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit(0)) // not before a long line is written
