import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliResult, runCli, temporaryFolder } from '../cli/run-cli.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

describe('feature 31: API keys that expire and rotate, and an audit of every operation', () => {
  let db: TestDatabase
  let door: HttpDoor

  beforeAll(async () => {
    db = await createTestDatabase()
    door = await openHttpDoor(db, { keys: 'required' })
  })
  afterAll(() => door.server.stop())

  const onDatabase = (...args: readonly string[]): Promise<CliResult> => runCli(args, { env: { DATABASE_URL: db.url } })
  const over = (key: string | null, ...args: readonly string[]): Promise<CliResult> =>
    runCli(args, { env: { INTERLOCK_URL: door.url, ...(key === null ? {} : { INTERLOCK_KEY: key }) } })

  test('the first key is made in the database, and makes the others; each may do what its scopes say', async () => {
    expect(await over(null, 'queue', 'status')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('a key is needed'),
    })
    const first = await onDatabase('keys', 'create', 'ann', '--scopes', 'admin')
    expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('the only time') })
    const admin = first.stdout.trim()
    expect(admin).toMatch(/^il_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/)

    const made = await over(admin, 'keys', 'create', 'ci', '--scopes', 'enqueue', '--expires-days', '90', '--json')
    const ci = JSON.parse(made.stdout)
    expect(ci).toMatchObject({ name: 'ci', state: 'active', scopes: ['enqueue'], created_by: 'ann' })
    expect(Date.parse(ci.expires_at) - Date.parse(ci.created_at)).toBe(90 * 86_400_000)

    expect((await over(ci.key, 'queue', 'add', 'work', '--id', 'by-ci')).code).toBe(0)
    const refused = await over(ci.key, 'job', 'cancel', 'by-ci')
    expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('the key ci has not the scope operate') })
    const folder = await temporaryFolder({ key: `${admin}\n` })
    const env = { INTERLOCK_URL: door.url, INTERLOCK_KEY_FILE: `${folder}/key` }
    expect((await runCli(['job', 'cancel', 'by-ci', '--reason', 'not today'], { env })).code).toBe(0)
    const told = await onDatabase('job', 'timeline', 'by-ci', '--json')
    expect(JSON.parse(told.stdout).map(({ actor }: { actor: string }) => actor)).toEqual(['ci', 'ann'])

    const listed = await over(admin, 'audit', 'list', '--json')
    const lines = JSON.parse(listed.stdout).map(
      ({ actor, operation, subject, outcome, reason }: Record<string, string>) => ({
        actor,
        operation,
        subject,
        outcome,
        reason,
      }),
    )
    expect(lines).toContainEqual({
      actor: 'ci',
      operation: 'POST /jobs/:id/cancel',
      subject: 'by-ci',
      outcome: 'refused',
      reason: 'the key ci has not the scope operate',
    })
    expect(lines).toContainEqual({
      actor: 'ann',
      operation: 'POST /jobs/:id/cancel',
      subject: 'by-ci',
      outcome: 'done',
      reason: 'not today',
    })
    expect((await onDatabase('audit', 'list', '--subject', 'by-ci')).stdout).toContain('not today')
  })

  test('a key is rotated with an overlap, shown without its secret, and revoked, through both doors', async () => {
    const admin = (await onDatabase('keys', 'create', 'bob', '--scopes', 'admin')).stdout.trim()
    const made = JSON.parse((await onDatabase('keys', 'create', 'eve', '--scopes', 'read', '--json')).stdout)
    const asEve = (key: string) => door.get('/jobs', { authorization: `Bearer ${key}` })
    const dry = await over(admin, 'keys', 'rotate', made.id, '--dry-run')
    expect(dry.stdout).toContain('would give eve')
    const next = (await over(admin, 'keys', 'rotate', made.id)).stdout.trim()
    expect([(await asEve(made.key)).status, (await asEve(next)).status]).toEqual([200, 200])

    const listed = await over(admin, 'keys', 'list')
    expect(listed.stdout).toMatch(/eve/)
    expect(listed.stdout).not.toContain(next.slice(-43))
    expect((await over(admin, 'keys', 'list', '--json')).stdout).not.toMatch(/il_[a-z0-9]{12}_/)

    expect((await onDatabase('keys', 'revoke', made.id, '--dry-run')).stdout).toContain('would be revoked')
    expect((await onDatabase('keys', 'revoke', made.id, '--reason', 'left')).stdout).toContain('revoked')
    await waitFor(async () => (await asEve(next)).status === 401, { what: 'the key to be refused' })
    expect((await over(admin, 'keys', 'rotate', made.id)).code).toBe(4)
    expect((await over(admin, 'keys', 'revoke', 'nobody00')).code).toBe(3)
    expect((await onDatabase('keys', 'create', 'x', '--scopes', 'root')).code).toBe(2)
  })
})
