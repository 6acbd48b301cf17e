import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../src/store/database.ts'
import type { Line } from '../../tests/support/line.ts'
import { signalAll } from './family.ts'
import { freeze } from './freezing.ts'
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
      const target = victimOf(fault, victims, history)
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

const allConnections =
  'select pg_terminate_backend(a.pid) from pg_stat_activity as a where a.datname = $1 and a.pid <> pg_backend_pid()'

function victimOf({ kind, target, forMs }: PlannedFault, victims: Victims, history: History): Happening {
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
  const frozen = (service: Service, what: Parameters<typeof freeze>[1]): Happening => ({
    name: `${service.name} for ${forMs} ms`,
    happens: () => freeze(service, what, forMs, history),
  })
  const bySql = (name: string, text: string, values: readonly unknown[] = []) =>
    now(name, () => admin.query(text, values))

  switch (kind) {
    case 'kill agent':
      return now(agent.name, () => agent.signal('SIGKILL'))
    case 'kill every agent':
      return now('all', () => agents.forEach((each) => void each.signal('SIGKILL')))
    case 'end agent':
      return now(agent.name, () => agent.signal('SIGTERM'))
    case 'freeze agent':
      return frozen(agent, 'agent')
    case 'freeze agent and keeper':
      return frozen(agent, 'agent and keeper')
    case 'freeze agent and all its processes':
      return frozen(agent, 'agent and all its processes')
    case 'kill keeper':
      return now(agent.name, () => signalAll(agent.childPids(), 'SIGKILL'))
    case 'kill coordinator':
      return now(coordinator.name, () => coordinator.signal('SIGKILL'))
    case 'end coordinator':
      return now(coordinator.name, () => coordinator.signal('SIGTERM'))
    case 'roll the coordinators':
      return {
        name: 'all',
        happens: async () => {
          for (const each of coordinators) await each.roll(rollPatienceMs)
        },
      }
    case 'freeze coordinator':
      return frozen(coordinator, 'coordinator')
    case 'cut line':
      return now(lineName, () => line.cut())
    case 'mute line':
      return onLine({ kind: 'swallow', direction: 'both' })
    case 'mute line one way':
      return onLine({ kind: 'swallow', direction: target % 2 === 0 ? 'to server' : 'to client' })
    case 'mute what listens':
      return now(lineName, () => line.muteListening())
    case 'slow line':
      return onLine({ kind: 'delay', ms: 50 + (target % 400) })
    case 'dripping line':
      return onLine({ kind: 'drip', bytesPerSecond: 500 })
    case 'cut at the end of a transaction':
      return now(lineName, () => line.cutAtEnd(target % 3 === 0 ? 'before the server' : 'after the server'))
    case 'end every connection':
      return bySql('all', allConnections, [databaseName])
    case 'end every connection every second':
      return {
        name: `all for ${forMs} ms`,
        happens: async () => {
          for (let leftMs = forMs; leftMs > 0; leftMs -= 1000) {
            await admin.query(allConnections, [databaseName])
            await sleep(1000)
          }
        },
      }
    case 'end what listens':
      return bySql('all', `${allConnections} and a.query ilike 'listen%'`, [databaseName])
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

const rollPatienceMs = 10_000

/** What was begun by a fault and must not outlast the run. */
export async function healDatabase(admin: Database, scenario: Scenario): Promise<void> {
  await setPaused(admin, false)
  await admin.query(`select interlock.set_limit('model:wide', $1)`, [scenario.shape.wideCapacity])
}

async function setPaused(admin: Database, isPaused: boolean): Promise<void> {
  await admin.query(`select interlock.set_queue('default', $1)`, [{ is_paused: isPaused }])
}
