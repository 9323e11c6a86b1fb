// How long each write takes for whoever uses the official driver: felt.mjs URI. A line for each transaction function, one after the other:
// when it began and when it ended, in seconds of the machine's monotonic clock. Ends with its input.
import neo4j from "neo4j-driver"

const now = () => Number(process.hrtime.bigint()) / 1e9
const driver = neo4j.driver(process.argv[2], neo4j.auth.basic("neo4j", "secret"))
let stopping = false
process.stdin.on("end", () => { stopping = true }).resume()
for (let i = 0; !stopping; i = (i + 1) % 10000) {
  const began = now(), session = driver.session({ database: "neo4j" })
  await session.executeWrite(tx => tx.run("MATCH (k:Key {id: $id}) SET k.value = 'felt'", { id: neo4j.int(i) }))
  await session.close()
  console.log(began, now())
  await new Promise(resolve => setTimeout(resolve, 2))
}
await driver.close()
