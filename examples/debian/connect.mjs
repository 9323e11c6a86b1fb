// Command line and connection, the same for loading and asking.

import { parseArgs } from 'node:util'
import neo4j from 'neo4j-driver'

const SHARED = {
  uri: { type: 'string', default: process.env.NEO4J_URI ?? 'bolt://localhost:7687' },
  user: { type: 'string', default: process.env.NEO4J_USERNAME ?? 'neo4j' },
  password: { type: 'string', default: process.env.NEO4J_PASSWORD ?? '' },
  database: { type: 'string', default: 'neo4j' },
  help: { type: 'boolean', default: false }
}

export function options (purpose, own = {}) {
  const { values, positionals } = parseArgs({ options: { ...SHARED, ...own }, allowPositionals: true })
  if (values.help) {
    console.log(`${purpose}\n\noptions: ${Object.keys({ ...SHARED, ...own }).map(name => `--${name}`).join(' ')}
NEO4J_URI, NEO4J_USERNAME and NEO4J_PASSWORD are used where no option is given.`)
    process.exit(0)
  }
  return { ...values, words: positionals }
}

/** Plain JavaScript numbers are sent as integers where they are whole, and integers come back as numbers. */
export function connect ({ uri, user, password }) {
  const auth = password === '' ? undefined : neo4j.auth.basic(user, password)
  return neo4j.driver(uri, auth, { disableLosslessIntegers: true, telemetryDisabled: true })
}
