// The driver suite through one version of the official JavaScript driver: suite.mjs FOLDER URI. One JSON line a case; see README.md.
// FOLDER is where run.py has installed that version; its browser build runs over WebSocket in the last case.
// USER and PASSWORD in the environment log in where the server asks for it.
import assert from "node:assert/strict"
import { webcrypto } from "node:crypto"
import { createRequire } from "node:module"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import vm from "node:vm"

const [folder, uri] = process.argv.slice(2)
const packageName = "neo4j-driver"
const require = createRequire(join(folder, "package.json"))
const { default: imported, ...named } = require(packageName)
const neo4j = imported?.driver ? imported : (named.driver ? named : require(packageName))
const packageFolder = join(dirname(require.resolve(packageName)), "..")
const version = JSON.parse(readFileSync(join(packageFolder, "package.json"))).version
const [major, minor] = version.split(".").map(Number)
const atLeast = (wantedMajor, wantedMinor = 0) => major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)

const auth = process.env.USER_NAME ? neo4j.auth.basic(process.env.USER_NAME, process.env.PASSWORD) : neo4j.auth.basic("neo4j", "secret")
const plain = atLeast(4) ? { encrypted: "ENCRYPTION_OFF" } : { encrypted: false }
const open = (target = uri, settings = {}) => neo4j.driver(target, auth, { ...plain, ...settings })

const cases = []
const test = (name, run, leftOut) => cases.push({ name, run, leftOut })

// ---- what differs between the versions of the driver ----

const readMode = neo4j.session.READ
const writeMode = neo4j.session.WRITE
const sessionOf = (driver, { mode = writeMode, database, fetchSize } = {}) =>
  atLeast(4) ? driver.session({ defaultAccessMode: mode, ...(database && { database }), ...(fetchSize && { fetchSize }) }) : driver.session(mode)
const executeWrite = (session, work) => (session.executeWrite ?? session.writeTransaction).call(session, work)
const executeRead = (session, work) => (session.executeRead ?? session.readTransaction).call(session, work)
const lastBookmarks = session => {
  const found = session.lastBookmarks ? session.lastBookmarks() : session.lastBookmark()
  return Array.isArray(found) ? found : [found].filter(Boolean)
}
const updates = summary => {
  const counters = summary.counters
  return counters.updates ? counters.updates() : { nodesCreated: counters.nodesCreated(), nodesDeleted: counters.nodesDeleted() }
}
const number = value => (neo4j.isInt(value) ? value.toNumber() : value)

const withDriver = async (work, target, settings) => {
  const driver = open(target, settings)
  try {
    return await work(driver)
  } finally {
    await driver.close()
  }
}
const withSession = (work, options) => withDriver(async driver => {
  const session = sessionOf(driver, options)
  try {
    return await work(session, driver)
  } finally {
    await session.close()
  }
})
const one = async (runner, query, parameters) => {
  const { records } = await runner.run(query, parameters)
  assert.equal(records.length, 1)
  return records[0].get(0)
}
const failsWith = async (code, work) => {
  try {
    await work()
  } catch (error) {
    assert.equal(error.code, code, `${error.code}: ${error.message}`)
    return
  }
  assert.fail(`went through without ${code}`)
}

// ---- cases ----

test("connect", () => withDriver(async driver => {
  if (driver.verifyConnectivity) await driver.verifyConnectivity()
  const session = sessionOf(driver)
  const { summary } = await session.run("RETURN 1 AS x")
  assert.match(summary.server.agent ?? summary.server.version, /^Neo4j\/\d+\.\d+/)
  await session.close()
}))

const typeValues = () => {
  const { Date, Duration, LocalDateTime, LocalTime, Time, Point, DateTime } = neo4j.types
  const int = neo4j.int
  const zoned = atLeast(4, 4) ? new DateTime(2024, 2, 29, 1, 2, 3, 4, 3600, "Europe/Paris") : new DateTime(2024, 2, 29, 1, 2, 3, 4, undefined, "Europe/Paris")
  return [
    null, true, false, int(0), int(-17), int("9223372036854775807"), int("-9223372036854775808"), 1.5, -0.0, Infinity, "", "text \u00e9 \u{1F600}",
    [], [int(1), [int(2), null]], {}, { a: { b: [int(1)] } }, Int8Array.from([0, 1, -1]),
    new Date(2024, 2, 29), new Date(1, 1, 1), new LocalTime(1, 2, 3, 4), new Time(1, 2, 3, 4, 3600), new LocalDateTime(2024, 2, 29, 1, 2, 3, 4),
    new DateTime(2024, 2, 29, 1, 2, 3, 4, -5400), new DateTime(1969, 12, 31, 23, 59, 59, 999999999, 0), zoned, new Duration(1, 2, 3, 4), new Duration(-1, 2, -3, 4),
    new Point(int(7203), 1.5, 2.5), new Point(int(9157), 1.0, 2.0, 3.0), new Point(int(4326), 12.5, 41.9), new Point(int(4979), 12.5, 41.9, 100.0),
  ]
}
const shown = value => {
  if (value === null || typeof value !== "object") return Object.is(value, -0) ? "-0.0" : JSON.stringify(value) ?? String(value)
  if (neo4j.isInt(value)) return `int ${value}`
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return `${ArrayBuffer.isView(value) ? "bytes" : ""}[${Array.from(value, shown).join(", ")}]`
  if (Object.getPrototypeOf(value) !== Object.prototype) return `${value.constructor.name} ${value}`
  return `{${Object.keys(value).sort().map(key => `${key}: ${shown(value[key])}`).join(", ")}}`
}

test("types", () => withSession(async session => {
  for (const value of typeValues()) assert.equal(shown(await one(session, "RETURN $x AS x", { x: value })), shown(value))
  assert.ok(Number.isNaN(await one(session, "RETURN $x AS x", { x: NaN })))
  const list = typeValues()
  assert.equal(shown(await one(session, "RETURN $x AS x", { x: list })), shown(list))
}))

test("graph types", () => withSession(async session => {
  await session.run("CREATE (:Test {name: 'x'})-[:KNOWS]->(:Test {name: 'x'})")
  const node = await one(session, "MATCH (n:Test) RETURN n LIMIT 1")
  assert.deepEqual(node.labels, ["Test"])
  assert.equal(node.properties.name, "x")
  const rel = await one(session, "MATCH (:Test)-[r:KNOWS]->(:Test) RETURN r")
  assert.equal(rel.type, "KNOWS")
  const path = await one(session, "MATCH p = (:Test)-[:KNOWS]->(:Test) RETURN p")
  assert.equal(path.length, 1)
  assert.equal(String(path.segments[0].start.identity), String(path.start.identity))
  assert.equal(String(path.segments[0].relationship.identity), String(rel.identity))
  assert.notEqual(String(path.start.identity), String(path.end.identity))
  if (atLeast(5)) assert.match(node.elementId, /^4:/)
  if (atLeast(5)) assert.equal(rel.startNodeElementId, path.start.elementId)
  await session.run("MATCH (n:Test) DETACH DELETE n")
}))

test("auto-commit transaction", () => withSession(async session => {
  const { summary } = await session.run("CREATE (:Test {name: 'x'})")
  assert.equal(updates(summary).nodesCreated, 1)
  assert.ok(lastBookmarks(session).length > 0)
  await session.run("MATCH (n:Test) DETACH DELETE n")
}))

test("explicit transaction", () => withSession(async session => {
  const undone = await session.beginTransaction()
  await undone.run("CREATE (:Test {name: 'x'})")
  await undone.rollback()
  const tx = await session.beginTransaction()
  const results = [tx.run("UNWIND range(1, 3) AS x RETURN x"), tx.run("UNWIND range(1, 5) AS x RETURN x"), tx.run("RETURN 7 AS x")]
  const rows = (await Promise.all(results)).map(r => r.records.map(record => number(record.get("x"))))
  assert.deepEqual(rows, [[1, 2, 3], [1, 2, 3, 4, 5], [7]])
  await tx.commit()
  assert.ok(lastBookmarks(session).length > 0)
  assert.equal(number(await one(session, "RETURN 1 AS x")), 1)
}))

test("managed transaction", () => withSession(async session => {
  await executeWrite(session, tx => tx.run("CREATE (:Test {name: 'x'})"))
  assert.equal(await executeRead(session, async tx => number(await one(tx, "RETURN 5 AS x"))), 5)
  await failsWith("Neo.ClientError.Statement.AccessMode", () => executeRead(session, tx => tx.run("CREATE (:Test)")))
  await executeWrite(session, tx => tx.run("MATCH (n:Test) DETACH DELETE n"))
}))

test("failure and recovery", () => withSession(async session => {
  for (const [query, code] of [
    ["NONSENSE", "Neo.ClientError.Statement.SyntaxError"],
    ["RETURN 1/0", "Neo.ClientError.Statement.ArithmeticError"],
    ["RETURN $missing AS x", "Neo.ClientError.Statement.ParameterMissing"],
  ]) {
    await failsWith(code, () => session.run(query))
    assert.equal(number(await one(session, "RETURN 1 AS x")), 1)
  }
  const tx = await session.beginTransaction()
  await failsWith("Neo.ClientError.Statement.ArithmeticError", () => tx.run("RETURN 1/0"))
  try {
    await tx.rollback()
  } catch { /* some versions say that it is rolled back already */ }
  assert.equal(number(await one(session, "RETURN 2 AS x")), 2)
}))

test("an entity or a wrong value as a parameter fails the request alone", () => withSession(async session => {
  await failsWith("Neo.ClientError.Statement.ArgumentError", () => session.run("RETURN $x AS x", { x: new neo4j.types.Point(neo4j.int(1), 1.0, 2.0) }))
  assert.equal(number(await one(session, "RETURN 1 AS x")), 1)
}))

test("fetch size 1", () => withSession(async session => {
  const { records } = await session.run("UNWIND range(1, 50) AS x RETURN x")
  assert.deepEqual(records.map(r => number(r.get("x"))), Array.from({ length: 50 }, (_, i) => i + 1))
  assert.equal(number(await one(session, "RETURN 3 AS x")), 3)
}, { fetchSize: 1 }), atLeast(4) ? null : "section 5.5: PULL with n begins with Bolt 4.0")

test("a long result that is not read to its end", () => withSession(async session => {
  const first = await new Promise((resolve, reject) => session.run("UNWIND range(1, 1000000) AS x RETURN x").subscribe({ onNext: resolve, onError: reject }))
  assert.equal(number(first.get("x")), 1)
}, { fetchSize: 10 }), atLeast(4) ? null : "section 5.5: PULL with n begins with Bolt 4.0")

test("100,000 records", () => withSession(async session => {
  const { records } = await session.run("UNWIND range(1, 100000) AS x RETURN x")
  assert.equal(records.length, 100000)
  assert.equal(number(records[99999].get("x")), 100000)
}))

test("notifications", () => withDriver(async driver => {
  const query = "EXPLAIN MATCH (a:NoSuchLabel), (b) RETURN id(a), b"
  const heard = async settings => {
    const session = atLeast(4) ? driver.session({ defaultAccessMode: readMode, ...settings }) : driver.session(readMode)
    try {
      return (await session.run(query)).summary.notifications
    } finally {
      await session.close()
    }
  }
  const all = await heard({})
  const codes = all.map(n => n.code.replace("Neo.ClientNotification.Statement.", "")).sort()
  assert.deepEqual(codes, ["CartesianProduct", "FeatureDeprecationWarning", "UnknownLabelWarning"])
  const label = all.find(n => n.code.endsWith("UnknownLabelWarning"))
  assert.equal(label.severity ?? label.severityLevel, "WARNING")
  assert.equal(label.title, "The provided label is not in the database.")
  assert.match(label.description, /the missing label name is: NoSuchLabel/)
  assert.deepEqual([label.position.offset, label.position.line, label.position.column].map(number), [17, 1, 18])
  if (atLeast(5, 7)) {
    assert.equal(label.category, "UNRECOGNIZED")
    assert.deepEqual(await heard({ notificationFilter: { minimumSeverityLevel: "OFF" } }), [])
    const warnings = await heard({ notificationFilter: { minimumSeverityLevel: "WARNING", disabledCategories: ["DEPRECATION"] } })
    assert.deepEqual(warnings.map(n => n.code.split(".").pop()), ["UnknownLabelWarning"])
  }
  if (atLeast(5, 23)) {
    const session = driver.session()
    const statuses = (await session.run(query)).summary.gqlStatusObjects
    await session.close()
    assert.deepEqual(statuses.map(s => s.gqlStatus).sort(), ["01N01", "01N50", "02000", "03N90"])
  }
}))

test("20 MB parameter", () => withSession(async session => {
  const text = "x".repeat(20_000_000)
  assert.equal((await one(session, "RETURN $x AS x", { x: text })).length, text.length)
}))

test("many sessions at once", () => withDriver(async driver => {
  const ask = async i => {
    const session = sessionOf(driver)
    const found = number(await one(session, "RETURN $x AS x", { x: neo4j.int(i) }))
    await session.close()
    return found
  }
  const asked = Array.from({ length: 60 }, (_, i) => i)
  assert.deepEqual(await Promise.all(asked.map(ask)), asked)
}))

test("routing scheme", () => withDriver(async driver => {
  const session = sessionOf(driver, { mode: readMode })
  assert.equal(number(await one(session, "RETURN 1 AS x")), 1)
  await executeRead(session, tx => tx.run("RETURN 1 AS x"))
  await executeWrite(session, tx => tx.run("CREATE (:Test)"))
  await session.close()
  const writer = sessionOf(driver)
  await writer.run("MATCH (n:Test) DETACH DELETE n")
  await writer.close()
}, uri.replace(/^bolt:/, atLeast(4) ? "neo4j:" : "bolt+routing:")))

test("a database that is not there", async () => {
  await failsWith("Neo.ClientError.Database.DatabaseNotFound", () => withSession(async session => {
    const tx = await session.beginTransaction()
    await tx.run("RETURN 1 AS x")
  }, { database: "missing" }))
}, atLeast(4) ? null : "section 2.2: databases begin with Bolt 4.0")

test("another user in a session", () => withDriver(async driver => {
  const session = driver.session({ auth })
  assert.equal(number(await one(session, "RETURN 1 AS x")), 1)
  await session.close()
}), atLeast(5, 8) ? null : "section 6.4: LOGOFF and LOGON begin with Bolt 5.1; the driver's session auth with 5.8")

/// The browser build in a context that looks like a page: WebSocket, no sockets of node.
const loadBrowserBuild = () => {
  const page = { WebSocket: require("ws").WebSocket, console, setTimeout, clearTimeout, setInterval, clearInterval, TextEncoder, TextDecoder, URL, Promise,
                 queueMicrotask, ArrayBuffer, DataView, Uint8Array, Int8Array, navigator: { userAgent: "Mozilla/5.0 (X11; Linux)" }, location: { protocol: "http:" }, process: undefined, crypto: webcrypto }
  page.window = page.self = page.globalThis = page
  const source = readFileSync(join(packageFolder, "lib/browser/neo4j-web.js"), "utf8")
  vm.runInNewContext(source, page)
  return page.neo4j.v1 ?? page.neo4j
}

test("WebSocket", async () => {
  const web = loadBrowserBuild()
  const driver = web.driver(uri, web.auth.basic(process.env.USER_NAME ?? "neo4j", process.env.PASSWORD ?? "secret"), plain)
  const session = driver.session()
  try {
    const { records } = await session.run("UNWIND range(1, 20000) AS x RETURN x")
    assert.equal(records.length, 20000)
    const text = "y".repeat(100_000) // more than a chunk; the old drivers' decoder takes the square of it
    const echo = await session.run("RETURN $x AS x", { x: text })
    assert.equal(echo.records[0].get("x"), text)
  } finally {
    await session.close()
    await driver.close()
  }
})

// ---- running ----

const timeLimit = (ms, name) => new Promise((_, reject) => setTimeout(() => reject(new Error(`${name}: no end after ${ms} ms`)), ms).unref())

console.log(JSON.stringify({ driver: `js ${version}` }))
process.removeAllListeners("warning")
process.on("unhandledRejection", error => console.error("unhandled:", error?.message))
let failed = false
for (const { name, run, leftOut } of cases) {
  if (leftOut) {
    console.log(JSON.stringify({ case: name, skip: leftOut }))
    continue
  }
  const start = Date.now()
  try {
    await Promise.race([run(), timeLimit(60_000, name)])
    console.log(JSON.stringify({ case: name, ok: true, detail: "", ms: Date.now() - start }))
  } catch (error) {
    failed = true
    console.log(JSON.stringify({ case: name, ok: false, detail: `${error.code ?? ""} ${error.message}`.trim().slice(0, 300), ms: Date.now() - start }))
  }
}
process.stdout.write("", () => process.exit(failed ? 1 : 0)) // not before all lines are written
