// What people ask of the package graph. Each question is one Cypher query; `args` are its parameters with example values.

export const questions = {
  'most-depended-upon': {
    ask: 'Which packages do most others depend on?',
    args: { limit: 10 },
    cypher: `MATCH (p:Package)-[:DEPENDS]->(t:Package)
WITH t, count(DISTINCT p) AS dependents
RETURN t.name AS name, dependents ORDER BY dependents DESC, name LIMIT $limit`
  },
  breaks: {
    ask: 'What can no longer be installed without this package? (following every dependency that has no alternative)',
    args: { name: 'libssl3' },
    cypher: `MATCH (t:Package {name: $name})
MATCH (p:Package)-[:DEPENDS*1.. {alternative: false}]->(t)
RETURN count(DISTINCT p) AS packages`
  },
  'breaks-first': {
    ask: 'Which packages need it directly, largest first?',
    args: { name: 'libssl3', limit: 10 },
    cypher: `MATCH (p:Package)-[:DEPENDS {alternative: false}]->(:Package {name: $name})
RETURN DISTINCT p.name AS name, p.installedKiB AS installedKiB ORDER BY installedKiB DESC, name LIMIT $limit`
  },
  path: {
    ask: 'How does one package come to depend on another, by the shortest way?',
    args: { from: 'gimp', to: 'libc6' },
    cypher: `MATCH (a:Package {name: $from}), (b:Package {name: $to})
MATCH p = shortestPath((a)-[:DEPENDS*]->(b))
RETURN length(p) AS length, [n IN nodes(p) | n.name] AS names`
  },
  mutual: {
    ask: 'Which packages depend on each other?',
    args: { limit: 20 },
    cypher: `MATCH (a:Package)-[:DEPENDS]->(b:Package)-[:DEPENDS]->(a)
WHERE a.name < b.name
RETURN DISTINCT a.name AS one, b.name AS other ORDER BY one, other LIMIT $limit`
  },
  'mutual-count': {
    ask: 'How many such pairs are there?',
    args: {},
    cypher: `MATCH (a:Package)-[:DEPENDS]->(b:Package)-[:DEPENDS]->(a)
WHERE a.name < b.name
WITH DISTINCT a, b
RETURN count(*) AS pairs`
  },
  needs: {
    ask: 'How many packages does one pull in, following all its dependencies?',
    args: { name: 'gimp' },
    cypher: `MATCH (a:Package {name: $name})
MATCH (a)-[:DEPENDS*1..]->(t:Package)
RETURN count(DISTINCT t) AS packages`
  },
  providers: {
    ask: 'Who provides a virtual package?',
    args: { name: 'mail-transport-agent' },
    cypher: `MATCH (p:Package)-[:PROVIDES]->(:Virtual {name: $name})
RETURN DISTINCT p.name AS name ORDER BY name`
  },
  'busiest-maintainers': {
    ask: 'Who maintains most packages?',
    args: { limit: 5 },
    cypher: `MATCH (m:Maintainer)<-[:MAINTAINED_BY]-(p:Package)
RETURN m.email AS email, count(p) AS packages ORDER BY packages DESC, email LIMIT $limit`
  },
  'largest-sections': {
    ask: 'Which sections are the largest when all of them is installed?',
    args: { limit: 5 },
    cypher: `MATCH (s:Section)<-[:IN_SECTION]-(p:Package)
RETURN s.name AS section, count(*) AS packages, sum(p.installedKiB) AS installedKiB ORDER BY installedKiB DESC, section LIMIT $limit`
  },
  'without-dependents': {
    ask: 'How many packages does nothing depend on?',
    args: {},
    cypher: `MATCH (p:Package)
WHERE NOT EXISTS { (p)<-[:DEPENDS]-(:Package) }
RETURN count(p) AS packages`
  },
  conflicts: {
    ask: 'Which two packages conflict although one recommends the other?',
    args: { limit: 10 },
    cypher: `MATCH (a:Package)-[:RECOMMENDS]->(b:Package), (a)-[:CONFLICTS]->(b)
RETURN DISTINCT a.name AS one, b.name AS other ORDER BY one, other LIMIT $limit`
  }
}
