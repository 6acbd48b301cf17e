import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { waitFor } from '../support/wait-for.ts'

export interface OwnerOrders {
  readonly leaseMs: number
  readonly killBudgetMs: number
  /** How often the lease is extended; null: never again. */
  readonly extendEveryMs: number | null
  readonly jobs: readonly { readonly key: string; readonly command: readonly string[] }[]
  readonly environment: Readonly<Record<string, string>>
}

export interface Owner {
  readonly pid: number
  readonly keeperPid: number
  /** What it said, a line each, parsed. */
  readonly said: readonly Readonly<Record<string, unknown>>[]
  kill(signal: NodeJS.Signals): void
}

const entry = fileURLToPath(new URL('../fixtures/agent/keeper-owner.ts', import.meta.url))
const owners = new Set<ChildProcess>()

/** A process of its own that owns a keeper and starts jobs under it: what can be killed, or stopped, as an agent is. */
export async function startOwner(orders: OwnerOrders): Promise<Owner> {
  const child = spawn(process.execPath, [entry, JSON.stringify(orders)], { stdio: ['ignore', 'pipe', 'inherit'] })
  owners.add(child)
  const said: Record<string, unknown>[] = []
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)))
  const opened = await waitFor(() => said.find(({ type }) => type === 'opened'), { what: 'the keeper to be open' })
  return {
    pid: child.pid ?? 0,
    keeperPid: Number(opened.keeperPid),
    said,
    kill: (signal) => void child.kill(signal),
  }
}

export function endOwners(): void {
  for (const child of owners) child.kill('SIGKILL')
  owners.clear()
}
