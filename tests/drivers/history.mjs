// Appends, reads and registers through transaction functions of one version of the official JavaScript driver: history.mjs FOLDER BASE URI.
// See README.md.
import { createRequire } from "node:module"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"

const [folder, base, uri] = process.argv.slice(2)
const packageName = "neo4j-driver"
const require = createRequire(join(folder, "package.json"))
const { default: imported, ...named } = require(packageName)
const neo4j = imported?.driver ? imported : (named.driver ? named : require(packageName))
const version = JSON.parse(readFileSync(join(dirname(require.resolve(packageName)), "..", "package.json"))).version
const major = Number(version.split(".")[0])
process.removeAllListeners("warning")

const LISTS = 2, REGISTERS = 1 // workers of each kind
const PAUSE_MS = 40 // at most, between two functions
const APPEND = "MATCH (l:List {key: $key}) SET l.v = l.v + $value RETURN l.v"
const SEE = "MATCH (l:List {key: $key}) RETURN l.v"
const SET = "MATCH (r:Register {key: $key}) SET r.v = $value RETURN r.v"
const GET = "MATCH (r:Register {key: $key}) RETURN r.v"

const say = what => console.log(JSON.stringify(what))
const now = () => Number(process.hrtime.bigint()) / 1e9
const place = bookmark => Number(/[0-9]+$/.exec(bookmark)[0])
const below = n => Math.floor(Math.random() * n)
const choose = of => of[below(of.length)]
const plain = value => (Array.isArray(value) ? value.map(plain) : neo4j.isInt(value) ? value.toNumber() : value)
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

const driver = neo4j.driver(uri.replace(/^.*:\/\//, `${major >= 4 ? "neo4j" : "bolt+routing"}://`), neo4j.auth.basic("neo4j", "secret"),
                            { encrypted: major >= 4 ? "ENCRYPTION_OFF" : false })
let lastValue = Number(base) // values that nobody else writes
const nextValue = () => ++lastValue

const openSession = (writes, after) => {
  const mode = writes ? neo4j.session.WRITE : neo4j.session.READ
  return major >= 4 ? driver.session({ database: "neo4j", defaultAccessMode: mode, bookmarks: after ? [after] : [] }) : driver.session(mode, after ?? undefined)
}
const bookmarkOf = session => {
  const told = session.lastBookmarks?.() ?? session.lastBookmark()
  return [told].flat().sort((a, b) => place(b) - place(a))[0]
}
const single = async (tx, text, parameters) => plain((await tx.run(text, parameters)).records[0].get(0))

/// Runs it as the driver does, and tells of each time that it was run. Returns its bookmark.
const runFunction = async (kind, writes, after, body, metadata) => {
  const begin = now(), attempts = []
  const work = async tx => {
    const attempt = { begin: attempts.at(-1)?.end ?? begin, ops: [], whole: false }
    attempts.push(attempt)
    try {
      await body(tx, attempt.ops)
      attempt.whole = true
    } finally {
      attempt.end = now()
    }
  }
  let problem = null, bookmark = null
  const session = openSession(writes, after)
  try {
    const run = writes ? session.executeWrite ?? session.writeTransaction : session.executeRead ?? session.readTransaction
    await run.call(session, work, metadata ? { metadata } : undefined)
    bookmark = bookmarkOf(session)
  } catch (error) {
    problem = { code: error.code ?? error.name, detail: error.message, after_s: now() - begin }
  }
  say({ kind, after, bookmark, attempts, end: now(), problem })
  await session.close()
  return bookmark
}

const oneOfLists = (round, after) => {
  const kinds = Array.from({ length: 1 + below(4) }, () => choose("ar"))
  const keys = kinds.map(() => below(round.lists)).sort((a, b) => a - b) // in one order, so that nobody waits in a circle
  const body = async (tx, ops) => {
    for (const [i, kind] of kinds.entries()) {
      const key = `${round.number}-${keys[i]}`
      if (kind === "a") {
        const value = nextValue()
        ops.push(["a", key, value])
        ops.push(["r", key, await single(tx, APPEND, { key, value: neo4j.int(value) })])
      } else {
        ops.push(["r", key, await single(tx, SEE, { key })])
      }
    }
  }
  return runFunction("list", kinds.includes("a") || Math.random() < 0.3, after, body)
}

const oneOfRegisters = async round => {
  const key = `${round.number}-${below(round.registers)}`, writes = Math.random() < 0.3
  const body = async (tx, ops) => {
    if (writes) {
      const value = nextValue()
      ops.push(["w", key, value])
      await single(tx, SET, { key, value: neo4j.int(value) })
    } else {
      ops.push(["r", key, await single(tx, GET, { key })])
    }
  }
  await runFunction("register", writes, null, body, { "quiver.consistency": "linearizable" })
}

const work = async (round, one) => {
  let own = round.prepared
  while (!round.stopping) {
    own = (await one(round, choose([own, own, round.shared, round.prepared]))) ?? own
    if (place(own) > place(round.shared)) round.shared = own
    await sleep(Math.random() * PAUSE_MS)
  }
}

const beginRound = (number, lists, registers, prepared) => {
  const round = { number, lists: Number(lists), registers: Number(registers), prepared, shared: prepared, stopping: false }
  const kinds = [...Array(LISTS).fill(oneOfLists), ...Array(REGISTERS).fill(oneOfRegisters)]
  round.workers = Promise.all(kinds.map(one => work(round, one)))
  return round
}

say({ driver: `js ${version}` })
let round = null
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(" ")
  if (word === "begin") {
    round = beginRound(...rest)
  } else {
    round.stopping = true
    await round.workers
    say({ ended: round.number })
  }
}
await driver.close()
process.stdout.write("", () => process.exit(0)) // not before all lines are written
