#!/usr/bin/env node
// Loads the graph of Debian's packages into a Bolt server: node load.mjs [--uri bolt://localhost:7687] [--user U --password P] [--file DUMP]

import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { connect, options } from './connect.mjs'
import { readModel } from './model.mjs'
import { Progress } from './progress.mjs'

const BATCH = 2000

const args = options('Loads the graph of Debian\'s packages, from apt-cache dumpavail or --file DUMP, into an empty database.',
  { file: { type: 'string' } })
const driver = connect(args)
try {
  await driver.verifyConnectivity()
  await load(await readModel(dumpLines(args.file)))
} catch (error) {
  console.error(`load: ${error.message}`)
  process.exitCode = 1
} finally {
  await driver.close()
}

function dumpLines (file) {
  const input = file === undefined ? spawn('apt-cache', ['dumpavail'], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout : createReadStream(file)
  return createInterface({ input, crlfDelay: Infinity })
}

async function load (model) {
  if (model.packages.length === 0) throw new Error('the dump holds no packages (run `apt-get update` first?)')
  for (const label of ['Package', 'Virtual', 'Section']) await run(`CREATE CONSTRAINT IF NOT EXISTS FOR (n:${label}) REQUIRE n.name IS UNIQUE`)
  await run('CREATE CONSTRAINT IF NOT EXISTS FOR (n:Maintainer) REQUIRE n.email IS UNIQUE')
  const named = names => [...names].map(name => ({ name }))
  const steps = [
    ['packages', model.packages, 'UNWIND $rows AS row CREATE (n:Package) SET n = row'],
    ['virtual packages', named(model.virtuals), 'UNWIND $rows AS row CREATE (:Virtual {name: row.name})'],
    ['maintainers', [...model.maintainers.values()], 'UNWIND $rows AS row CREATE (:Maintainer {name: row.name, email: row.email})'],
    ['sections', named(model.sections), 'UNWIND $rows AS row CREATE (:Section {name: row.name})'],
    ['maintained by', model.maintained,
      'UNWIND $rows AS row MATCH (p:Package {name: row.from}) MATCH (m:Maintainer {email: row.to}) CREATE (p)-[:MAINTAINED_BY]->(m)'],
    ['in section', model.inSection,
      'UNWIND $rows AS row MATCH (p:Package {name: row.from}) MATCH (s:Section {name: row.to}) CREATE (p)-[:IN_SECTION]->(s)']
  ]
  const links = [...model.links, ...model.provides.map(link => ({ ...link, type: 'PROVIDES' }))]
  for (const type of new Set(links.map(link => link.type))) {
    for (const [label, isTarget] of [['Package', name => !model.virtuals.has(name)], ['Virtual', name => model.virtuals.has(name)]]) {
      const rows = links.filter(link => link.type === type && isTarget(link.to))
      const what = type.toLowerCase() + (label === 'Virtual' ? ' (virtual)' : '')
      steps.push([what, rows, `UNWIND $rows AS row MATCH (p:Package {name: row.from}) MATCH (t:${label} {name: row.to}) CREATE (p)-[r:${type}]->(t) SET r = row.properties`])
    }
  }
  const progress = new Progress(steps.reduce((sum, [, rows]) => sum + rows.length, 0))
  for (const [what, rows, query] of steps) {
    for (let at = 0; at < rows.length; at += BATCH) {
      const batch = rows.slice(at, at + BATCH)
      await run(query, { rows: batch })
      progress.add(batch.length, what)
    }
  }
  progress.end(`${model.packages.length} packages, ${model.virtuals.size} virtual packages, ${links.length} relationships between packages`)
}

function run (query, parameters = {}) {
  return driver.executeQuery(query, parameters, { database: args.database })
}
