import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../src/store/database.ts'
import type { Line } from '../../tests/support/line.ts'
import type { History } from './history.ts'
import type { PlannedFault, Scenario } from './scenario.ts'
import type { Service } from './service.ts'

export interface Victims {
  readonly agents: readonly Service[]
  readonly coordinators: readonly Service[]
  /** The clients' own way to the database. */
  readonly clientLine: Line
  /** Straight to the server, for what an operator or the kernel would do. */
  readonly admin: Database
  readonly databaseName: string
  readonly restartServer: (awayMs: number) => Promise<void>
}

/** Lets each fault happen at its time. Resolves when the last one is over. */
export async function torment(scenario: Scenario, victims: Victims, history: History): Promise<void> {
  const startMs = performance.now()
  await Promise.all(
    scenario.faults.map(async (fault) => {
      await sleep(Math.max(0, fault.atMs - (performance.now() - startMs)))
      const target = victimOf(fault, scenario, victims)
      history.note({ kind: 'fault', fault: fault.kind, target: target.name })
      await target.happens().catch((error: unknown) => {
        history.note({ kind: 'fault', fault: fault.kind, target: target.name, detail: `did not happen: ${error}` })
      })
    }),
  )
}

interface Happening {
  readonly name: string
  readonly happens: () => Promise<unknown>
}

function victimOf({ kind, target, forMs }: PlannedFault, _scenario: Scenario, victims: Victims): Happening {
  const { agents, coordinators, admin, databaseName } = victims
  const agent = agents[target % agents.length] as Service
  const coordinator = coordinators[target % coordinators.length] as Service
  const services = [...agents, ...coordinators]
  const lines = [...services.map(({ name, line }) => ({ name, line })), { name: 'clients', line: victims.clientLine }]
  const { name: lineName, line } = lines[target % lines.length] as { name: string; line: Line }
  const now = (name: string, act: () => unknown): Happening => ({ name, happens: async () => act() })
  const forAWhile = (name: string, begin: () => unknown, end: () => unknown): Happening => ({
    name: `${name} for ${forMs} ms`,
    happens: async () => {
      await begin()
      await sleep(forMs)
      await end()
    },
  })
  const onLine = (trouble: Parameters<Line['trouble']>[0]) =>
    forAWhile(
      lineName,
      () => line.trouble(trouble),
      () => line.heal(),
    )
  const bySql = (name: string, text: string, values: readonly unknown[] = []) =>
    now(name, () => admin.query(text, values))

  switch (kind) {
    case 'kill agent':
      return now(agent.name, () => agent.signal('SIGKILL'))
    case 'end agent':
      return now(agent.name, () => agent.signal('SIGTERM'))
    case 'freeze agent':
      return freeze(agent, () => [agent.pid], forMs)
    case 'freeze agent and keeper':
      return freeze(agent, () => [agent.pid, ...agent.childPids()], forMs)
    case 'kill keeper':
      return now(agent.name, () => signalAll(agent.childPids(), 'SIGKILL'))
    case 'kill coordinator':
      return now(coordinator.name, () => coordinator.signal('SIGKILL'))
    case 'end coordinator':
      return now(coordinator.name, () => coordinator.signal('SIGTERM'))
    case 'freeze coordinator':
      return freeze(coordinator, () => [coordinator.pid], forMs)
    case 'cut line':
      return now(lineName, () => line.cut())
    case 'mute line':
      return onLine({ kind: 'swallow', direction: 'both' })
    case 'mute line one way':
      return onLine({ kind: 'swallow', direction: target % 2 === 0 ? 'to server' : 'to client' })
    case 'slow line':
      return onLine({ kind: 'delay', ms: 50 + (target % 400) })
    case 'dripping line':
      return onLine({ kind: 'drip', bytesPerSecond: 500 })
    case 'cut at the end of a transaction':
      return now(lineName, () => line.cutAtEnd(target % 3 === 0 ? 'before the server' : 'after the server'))
    case 'end every connection':
      return bySql(
        'all',
        'select pg_terminate_backend(a.pid) from pg_stat_activity as a where a.datname = $1 and a.pid <> pg_backend_pid()',
        [databaseName],
      )
    case 'cancel what runs in the database':
      return bySql(
        'all',
        `select pg_cancel_backend(a.pid) from pg_stat_activity as a where a.datname = $1 and a.state = 'active' and a.pid <> pg_backend_pid()`,
        [databaseName],
      )
    case 'kill a backend':
      return now('a backend', async () => {
        const [row] = await admin.query<{ pid: number }>(
          `select a.pid from pg_stat_activity as a where a.datname = $1 and a.backend_type = 'client backend' order by a.backend_start desc limit 1`,
          [databaseName],
        )
        if (row !== undefined) process.kill(row.pid, 'SIGKILL')
      })
    case 'restart the server':
      return { name: `away for ${forMs} ms`, happens: () => victims.restartServer(forMs) }
    case 'change a capacity':
      return bySql(`model:wide = ${1 + (target % 3)}`, `select interlock.set_limit('model:wide', $1)`, [
        1 + (target % 3),
      ])
    case 'pause a queue':
      return forAWhile(
        'default',
        () => setPaused(admin, true),
        () => setPaused(admin, false),
      )
  }
}

function freeze(service: Service, pids: () => readonly (number | null)[], forMs: number): Happening {
  return {
    name: `${service.name} for ${forMs} ms`,
    happens: async () => {
      const frozen = pids().filter((pid) => pid !== null)
      signalAll(frozen, 'SIGSTOP')
      await sleep(forMs)
      signalAll(frozen, 'SIGCONT')
    },
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // Gone already.
    }
  }
}

/** What was begun by a fault and must not outlast the run. */
export async function healDatabase(admin: Database, scenario: Scenario): Promise<void> {
  await setPaused(admin, false)
  await admin.query(`select interlock.set_limit('model:wide', $1)`, [scenario.wideCapacity])
}

async function setPaused(admin: Database, isPaused: boolean): Promise<void> {
  await admin.query(`select interlock.set_queue('default', $1)`, [{ is_paused: isPaused }])
}
