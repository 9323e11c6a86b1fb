import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { compareWithPassing, readPassing, scenarioNumber, writePassing } from '../lib/ratchet.mjs'

test('a scenario is named by file, number and example', () => {
  assert.deepEqual(scenarioNumber('clauses/match/Match1.feature [3] Match nodes'), ['clauses/match/Match1', '3'])
  assert.deepEqual(scenarioNumber('expressions/list/List1.feature [12] Index <n> #4'), ['expressions/list/List1', '12#4'])
})

test('the list survives writing and reading', () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'tck-')), 'passing.txt')
  const passing = new Set(['a/A1 10', 'a/A1 2#1', 'b/B 1'])
  writePassing(file, passing)
  assert.deepEqual(readPassing(file), passing)
})

test('a scenario on the list that fails is lost, a new one that passes is gained', () => {
  const results = [
    { id: 'a/A1.feature [1] x', status: 'failed' },
    { id: 'a/A1.feature [2] y', status: 'failed' },
    { id: 'a/A1.feature [3] z', status: 'passed' }
  ]
  const { lost, gained } = compareWithPassing(results, new Set(['a/A1 1']))
  assert.deepEqual(lost.map(result => result.id), ['a/A1.feature [1] x'])
  assert.deepEqual(gained, ['a/A1 3'])
})
