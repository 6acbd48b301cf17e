import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { exitCodeOf } from '../src/cli/exit-code.ts'
import { errorCodes, InterlockError } from '../src/domain/errors.ts'
import { toProblem } from '../src/http/problem.ts'
import { createTestDatabase } from './support/test-database.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const text = readFileSync(`${root}README.md`, 'utf8')

/** The rows of the first table below a heading, without its head. */
function tableBelow(heading: string): readonly (readonly string[])[] {
  const [, below = ''] = text.split(`\n## ${heading}\n`)
  const [section = ''] = below.split('\n## ')
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

describe('README.md', () => {
  it('draws the transitions that the database allows, and no other', async () => {
    const { query } = await createTestDatabase()
    const states = ['scheduled', 'deferred', 'paused', 'pending', 'assigned', 'running', 'failed']
    const allowed = await query<{ from: string; to: string }>(
      `select f as "from", t as "to" from unnest($1::text[]) as f, unnest($1::text[]) as t
       where interlock.is_legal_transition(f, t) order by 1, 2`,
      [states],
    )
    const drawn = tableBelow('States').flatMap(([from, to = '']) =>
      to.split(', ').map((state) => ({ from, to: state })),
    )
    const sorted = drawn.toSorted((a, b) => `${a.from}>${a.to}`.localeCompare(`${b.from}>${b.to}`, 'en'))
    expect(sorted).toEqual(allowed)
  })

  it('has every error code with its SQLSTATE, its status and its exit code', async () => {
    const { query } = await createTestDatabase()
    const rows = tableBelow('Errors')
    for (const [sqlstate = '', code = '', status, exit] of rows) {
      const name = code.replaceAll('`', '') as (typeof errorCodes)[number]
      expect([name, Number(status), Number(exit)]).toEqual([
        name,
        toProblem(new InterlockError(name, ''), '').status,
        exitCodeOf(name),
      ])
      if (sqlstate === '') continue
      const raised = query(`do $$ begin raise exception using errcode = '${sqlstate}'; end $$`)
      await expect(raised).rejects.toMatchObject({ code: name })
    }
    expect(rows.map(([, code = '']) => code.replaceAll('`', '')).toSorted()).toEqual([...errorCodes].toSorted())
  })

  it('has every feature that has a test, and a test for each', () => {
    const named = tableBelow('The whole life of a job').map((row) => `${row.at(-1)?.replaceAll('`', '')}.test.ts`)
    const there = readdirSync(`${root}tests/features`).filter((file) => file.endsWith('.test.ts'))
    expect(named.toSorted()).toEqual(there.toSorted())
  })

  it('says of every runtime dependency what it stands in the place of', () => {
    expect(tableBelow('Runtime dependencies').map(([name]) => name)).toEqual(Object.keys(manifest.dependencies))
  })

  it('names a test for every promise, and the test is there', () => {
    const promises = tableBelow('What Interlock promises')
    expect(promises.length).toBeGreaterThan(10)
    for (const [promise, shown = ''] of promises) {
      const files = [...shown.matchAll(/`(tests\/[^`]+)`(?:: "([^"]+)")?/g)]
      expect(files, promise).not.toEqual([])
      for (const [, file = '', title] of files) {
        expect(existsSync(`${root}${file}`), file).toBe(true)
        if (title !== undefined) expect(readFileSync(`${root}${file}`, 'utf8'), promise).toContain(title)
      }
    }
  })

  it('names files that exist', () => {
    const paths = [...text.matchAll(/\b(?:sql|scripts|src|tests|migrations)\/[\w./-]*\w(?:\/|\b)/g)].map(
      ([path]) => path,
    )
    expect(paths.length).toBeGreaterThan(20)
    expect(paths.filter((path) => !existsSync(`${root}${path}`))).toEqual([])
  })
})
