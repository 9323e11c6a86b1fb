#!/usr/bin/env node
// Runs openCypher TCK scenarios against a Bolt server. See README.md.

import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { loadScenarios, namedGraphs } from './lib/features.mjs'
import { compareWithPassing, readPassing, writePassing } from './lib/ratchet.mjs'
import { categoryTable, lastLine, summarize } from './lib/report.mjs'
import { createDatabase, Server } from './lib/server.mjs'
import { runSuite } from './lib/suite.mjs'

const USAGE = `usage: node run.mjs --dir DIR [options]
  --uri URI          bolt://localhost:7687; give it again for more servers
  --user U --password P --database D
  --dir DIR          searched for .feature files
  --graphs DIR       named graphs; default DIR/graphs or DIR/../graphs
  --any-graph NAME   load this named graph for "any graph"; default: an empty one
  --filter TEXT      only scenarios whose "file name" holds TEXT
  --jobs N           default: one for each URI; further jobs use databases tck1, tck2, ...
  --timeout SECONDS  for each scenario; default 10
  --strict           an error's message must hold the expected detail
  --check-phase      compile-time errors must come from EXPLAIN, and no others
  --json FILE        write all results
  --passing FILE     fail only for scenarios that this list says pass; --update adds what passes now
  --quiet            do not print each failure`

const { values: args } = parseArgs({
  options: {
    uri: { type: 'string', multiple: true, default: ['bolt://localhost:7687'] },
    user: { type: 'string', default: 'neo4j' },
    password: { type: 'string', default: '' },
    database: { type: 'string' },
    dir: { type: 'string' },
    graphs: { type: 'string' },
    'any-graph': { type: 'string' },
    filter: { type: 'string', default: '' },
    jobs: { type: 'string' },
    timeout: { type: 'string', default: '10' },
    strict: { type: 'boolean', default: false },
    'check-phase': { type: 'boolean', default: false },
    json: { type: 'string' },
    passing: { type: 'string' },
    update: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
if (args.help || args.dir === undefined) {
  console.log(USAGE)
  process.exit(args.help ? 0 : 2)
}

const timeout = Number(args.timeout) * 1000
const graphFolders = (args.graphs ? [args.graphs] : [path.join(args.dir, 'graphs'), path.join(args.dir, '..', 'graphs')])
  .filter(folder => existsSync(folder))
const options = {
  namedGraph: namedGraphs(graphFolders),
  anyGraph: args['any-graph'],
  strict: args.strict,
  checkPhase: args['check-phase'],
  timeout,
  restartWait: 10_000
}
const scenarios = loadScenarios(args.dir).filter(scenario => scenario.id.includes(args.filter))
if (scenarios.length === 0) {
  console.error(`no scenario in ${args.dir} has "${args.filter}" in its name`)
  process.exit(2)
}
const servers = await serverConfigs(Number(args.jobs ?? args.uri.length))
const results = await runSuite(scenarios, servers.map(config => () => new Server(config)), options, reportFailure)

if (args.json) writeFileSync(args.json, JSON.stringify({ summary: summarize(results), results }, null, 1))
console.log(categoryTable(results))
if (args.passing) process.exit(judgeByPassing())
console.log(lastLine(results))
process.exit(results.some(result => result.status === 'failed') ? 1 : 0)

/** Scenarios empty the database they run in, so each job needs one of its own. */
async function serverConfigs (jobs) {
  const configs = []
  for (let job = 0; job < jobs; job++) {
    const uri = args.uri[job % args.uri.length]
    const config = { uri, user: args.user, password: args.password, database: args.database, timeout }
    if (job >= args.uri.length) {
      config.database = `tck${job}`
      await createDatabase(config, config.database)
    }
    configs.push(config)
  }
  return configs
}

function reportFailure ({ id, status, reason }) {
  if (status === 'failed' && !args.quiet && !args.passing) console.log(`FAILED ${id}\n${reason.replace(/^/gm, '    ')}`)
}

/** The ratchet: a scenario on the list must pass; what is not on it may fail. */
function judgeByPassing () {
  const passing = readPassing(args.passing)
  const { lost, gained } = compareWithPassing(results, passing)
  const counts = summarize(results)
  if (args.update) writePassing(args.passing, new Set([...passing, ...gained]))
  for (const { id, reason } of lost) console.log(`LOST ${id}\n${reason.replace(/^/gm, '    ')}`)
  if (gained.length > 0) console.log(`${gained.length} scenarios pass that are not on the list${args.update ? ': added' : ' (make tck UPDATE=1 adds them)'}`)
  console.log(`${counts.failed} scenarios fail, of which ${lost.length} were on the list`)
  console.log(`${counts.passed} passed, ${lost.length} failed, ${counts.skipped + counts.failed - lost.length} skipped`)
  return lost.length > 0 ? 1 : 0
}
