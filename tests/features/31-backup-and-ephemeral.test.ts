import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { asAgentId } from '../../src/domain/ids.ts'
import { Database } from '../../src/store/database.ts'
import { lostAgents, sweepAgent } from '../../src/store/upkeep.ts'
import { runCli, startCli, temporaryFolder } from '../cli/run-cli.ts'
import { OwnServer } from '../support/own-server.ts'
import { waitFor } from '../support/wait-for.ts'

const run = promisify(execFile)

/** The newest Postgres of the system that has a server and pg_dump side by side: a dump needs programs of the server's age. */
async function systemPrograms(): Promise<{ binFolder: string; major: number } | null> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => [])
  const found = versions
    .map((version) => ({ binFolder: join('/usr/lib/postgresql', version, 'bin'), major: Number(version) }))
    .filter(({ binFolder }) => ['postgres', 'pg_dump', 'pg_restore'].every((name) => existsSync(join(binFolder, name))))
    .filter(({ major }) => major >= 14)
  return found.sort((a, b) => b.major - a.major)[0] ?? null
}

const programs = await systemPrograms()
const orWhy = programs === null ? ' (skipped: no pg_dump and server of one version here)' : ''

interface Claimed {
  readonly job_id: string
  readonly token: number
}

async function registerAgent(database: Database, name: string): Promise<string> {
  const [row] = await database.query<{ agent_id: string }>(
    `select agent_id from interlock.register_agent($1, '{high,default,low}', 100, p_lease_seconds => 3)`,
    [name],
  )
  return row?.agent_id ?? ''
}

async function claim(database: Database, agent: string): Promise<readonly Claimed[]> {
  await database.query('select interlock.absorb_touches(1000)')
  const [row] = await database.query<{ jobs: readonly Claimed[] }>(
    'select jobs from interlock.claim_jobs($1, null, 5)',
    [agent],
  )
  return row?.jobs ?? []
}

const add = (database: Database, user: string) =>
  database.query('select interlock.enqueue_jobs($1::jsonb)', [JSON.stringify([{ task: 'work', user }])])

describe('31. Backup, restore, recovery', () => {
  it.skipIf(programs === null)(
    `a dump taken under load is restored, and what it handed out is refused${orWhy}`,
    async () => {
      if (programs === null) return
      const server = await OwnServer.start({ binaries: programs })
      onTestFinished(() => server.dispose())
      const source = server.open()
      const agent = await registerAgent(source, 'worker')
      const running: Claimed[] = []
      let highest = 0
      let isLoaded = true
      const load = (async () => {
        for (let n = 0; isLoaded; n++) {
          await add(source, `user-${n}`)
          await source.query('select interlock.heartbeat_agent($1, $2, $3)', [
            agent,
            running.map((job) => job.job_id),
            running.map((job) => job.token),
          ])
          const jobs = await claim(source, agent)
          for (const job of jobs) highest = Math.max(highest, job.token)
          // Every third goes on running, as long as the agent has room for it.
          if (n % 3 === 0 && running.length < 50) running.push(...jobs)
          else
            await source.query('select interlock.complete_jobs($1, $2)', [
              jobs.map((job) => job.job_id),
              jobs.map((job) => job.token),
            ])
        }
      })()
      // Awaited below; until then its failure is nobody's.
      load.catch(() => undefined)
      await waitFor(() => running.length >= 3, { what: 'jobs to run' })
      const file = join(await temporaryFolder(), 'interlock.dump')
      await run(join(programs.binFolder, 'pg_dump'), ['--format=custom', '--file', file, server.url])
      const highestAtDump = highest
      await waitFor(() => highest > highestAtDump + 5, { what: 'more to be handed out after the dump' })
      isLoaded = false
      await load

      await source.query('create database restored')
      const url = server.url.replace(/interlock$/, 'restored')
      await run(join(programs.binFolder, 'pg_restore'), ['--exit-on-error', '--dbname', url, file])
      const restored = new Database({ url, applicationName: 'tests' })
      onTestFinished(() => restored.end())
      const held = await restored.query<Claimed>(
        'select id as job_id, token from interlock.jobs where held is not null',
      )
      expect(held.length).toBeGreaterThan(0)

      const doctor = await runCli(['doctor', '--after-restore', '--json'], { env: { DATABASE_URL: url } })
      expect(JSON.parse(doctor.stdout).restored).toMatchObject([
        { name: 'grant_numbers' },
        { name: 'job_numbers' },
        { name: 'message_numbers' },
        { name: 'incarnations' },
      ])

      // Nobody renews the leases of the agents of the past: what ran then goes back to wait.
      await waitFor(
        async () => {
          for (const { agentId } of await lostAgents(restored)) await sweepAgent(restored, asAgentId(agentId))
          const [row] = await restored.query<{ left: number }>(
            'select count(*)::integer as left from interlock.jobs where held is not null',
          )
          return row?.left === 0
        },
        { what: 'the jobs that ran to be given back' },
      )
      await restored.query(`update interlock.jobs set run_at = now() where status = 'scheduled'`)
      await restored.query('select interlock.promote_due_jobs()')
      const successor = await registerAgent(restored, 'successor')
      const again = await waitFor(
        async () => {
          const jobs = await claim(restored, successor)
          return jobs.length > 0 ? jobs : null
        },
        { what: 'a job to be claimed in the restored database' },
      )
      for (const { token } of again) expect(token).toBeGreaterThan(highest)
      for (const { job_id: id, token } of held) {
        const [refused] = await restored.query('select accepted from interlock.complete_jobs($1, $2)', [[id], [token]])
        expect(refused).toEqual({ accepted: false })
      }
      expect(await restored.query('select violation from interlock.violations')).toEqual([])
    },
    90_000,
  )
})

describe('31. Ephemeral mode keeps nothing', () => {
  it('runs everything on a data folder of its own, and takes it away at the end', async () => {
    const up = await startCli(['up', '--ephemeral', '--port', '0', '--no-agent', '--json'])
    await up.sees(/"part":\s*"http"/, 30_000)
    const folder = /"data_dir":\s*"([^"]+)"/.exec(up.stdout())?.[1] ?? ''
    expect(dirname(folder)).toBe(tmpdir())
    expect(existsSync(folder)).toBe(true)
    up.kill('SIGTERM')
    await up.ended()
    expect(existsSync(folder)).toBe(false)
  })

  it('refuses a database of one’s own, and a folder to keep', async () => {
    const named = await runCli(['up', '--ephemeral'], { env: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' } })
    expect(named).toMatchObject({ code: 2, stderr: expect.stringContaining('keeps nothing') })
    expect(await runCli(['up', '--ephemeral', '--data-dir', './data'])).toMatchObject({ code: 2 })
  })
})
