// The list of scenarios that pass: one line a feature file, "clauses/match/Match1: 1 2 3#1 3#2" (number and example). It may only grow.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** "clauses/match/Match1.feature [3] name #2" -> ["clauses/match/Match1", "3#2"] */
export function scenarioNumber (id) {
  const [, file, number, example] = /^(\S+)\.feature \[(\d+)\].*?(?: #(\d+))?$/s.exec(id) ?? [null, id, '', undefined]
  return [file, example === undefined ? number : `${number}#${example}`]
}

export function readPassing (file) {
  const passing = new Set()
  if (!existsSync(file)) return passing
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [name, numbers] = line.split(': ')
    for (const number of (numbers ?? '').split(' ').filter(Boolean)) passing.add(`${name} ${number}`)
  }
  return passing
}

export function writePassing (file, passing) {
  const byFile = new Map()
  for (const entry of passing) {
    const [name, number] = entry.split(' ')
    byFile.set(name, [...(byFile.get(name) ?? []), number])
  }
  const inOrder = (a, b) => a.localeCompare(b, 'en', { numeric: true })
  const lines = [...byFile.keys()].sort(inOrder).map(name => `${name}: ${byFile.get(name).sort(inOrder).join(' ')}`)
  writeFileSync(file, lines.join('\n') + '\n')
}

/** What was on the list and failed now, and what is not on it and passed. */
export function compareWithPassing (results, passing) {
  const key = result => scenarioNumber(result.id).join(' ')
  return {
    lost: results.filter(result => result.status === 'failed' && passing.has(key(result))),
    gained: results.filter(result => result.status === 'passed' && !passing.has(key(result))).map(key)
  }
}
