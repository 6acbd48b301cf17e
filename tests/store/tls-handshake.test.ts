import { execFile } from 'node:child_process'
import { chmod, chown, copyFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { Listener } from '../../src/store/listener.ts'
import { runCli } from '../cli/run-cli.ts'
import { OwnServer } from '../support/own-server.ts'
import { waitFor } from '../support/wait-for.ts'

// With a real server that has a certificate of its own authority: what verify-full lets through, and what it keeps out.

const execute = promisify(execFile)
const openssl = (options: readonly string[]) => execute('openssl', options)
const isThere = await openssl(['version']).then(
  () => true,
  () => false,
)
const missing = isThere ? '' : ' (skipped: openssl is not installed)'

describe.skipIf(!isThere)(`a connection by TLS${missing}`, () => {
  let folder: string
  let server: OwnServer
  const file = (name: string) => join(folder, name)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'interlock-tls-'))
    await makeAuthority('ours')
    await makeAuthority('another')
    await makeCertificate('ours', 'localhost')
    server = await OwnServer.start()
    await serve('localhost')
  })
  afterAll(async () => {
    await server?.dispose()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })

  const makeAuthority = (name: string) =>
    openssl([
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)],
    ])

  async function makeCertificate(authority: string, host: string): Promise<void> {
    await writeFile(file('names.cnf'), `subjectAltName=DNS:${host}\n`)
    await openssl([
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${host}`],
      ...['-keyout', file(`${host}.key`), '-out', file('request.pem')],
    ])
    await openssl([
      ...['x509', '-req', '-in', file('request.pem'), '-days', '2', '-extfile', file('names.cnf')],
      ...['-CA', file(`${authority}.pem`), '-CAkey', file(`${authority}.key`), '-out', file(`${host}.pem`)],
    ])
  }

  /** The server takes no key that others than its own user can read. */
  async function serve(host: string): Promise<void> {
    const { uid, gid } = await stat(server.cluster)
    for (const ending of ['key', 'pem']) {
      const there = join(server.cluster, `${host}.${ending}`)
      await copyFile(file(`${host}.${ending}`), there)
      await chown(there, uid, gid)
      await chmod(there, 0o600)
    }
    const database = server.open()
    await database.query(`alter system set ssl_cert_file = '${host}.pem'`)
    await database.query(`alter system set ssl_key_file = '${host}.key'`)
    await database.query('alter system set ssl = on')
    await database.query('select pg_reload_conf()')
    await waitFor(async () => (await database.query<{ ssl: string }>('show ssl'))[0]?.ssl === 'on', {
      what: 'the server to have read its certificate',
    })
  }

  function urlOf(host: string, authority: string): string {
    const url = new URL(server.url)
    url.hostname = host
    url.searchParams.set('sslmode', 'verify-full')
    url.searchParams.set('sslrootcert', file(`${authority}.pem`))
    return url.href
  }

  test('to the server that the authority vouches for is encrypted, that which listens too', async () => {
    const database = new Database({ url: urlOf('localhost', 'ours'), applicationName: 'by tls' })
    const heard: string[] = []
    const listener = new Listener({ database, channels: { rung: (payload) => heard.push(payload) } })
    listener.start()
    await waitFor(() => listener.isListening, { what: 'it to listen' })
    await database.query(`select pg_notify('rung', 'a bell')`)
    await waitFor(() => heard.length > 0, { what: 'the bell' })
    expect(heard).toEqual(['a bell'])
    const lines = await database.query<{ ssl: boolean }>(
      `select s.ssl from pg_stat_ssl as s join pg_stat_activity as a using (pid) where a.application_name like 'by tls%'`,
    )
    expect(lines.length).toBeGreaterThanOrEqual(2)
    expect(lines.every(({ ssl }) => ssl)).toBe(true)
    await listener.stop()
    await database.end()
  })

  test.each([
    ['another authority', 'localhost', 'another', /self-signed certificate|unable to verify|local issuer certificate/],
    ['another name', '127.0.0.1', 'ours', /IP: 127\.0\.0\.1 is not in the cert/],
  ])('to one of %s is refused, with the reason', async (_what, host, authority, why) => {
    const url = urlOf(host, authority)
    const database = new Database({ url, applicationName: 'let in' })
    const refused = await database.query('select 1').catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'unavailable' })
    await database.end()
    const { code, stdout, stderr } = await runCli(['queue', 'list'], { env: { DATABASE_URL: url } })
    expect([code, stdout]).toEqual([6, ''])
    expect(stderr).toMatch(why)
    expect(stderr).not.toContain(new URL(url).password)
    expect(await server.open().query(`select pid from pg_stat_activity where application_name = 'let in'`)).toEqual([])
  })
})
