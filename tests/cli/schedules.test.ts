import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { type CliResult, runCli, temporaryFolder } from './run-cli.ts'

let test: TestDatabase
let door: HttpDoor
beforeAll(async () => {
  test = await createTestDatabase()
  door = await openHttpDoor(test)
})
afterAll(() => door.server.stop())

const doors = ['a database', 'HTTP'] as const

const toml = (name: string, task = 'report') => `
[schedules.${name}]
cron = "30 2 * * *"
time_zone = "Europe/Berlin"
missed = "all"
job = { task = "${task}", user = "alice" }

[schedules.${name}-hourly]
cron = "@hourly"
job = { task = "tidy" }
`

describe.each(doors)('interlock schedule over %s', (kind) => {
  const name = kind === 'HTTP' ? 'h' : 'd'
  const interlock = (...args: string[]): Promise<CliResult> =>
    runCli(['schedule', ...args], { env: kind === 'HTTP' ? { INTERLOCK_URL: door.url } : { DATABASE_URL: test.url } })
  const schedules = () =>
    test.query<{ name: string }>('select name from interlock.schedules where starts_with(name, $1)', [name])

  it('applies a file, dry at first, and shows, lists, runs, pauses and deletes what it made', async () => {
    const folder = await temporaryFolder({ 'a.toml': toml(name), 'b.toml': toml(name, 'other') })
    const dry = await interlock('apply', join(folder, 'a.toml'), '--dry-run')
    expect(dry.stdout).toMatch(new RegExp(`WOULD BE[\\s\\S]*${name} +created +30 2`))
    expect(await schedules()).toEqual([])
    expect(await interlock('apply', join(folder, 'a.toml'))).toMatchObject({ code: 0, stderr: '' })
    expect(await schedules()).toHaveLength(2)
    const again = await interlock('apply', join(folder, 'b.toml'), '--json')
    expect(JSON.parse(again.stdout)).toEqual({
      dry_run: false,
      schedules: [
        { name, outcome: 'changed' },
        { name: `${name}-hourly`, outcome: 'unchanged' },
      ],
    })
    expect((await interlock('list')).stdout).toMatch(new RegExp(`${name} +30 2 \\* \\* \\* +Europe/Berlin +other`))
    expect((await interlock('show', name)).stdout).toContain('30 2 * * * in Europe/Berlin')
    const next = await interlock('next', name, '--times', '7', '--json')
    expect(JSON.parse(next.stdout)).toHaveLength(7)
    expect((await interlock('next', name)).stdout.trim().split('\n')).toHaveLength(5)

    expect((await interlock('run', name, '--dry-run')).stdout).toContain('"task": "other"')
    const [id] = (await interlock('run', name)).stdout.split(' ')
    expect(await test.query('select task from interlock.jobs where id = $1', [id])).toEqual([{ task: 'other' }])
    expect((await interlock('pause', name)).stdout).toBe(`${name} paused\n`)
    expect((await interlock('list')).stdout).toMatch(new RegExp(`${name} .*paused`))
    expect((await interlock('resume', name)).stdout).toBe(`${name} active\n`)
    expect((await interlock('delete', name, '--dry-run')).stdout).toBe(`${name} would be deleted\n`)
    expect((await interlock('delete', name)).code).toBe(0)
    expect(await interlock('show', name)).toMatchObject({ code: 3 })
  }, 60_000)

  it('refuses a file by the place of what is wrong, and applies nothing of it', async () => {
    const wrong = `${toml(`${name}-x`)}\n[schedules.bad]\ncron = "61 * * * *"\njob = { task = "a" }\n`
    const folder = await temporaryFolder({ 'a.toml': wrong, 'b.json': '{"schedules": ', 'c.json': '{"schedule": {}}' })
    const result = await interlock('apply', join(folder, 'a.toml'))
    expect(result).toMatchObject({ code: 2, stdout: '' })
    expect(result.stderr).toContain('schedules.bad.cron cannot be read: Invalid value for minute: 61')
    expect((await schedules()).filter((row) => row.name.startsWith(`${name}-x`))).toEqual([])
    expect((await interlock('apply', join(folder, 'b.json'))).stderr).toContain('is not JSON')
    expect((await interlock('apply', join(folder, 'c.json'))).code).toBe(2)
    expect((await interlock('apply', join(folder, 'none.toml'))).code).toBe(2)
  })
})
