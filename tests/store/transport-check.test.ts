import { expect, test } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { checkServer } from '../../src/store/server-check.ts'
import { checkTransport } from '../../src/store/transport-check.ts'
import { runCli } from '../cli/run-cli.ts'

const elsewhere = 'postgres://u:planted-password@db.example:5432/x'

function refusal(url: string): unknown {
  try {
    checkTransport(url)
    return null
  } catch (error) {
    return error
  }
}

test.for([
  'postgres://u:p@localhost/x',
  'postgres://u:p@127.0.0.1:5432/x',
  'postgres://u:p@127.9.9.9/x',
  'postgres://u:p@[::1]:5432/x',
  'postgres:///x?host=/var/run/postgresql',
  `${elsewhere}?sslmode=verify-full`,
  `${elsewhere}?application_name=a&sslmode=verify-full`,
])('%s is a line that may be used', (url) => {
  expect(refusal(url)).toBeNull()
})

test.for([
  elsewhere,
  `${elsewhere}?sslmode=disable`,
  `${elsewhere}?sslmode=no-verify`,
  `${elsewhere}?sslmode=require`,
  `${elsewhere}?sslmode=prefer`,
  `${elsewhere}?sslmode=verify-ca`,
  `${elsewhere}?ssl=true`,
  'postgres://u:planted-password@localhost/x?host=db.example',
  'postgres://u:planted-password@127.0.0.1.example/x',
  `${elsewhere}?x=sslmode=verify-full`,
  `${elsewhere}?sslmode=verify-full&sslmode=disable`,
  `${elsewhere}?sslmode=verify-full&sslrootcert=/nowhere/root.crt`,
])('%s is refused by name, without its password', (url) => {
  expect(refusal(url)).toMatchObject({ code: 'invalid_argument' })
  expect(String(refusal(url))).not.toContain('planted-password')
})

test('a server is not spoken to at all over a line that is refused, unless that is said to be all right', async () => {
  // Nobody listens there: what is refused before a byte is sent is not `unavailable`.
  const database = new Database({ url: 'postgres://u:p@192.0.2.1:1/x', poolSize: 2, connectTimeoutSeconds: 1 })
  await expect(checkServer(database)).rejects.toMatchObject({ code: 'invalid_argument', field: 'sslmode' })
  await expect(checkServer(database, { needsTls: false })).rejects.toMatchObject({ code: 'unavailable' })
  await database.end()
})

test.for([['queue', 'status'], ['migrate', 'status'], ['doctor'], ['serve', '--port', '0']])(
  'interlock %s says what to add to the address, and what to say where it is not needed',
  async (args) => {
    const said = await runCli(args, { env: { DATABASE_URL: elsewhere } })
    expect(said).toMatchObject({ code: 2, stderr: expect.stringContaining('sslmode=verify-full') })
    expect(said.stdout + said.stderr).not.toContain('planted-password')
  },
)

test('--insecure asks for no TLS: what is wrong then is that nobody answers', async () => {
  const said = await runCli(['queue', 'status', '--insecure'], { env: { DATABASE_URL: 'postgres://u:p@db.invalid/x' } })
  expect(said).toMatchObject({ code: 6, stderr: expect.stringContaining('no server answers') })
})
