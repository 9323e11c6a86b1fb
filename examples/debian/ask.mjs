#!/usr/bin/env node
// Asks the package graph: node ask.mjs [QUESTION [name=value ...]] [--json]; without a question, lists them.

import neo4j from 'neo4j-driver'
import { connect, options } from './connect.mjs'
import { questions } from './questions.mjs'

const args = options('Asks the package graph one of the questions of README.md, or all of them.', { json: { type: 'boolean', default: false }, all: { type: 'boolean', default: false } })
const [wanted, ...settings] = args.words
if (wanted === undefined && !args.all) {
  for (const [name, { ask, args: parameters }] of Object.entries(questions)) console.log(`${name.padEnd(22)}${ask} ${JSON.stringify(parameters)}`)
  process.exit(0)
}
if (!args.all && questions[wanted] === undefined) {
  console.error(`ask: there is no question "${wanted}"; node ask.mjs lists them`)
  process.exit(2)
}

const driver = connect(args)
try {
  const answers = {}
  for (const name of args.all ? Object.keys(questions) : [wanted]) answers[name] = await answer(questions[name])
  if (args.json) console.log(JSON.stringify(answers))
} catch (error) {
  console.error(`ask: ${error.message}`)
  process.exitCode = 1
} finally {
  await driver.close()
}

async function answer ({ ask, args: defaults, cypher }) {
  const given = Object.fromEntries(settings.map(setting => setting.split(/=(.*)/s)).map(([key, value]) => [key, /^\d+$/.test(value) ? Number(value) : value]))
  const parameters = Object.fromEntries(Object.entries({ ...defaults, ...given })
    .filter(([key]) => key in defaults)
    .map(([key, value]) => [key, Number.isInteger(value) ? neo4j.int(value) : value]))
  const { records, summary } = await driver.executeQuery(cypher, parameters, { database: args.database })
  const rows = records.map(record => record.toObject())
  if (!args.json) {
    console.log(`${ask}\n${cypher.replace(/^/gm, '    ')}`)
    console.table(rows)
    console.log(`${rows.length} rows in ${summary.resultConsumedAfter} ms\n`)
  }
  return rows
}
