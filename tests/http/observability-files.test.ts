import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EngineWorld } from '../engine/engine-world.ts'
import { isInstalled } from '../support/installed-program.ts'
import { type HttpDoor, openHttpDoor } from './http-door.ts'
import { scrape } from './scrape.ts'

const folder = fileURLToPath(new URL('../../scripts/observability', import.meta.url))
const rulesFile = `${folder}/interlock-rules.yml`

interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
}

let door: HttpDoor
/** Every name and label that a query may use. */
let served: ReadonlySet<string>

/** Words of PromQL, as far as our files speak it. */
const promql = new Set(['by', 'max', 'min', 'sum', 'rate', 'increase', 'histogram_quantile', 'and'])

/** The names that a query takes figures from: words that are neither labels nor PromQL's own. */
function metricsOf(expression: string): readonly string[] {
  const bare = expression
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\bby \([^)]*\)/g, '')
  return [...bare.matchAll(/[a-zA-Z_][a-zA-Z0-9_:]*/g)].map(([word]) => word).filter((word) => !promql.has(word))
}

/** What a query calls the labels of what it takes: in its braces. */
function labelsOf(expression: string): readonly string[] {
  return [...expression.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) =>
    [...inside.matchAll(/(\w+)\s*[=!]/g)].map(([, label = '']) => label),
  )
}

beforeAll(async () => {
  // With an agent: figures of agents have no labels without one.
  const world = await EngineWorld.create({})
  door = await openHttpDoor(world.test)
  const { types, text } = await scrape(door)
  served = new Set([
    ...Object.entries(types).flatMap(([name, type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
    ...[...text.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label),
  ])
})

afterAll(() => door.server.stop())

const dashboards = await Promise.all(
  (await readdir(folder))
    .filter((file) => file.endsWith('.json'))
    .map(async (file) => ({ file, dashboard: JSON.parse(await readFile(`${folder}/${file}`, 'utf8')) as Dashboard })),
)
const rules = await readFile(rulesFile, 'utf8')

describe('dashboards', () => {
  test('are at least two, each with a name of its own', () => {
    expect(dashboards.length).toBeGreaterThanOrEqual(2)
    expect(new Set(dashboards.map(({ dashboard }) => dashboard.uid)).size).toBe(dashboards.length)
  })

  test.each(dashboards)('$file asks for nothing that /metrics does not serve', ({ dashboard }) => {
    const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    expect(expressions.length).toBeGreaterThan(10)
    expect(expressions.flatMap(metricsOf).filter((name) => !served.has(name))).toEqual([])
    expect(expressions.flatMap(labelsOf).filter((label) => !served.has(label))).toEqual([])
  })
})

describe('rules', () => {
  const recorded = [...rules.matchAll(/- record: (\S+)/g)].map(([, name = '']) => name)
  const expressions = [...rules.matchAll(/^\s+expr: (.+)$/gm)].map(([, expression = '']) => expression)

  test('take from nothing that /metrics does not serve, or another rule does not record', () => {
    expect(expressions.length).toBeGreaterThan(15)
    expect(expressions.flatMap(metricsOf).filter((name) => !served.has(name) && !recorded.includes(name))).toEqual([])
    expect(expressions.flatMap(labelsOf).filter((label) => !served.has(label))).toEqual([])
  })

  test('have an alert for each alarm that the database raises', () => {
    const alerts = [...rules.matchAll(/- alert: (\S+)/g)].map(([, name]) => name)
    expect(alerts).toEqual(
      expect.arrayContaining([
        'InterlockQueueDeep',
        'InterlockJobsFailing',
        'InterlockDeadLetter',
        'InterlockOldestWait',
        'InterlockNoAgent',
        'InterlockOldSnapshot',
      ]),
    )
  })

  test.skipIf(!isInstalled('promtool'))('are what promtool takes for rules', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', rulesFile], { encoding: 'utf8' })
    expect({ status, said: `${stdout}${stderr}` }).toEqual({
      status: 0,
      said: expect.stringMatching(/SUCCESS: \d+ rules found/),
    })
  })
})
