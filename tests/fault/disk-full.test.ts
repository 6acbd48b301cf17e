import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Queryable } from '../../src/store/queryable.ts'
import { openHttpDoor } from '../http/http-door.ts'
import { brokenPromises, Load, nothingBroken } from '../support/load.ts'
import { OwnServer } from '../support/own-server.ts'
import { waitFor } from '../support/wait-for.ts'

// Fault 15: the disk is full. A table that cannot grow refuses the statement (53100), and the server lives; a log that cannot
// grow stops the server, which recovers when there is room.

const refusal = mountRefusal()
const missing = refusal === null ? '' : ` (skipped: this machine mounts no tmpfs: ${refusal})`

function mount(folder: string, sizeMiB: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=0755`, 'tmpfs', folder], { stdio: 'pipe' })
}

function mountRefusal(): string | null {
  const folder = mkdtempSync(join(tmpdir(), `interlock-tests-${process.pid}-mount-`))
  try {
    mount(folder, 1)
    execFileSync('umount', [folder], { stdio: 'pipe' })
    return null
  } catch (error) {
    return (
      String((error as { stderr?: Buffer }).stderr ?? error)
        .trim()
        .split('\n')
        .at(-1) ?? 'refused'
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Writes a file into the disk until so much is free. */
async function fillUp(disk: string, leftBytes: number): Promise<void> {
  const file = await open(join(disk, 'ballast'), 'a')
  const block = Buffer.alloc(256 * 1024)
  try {
    for (;;) {
      const { bavail, bsize } = statfsSync(disk)
      const free = bavail * bsize - leftBytes
      if (free < 4096) break
      await file.write(block.subarray(0, Math.min(block.length, free)))
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    await file.close()
  }
}

describe.skipIf(refusal !== null)(`with the disk full${missing}`, () => {
  test.each([
    { what: 'a table that cannot grow', isLogFull: false },
    { what: 'a log that cannot grow, which stops the server', isLogFull: true },
  ])(
    'nothing is acknowledged that is not kept, and all goes on when there is room: $what',
    { timeout: 60_000 },
    async ({ isLogFull }) => {
      const disk = mkdtempSync(join(tmpdir(), `interlock-tests-${process.pid}-disk-`))
      mount(disk, 220)
      const server = await OwnServer.start({
        dataDir: join(disk, 'data'),
        settings: { shared_buffers: '16MB', max_wal_size: '64MB', min_wal_size: '32MB', max_connections: '40' },
      })
      try {
        const database = server.open({ connectTimeoutSeconds: 2 })
        const door = await openHttpDoor({ database } as Parameters<typeof openHttpDoor>[0])
        const load = new Load({ database, backlogMax: 100_000, batch: 50 })
        await load.flows(200)
        const leftBytes = isLogFull ? 0 : 1024 * 1024
        await fillUp(disk, leftBytes)
        const refusedBefore = load.refusals
        // Big payloads fill what is left; from some moment on they are refused.
        const kept = new Set<string>()
        const payload = { text: Array.from({ length: 4000 }, () => Math.random().toString(36)).join('') }
        const refused = await waitFor(
          async () => {
            await fillUp(disk, leftBytes)
            const id = `big-${kept.size}`
            const reply = await door.post('/jobs', { task: 'load', id, payload, start: false })
            if (reply.status === 201) kept.add(id)
            return reply.status === 201 ? null : reply
          },
          { what: 'the disk to be full', timeoutMs: 30_000 },
        )
        expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([
          503,
          'unavailable',
          '2',
        ])
        await waitFor(() => load.refusals > refusedBefore, { what: 'the load to be refused too' })
        if (isLogFull) {
          // More than a segment of the log, and no table.
          const log = server.open()
          await expect(
            log.query(`select pg_logical_emit_message(true, 'fill', repeat('x', 40000000))`),
          ).rejects.toMatchObject({
            code: 'unavailable',
            // A panic, or not even that: the server is gone in that moment.
            message: expect.stringMatching(/pg_wal|terminated|ECONN|recovery|starting/),
          })
        }
        await sleep(500)
        await rm(join(disk, 'ballast'))
        await bringBack(server, database)
        await load.flows(200)
        await waitFor(
          async () => (await door.post('/jobs', { task: 'load', id: 'room-again', start: false })).status === 201,
          {
            what: 'the door to take jobs again',
          },
        )
        await load.drain()
        expect(load.failures).toEqual([])
        expect(await brokenPromises(database, load)).toEqual(nothingBroken)
        const rows = await database.query<{ id: string }>(`select id from interlock.jobs where starts_with(id, 'big-')`)
        expect([...kept].filter((id) => !rows.some((row) => row.id === id))).toEqual([])
        expect(await database.query('select * from interlock.violations')).toEqual([])
        console.log(
          `${load.enqueued.size} + ${kept.size} enqueued, ${load.completed.size} completed, ${load.refusals} times refused: ${refused.json.detail}`,
        )
        await load.stop()
        await door.server.stop()
      } finally {
        await rm(join(disk, 'ballast'), { force: true })
        await server.dispose().catch(() => undefined)
        execFileSync('umount', ['-l', disk])
        rmSync(disk, { recursive: true, force: true })
      }
    },
  )
})

/** A server whose log could not grow has stopped, and is started by whoever looks after it. */
async function bringBack(server: OwnServer, database: Queryable): Promise<void> {
  await waitFor(
    async () => {
      await server.startAgain()
      await database.query('select 1')
      return true
    },
    { what: 'the server to be back', timeoutMs: 20_000 },
  )
}
