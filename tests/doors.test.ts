import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { elsewhere } from '../scripts/doors/elsewhere.ts'
import { withDoorsTable } from '../scripts/doors.ts'
import { createProgram } from '../src/cli/program.ts'
import type { Runtime } from '../src/cli/runtime.ts'
import { Client } from '../src/client/client.ts'
import { routes } from './http/contract-check.ts'
import { createTestDatabase } from './support/test-database.ts'

// The table of operations and doors in the README: complete, and each name in it is one that answers.

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

test('the table in the README is the one of the routes (`npm run doors` writes it)', () => {
  expect(readme).toBe(withDoorsTable(readme))
})

test('every operation is in it once', () => {
  const doors = ['/rpc', '/mcp', '/openapi.json', '/docs', '/docs/:file']
  const names = routes.filter(({ path }) => !doors.includes(path)).map(({ name }) => name)
  expect(Object.keys(elsewhere).sort()).toEqual(names.sort())
})

test('each command, method and name in SQL in it exists', async () => {
  const { database } = await createTestDatabase()
  const inSql = await database.query<{ name: string }>(
    `select p.proname as name from pg_proc as p where p.pronamespace = 'interlock'::regnamespace
    union
    select c.relname from pg_class as c where c.relnamespace = 'interlock'::regnamespace`,
  )
  const sqlNames = new Set(inSql.map(({ name }) => name))
  const commands = new Set(namesOf(createProgram({ terminal: { width: 80 } } as Runtime, '0.0.0'), ''))
  const missing = Object.entries(elsewhere).flatMap(([operation, { cli, client, sql }]) => [
    ...(cli === null || commands.has(cli) ? [] : [`${operation}: interlock ${cli}`]),
    ...(client === null || client in Client.prototype ? [] : [`${operation}: client.${client}()`]),
    ...(sql === null || sqlNames.has(sql) ? [] : [`${operation}: interlock.${sql}`]),
  ])
  expect(missing).toEqual([])
})

/** Every command by the words that call it: `queue add`. */
function namesOf(command: Command, before: string): string[] {
  return command.commands.flatMap((one) => {
    const name = `${before}${one.name()}`
    return [name, ...namesOf(one, `${name} `)]
  })
}
