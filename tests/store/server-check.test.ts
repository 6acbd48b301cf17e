import { createServer } from 'node:net'
import { describe, expect, inject, it } from 'vitest'
import { isInterlockError } from '../../src/domain/errors.ts'
import { Database } from '../../src/store/database.ts'
import { checkServer, describeUrl } from '../../src/store/server-check.ts'

async function refusalOf(url: string): Promise<{ code: string; message: string; hint: string | null }> {
  const database = new Database({ url, poolSize: 1, connectTimeoutSeconds: 2 })
  const failure = await checkServer(database).catch((error: unknown) => error)
  await database.end()
  if (!isInterlockError(failure)) throw new Error(`not refused: ${String(failure)}`)
  return failure
}

function changed(change: (url: URL) => void): string {
  const url = new URL(inject('serverUrl'))
  change(url)
  return url.href
}

describe('checkServer', () => {
  it('tells the version of a server that can serve', async () => {
    const database = new Database({ url: inject('serverUrl'), poolSize: 1 })
    expect(await checkServer(database)).toEqual({ major: inject('serverMajor') })
    await database.end()
  })

  it('says where no server answers', async () => {
    const refusal = await refusalOf('postgres://me:hunter2@127.0.0.1:1/jobs')
    expect(refusal).toMatchObject({ code: 'unavailable', message: expect.stringContaining('127.0.0.1:1/jobs') })
    expect(JSON.stringify([refusal.message, refusal.hint])).not.toContain('hunter2')
  })

  // A server that trusts everybody refuses no password.
  it.skipIf(new URL(inject('serverUrl')).password === '')(
    'says that the password is refused, without repeating it',
    async () => {
      const url = changed((given) => {
        given.password = 'hunter2'
      })
      const refusal = await refusalOf(url)
      expect(refusal).toMatchObject({ code: 'unavailable', message: expect.stringContaining('password') })
      expect(JSON.stringify([refusal.message, refusal.hint])).not.toContain('hunter2')
    },
  )

  it('says which database does not exist', async () => {
    const url = changed((given) => {
      given.pathname = '/no_such_database'
    })
    expect(await refusalOf(url)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('database "no_such_database" does not exist'),
      hint: expect.stringContaining('create it'),
    })
  })

  it('says that something else listens there', async () => {
    const web = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
    await new Promise((listening) => web.once('listening', listening))
    const { port } = web.address() as { readonly port: number }
    expect(await refusalOf(`postgres://me@127.0.0.1:${port}/jobs`)).toMatchObject({ code: 'unavailable' })
    web.close()
  })

  it('gives up on a server that takes the connection and says nothing', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await new Promise((listening) => silent.once('listening', listening))
    const { port } = silent.address() as { readonly port: number }
    expect(await refusalOf(`postgres://me@127.0.0.1:${port}/jobs`)).toMatchObject({ code: 'unavailable' })
    silent.close()
  })
})

describe('new Database', () => {
  it('refuses what is not the URL of a Postgres database, naming the setting', () => {
    expect(() => new Database({ url: 'mysql://localhost/jobs' })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field: 'DATABASE_URL' }),
    )
  })
})

describe('describeUrl', () => {
  it('says host, port and database, and neither user nor password', () => {
    expect(describeUrl('postgres://me:secret@db.example/jobs')).toBe('db.example:5432/jobs')
    expect(describeUrl('postgresql:///jobs?host=/run/postgresql')).toBe('/run/postgresql:5432/jobs')
    expect(describeUrl('nonsense')).toBe('the address in DATABASE_URL')
  })
})
