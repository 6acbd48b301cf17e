import { constants, copyFile, readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { InterlockError, isInterlockError } from '../../domain/errors.ts'
import { type PermissionLevel, permissionLevels } from '../../domain/job.ts'
import { checkJobRequest } from '../../domain/job-request.ts'
import { type BadRequest, type PendingRequests, readPendingRequests } from '../../domain/pending-request.ts'
import type { Backend } from '../backend.ts'
import { exitCodes } from '../exit-code.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface ImportOptions {
  readonly backup?: boolean
  readonly permission: PermissionLevel
  readonly dryRun?: boolean
}

/** What became of a file of requests. */
interface ImportSummary {
  readonly dry_run: boolean
  readonly file: string
  readonly backup: string | null
  readonly total: number
  readonly added: number
  /** They were imported before. */
  readonly known: number
  /** Of those added: they wait for a person. */
  readonly paused: number
  /** Completed or rejected: they never run again, and are left out. */
  readonly done: number
  readonly by_type: Readonly<Record<string, number>>
  readonly by_status: Readonly<Record<'approved' | 'review' | 'done' | 'bad', number>>
  readonly bad: readonly BadRequest[]
}

/** `queue import`: the requests that another tool left in a file become jobs. */
export function createQueueImportCommand(runtime: Runtime): Command {
  const command = new Command('import')
    .description('make jobs of the requests in a pending-requests.json; what was imported before is not added again')
    .argument('<file>', 'an array of requests, or an object that has them')
    .addOption(new Option('--backup', 'copy the file first, beside it, with the time in its name'))
    .addOption(
      new Option(
        '--permission <level>',
        'human_required: what nobody approved waits for `job approve`; else for `job start`',
      )
        .choices(permissionLevels)
        .default('human_required'),
    )
    .addOption(new Option('--dry-run', 'show what would be added, and add nothing'))
  withExamples(command, [
    'interlock queue import pending-requests.json --dry-run',
    'interlock queue import pending-requests.json --backup',
  ])
  return runsWithBackend<ImportOptions>(command, runtime, async (call, backend) => {
    const file = call.argument(0)
    const { dryRun = false, permission: permissionLevel } = call.options
    const found = await readFileOf(file, permissionLevel)
    // Before anything is added: a copy of what was is no use afterwards to who finds that the file was the wrong one.
    const backup = call.options.backup === true && !dryRun ? await backUp(file) : null
    const summary = await importAll(found, { backend, file, backup, dryRun, signal: call.signal })
    call.show(summary, () => renderSummary(summary, call.terminal))
    return summary.bad.length === 0 ? exitCodes.ok : exitCodes.failed
  })
}

async function readFileOf(file: string, permissionLevel: PermissionLevel): Promise<PendingRequests> {
  try {
    return readPendingRequests(JSON.parse(await readFile(file, 'utf8')), { permissionLevel })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new InterlockError('invalid_argument', `${file} cannot be imported: ${reason}`, {
      field: 'file',
      cause: error,
    })
  }
}

async function backUp(file: string): Promise<string> {
  const copy = `${file}.backup-${new Date().toISOString().replace(/[:.]/g, '-')}`
  await copyFile(file, copy, constants.COPYFILE_EXCL)
  return copy
}

interface Import {
  readonly backend: Backend
  readonly file: string
  readonly backup: string | null
  readonly dryRun: boolean
  readonly signal: AbortSignal
}

/** One by one: a bad one among them is reported with its place, and the others go on. */
async function importAll({ requests, bad: unread }: PendingRequests, options: Import): Promise<ImportSummary> {
  const { backend, file, backup, dryRun, signal } = options
  const bad: BadRequest[] = [...unread]
  const byType: Record<string, number> = {}
  const byStatus = { approved: 0, review: 0, done: 0, bad: 0 }
  const sum = { added: 0, known: 0, paused: 0, done: 0 }
  for (const { place, state, type, job } of requests) {
    signal.throwIfAborted()
    try {
      if (job === null) sum.done += 1
      else if (await add(backend, job, dryRun)) {
        sum.added += 1
        if (state === 'review') sum.paused += 1
      } else sum.known += 1
      byType[type] = (byType[type] ?? 0) + 1
      byStatus[state] += 1
    } catch (error) {
      if (!isInterlockError(error) || !isOfTheRecord(error)) throw error
      bad.push({ place, problem: error.message })
    }
  }
  const total = requests.length + unread.length
  return {
    dry_run: dryRun,
    file,
    backup,
    total,
    ...sum,
    by_type: Object.fromEntries(Object.entries(byType).sort(([, a], [, b]) => b - a)),
    by_status: { ...byStatus, bad: bad.length },
    bad,
  }
}

/** Whether it was added; false: it was there. */
async function add(backend: Backend, job: Readonly<Record<string, unknown>>, dryRun: boolean): Promise<boolean> {
  const request = checkJobRequest(job)
  try {
    if (!dryRun) await backend.enqueue(request)
    else if (request.id !== undefined) {
      await backend.getJob(request.id)
      return false
    }
    return true
  } catch (error) {
    if (isInterlockError(error, 'job_not_found')) return true
    if (isInterlockError(error, 'idempotency_conflict')) return false
    throw error
  }
}

/** What is wrong with this one alone; a database that is away is nothing of the kind. */
function isOfTheRecord({ code }: InterlockError): boolean {
  return ['invalid_argument', 'unknown_task', 'queue_not_found', 'queue_full', 'not_permitted'].includes(code)
}

function renderSummary(summary: ImportSummary, terminal: Terminal): string {
  const { dry_run: dryRun, total, added, known, paused, done, bad, backup } = summary
  const would = dryRun ? 'would be ' : ''
  const lines = [
    `${total} requests: ${added} ${would}added (${paused} of them paused, for a person to look at), ${known} known already, ${done} done and left out, ${bad.length} bad`,
    renderTable(
      [{ title: 'TYPE' }, { title: 'REQUESTS', align: 'right', narrow: 'keep' }],
      Object.entries(summary.by_type).map(([type, count]) => [type, String(count)]),
      terminal,
    ),
    ...bad.map(({ place, problem }) => `${terminal.paint('red', 'bad')} ${place}: ${problem}`),
  ]
  return [...(backup === null ? [] : [`copied to ${backup}`]), ...lines].join('\n')
}
