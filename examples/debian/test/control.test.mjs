import assert from 'node:assert/strict'
import test from 'node:test'
import { maintainer, paragraphs, relations } from '../control.mjs'
import { readModel } from '../model.mjs'

const dump = `Package: a
Version: 1
Depends: b (>= 2:1.0~rc1) | c, d:any
Provides: mta (= 3)
Maintainer: "Jane, Doe" <jane@example.org>
Section: net
Description: short
 long

Package: b
Version: 2
Pre-Depends: a

Package: a
Version: 0
`.split('\n')

test('paragraphs end at a blank line and continue behind a blank', async () => {
  const all = []
  for await (const fields of paragraphs(dump)) all.push(fields)
  assert.equal(all.length, 3)
  assert.equal(all[0].get('description'), 'short\nlong')
})

test('relations have groups, alternatives, versions and no architecture', () => {
  assert.deepEqual(relations('a (>= 1) | b, c:any (<< 2~)'), [[{ name: 'a', op: '>=', version: '1' }, { name: 'b' }], [{ name: 'c', op: '<<', version: '2~' }]])
  assert.deepEqual(relations(''), [])
})

test('a maintainer has a name and an address', () => {
  assert.deepEqual(maintainer('"Jane, Doe" <jane@example.org>'), { name: 'Jane, Doe', email: 'jane@example.org' })
})

test('a name that no package has becomes a virtual package, and the first version of a package counts', async () => {
  const model = await readModel(dump)
  assert.deepEqual(model.packages.map(one => `${one.name} ${one.version}`), ['a 1', 'b 2'])
  assert.deepEqual([...model.virtuals].sort(), ['c', 'd', 'mta'])
  assert.deepEqual(model.links.map(link => `${link.from} ${link.to} ${link.properties.group} ${link.properties.alternative}`),
    ['a b 1 true', 'a c 1 true', 'a d 2 false', 'b a 1 false'])
})
