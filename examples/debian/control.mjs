// Debian control data, as `apt-cache dumpavail` prints it: paragraphs of "Field: value" lines, continued by a leading blank.
// The relationship syntax is that of the Debian policy manual, chapter 7.

/** Yields each paragraph as a Map from field name in lower case to value. `lines` is any (async) iterable of lines. */
export async function * paragraphs (lines) {
  let fields = new Map()
  let last = null
  for await (const line of lines) {
    if (line.trim() === '') {
      if (fields.size > 0) yield fields
      fields = new Map()
      last = null
    } else if (/^[ \t]/.test(line)) {
      if (last !== null) fields.set(last, `${fields.get(last)}\n${line.slice(1)}`)
    } else {
      const colon = line.indexOf(':')
      if (colon < 1) continue
      last = line.slice(0, colon).toLowerCase()
      fields.set(last, line.slice(colon + 1).trim())
    }
  }
  if (fields.size > 0) yield fields
}

/** "a (>= 1) | b, c:any" -> [[{ name: 'a', op: '>=', version: '1' }, { name: 'b' }], [{ name: 'c' }]] */
export function relations (text) {
  return text.split(',').map(group => group.split('|').map(alternative).filter(one => one !== null)).filter(group => group.length > 0)
}

function alternative (text) {
  const match = /^\s*([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\s*(?:\(\s*(<<|<=|=|>=|>>)\s*([^\s)]+)\s*\))?/.exec(text)
  if (match === null) return null
  const [, name, op, version] = match
  return op === undefined ? { name } : { name, op, version }
}

/** "Jane Doe <jane@example.org>" -> { name, email } */
export function maintainer (text) {
  const match = /^\s*"?(.*?)"?\s*<([^>]*)>/.exec(text)
  return match === null ? { name: text.trim(), email: '' } : { name: match[1], email: match[2] }
}
