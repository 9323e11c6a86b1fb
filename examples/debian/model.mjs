// From control data to a property graph: which nodes and relationships there are.
//
//   (:Package {name, version, ...})  a package that can be installed
//   (:Virtual {name})                a name that no package has, but others depend on or provide
//   -[:DEPENDS {kind, group, alternative, op, version}]->   also RECOMMENDS, SUGGESTS, CONFLICTS; `group` numbers the terms of one
//                                    package's field; all alternatives of `a | b` share a group and have alternative: true
//   -[:PROVIDES {version}]->         to the (virtual or real) package that it stands in for
//   -[:MAINTAINED_BY]->(:Maintainer {name, email}), -[:IN_SECTION]->(:Section {name})

import { maintainer, paragraphs, relations } from './control.mjs'

const FIELDS = [
  ['pre-depends', 'DEPENDS', 'Pre-Depends'],
  ['depends', 'DEPENDS', 'Depends'],
  ['recommends', 'RECOMMENDS', 'Recommends'],
  ['suggests', 'SUGGESTS', 'Suggests'],
  ['conflicts', 'CONFLICTS', 'Conflicts']
]

/** Reads all paragraphs; the first of each package name counts. */
export async function readModel (lines) {
  const packages = new Map()
  for await (const fields of paragraphs(lines)) {
    const name = fields.get('package')
    if (name !== undefined && !packages.has(name)) packages.set(name, fields)
  }
  const model = { packages: [], virtuals: new Set(), maintainers: new Map(), sections: new Set(), links: [], provides: [], maintained: [], inSection: [] }
  for (const [name, fields] of packages) addPackage(model, packages, name, fields)
  return model
}

function addPackage (model, packages, name, fields) {
  const integer = field => fields.has(field) ? Number.parseInt(fields.get(field), 10) : null
  model.packages.push({
    name,
    version: fields.get('version') ?? '',
    architecture: fields.get('architecture') ?? '',
    priority: fields.get('priority') ?? '',
    description: (fields.get('description') ?? '').split('\n')[0],
    homepage: fields.get('homepage') ?? null,
    size: integer('size'),
    installedKiB: integer('installed-size'),
    essential: fields.get('essential') === 'yes'
  })
  const named = target => { if (!packages.has(target)) model.virtuals.add(target) }
  let group = 0
  for (const [field, type, kind] of FIELDS) {
    for (const alternatives of relations(fields.get(field) ?? '')) {
      group++
      for (const { name: to, op, version } of alternatives) {
        named(to)
        model.links.push({ from: name, to, type, properties: { kind, group, alternative: alternatives.length > 1, op: op ?? null, version: version ?? null } })
      }
    }
  }
  for (const [provided] of relations(fields.get('provides') ?? '')) {
    named(provided.name)
    model.provides.push({ from: name, to: provided.name, properties: { version: provided.version ?? null } })
  }
  if (fields.has('maintainer')) {
    const who = maintainer(fields.get('maintainer'))
    model.maintainers.set(who.email, who)
    model.maintained.push({ from: name, to: who.email })
  }
  if (fields.has('section')) {
    model.sections.add(fields.get('section'))
    model.inSection.push({ from: name, to: fields.get('section') })
  }
}
