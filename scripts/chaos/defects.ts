import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Database } from '../../src/store/database.ts'
import { type Mutation, mutated, mutationSupport, mutations } from '../../tests/property/mutations.ts'
import { failpointSupport, type Verb, verbsQuery } from '../../tests/support/failpoints.ts'
import type { FaultKind } from './scenario.ts'

/** One thing done wrong, in a copy of the program or in the verbs of the run's own database. */
export interface Defect {
  readonly name: string
  /** Which faults bring it out; all unless set. */
  readonly faults?: readonly FaultKind[]
  readonly verbs?: Mutation
  readonly sources?: readonly SourceEdit[]
}

interface SourceEdit {
  /** Below src/. */
  readonly file: string
  readonly find: string | RegExp
  readonly replace: string
}

const root = fileURLToPath(new URL('../../', import.meta.url))

const ofVerbs = (name: string): Mutation => {
  const mutation = mutations.find((one) => one.name.startsWith(name))
  if (mutation === undefined) throw new Error(`there is no mutation "${name}"`)
  return mutation
}

const takeovers: readonly FaultKind[] = [
  'freeze agent',
  'mute line',
  'mute line one way',
  'cut at the end of a transaction',
]

/** What the harness is tested by: of these it has to find nearly all. */
export const defects: readonly Defect[] = [
  { name: 'a lane that cannot use what it was woken for wakes nobody', verbs: ofVerbs('no pass-on') },
  { name: 'an emptied lane wakes nobody', verbs: ofVerbs('vacating wakes nobody') },
  { name: 'slots are read before they are locked', verbs: ofVerbs('slots are read before') },
  { name: 'a wake for each resource, not for each slot', verbs: ofVerbs('a wake for each resource') },
  { name: 'no touch on return to pending', verbs: ofVerbs('no touch on return') },
  { name: 'no token check on release', faults: takeovers, verbs: ofVerbs('no token check') },
  { name: 'heads are not locked', verbs: ofVerbs('heads are not locked') },
  {
    name: 'a release frees what another job holds now',
    faults: takeovers,
    verbs: {
      name: 'double release',
      edits: [
        { verb: 'release_held', find: /where j\.token = u\.token/g, replace: 'where true' },
        { verb: 'release_held', find: /and s\.active_job_id = f\.id/, replace: '' },
      ],
    },
  },
  {
    name: 'the keeper does not end the jobs of an agent that is gone',
    faults: ['kill agent'],
    sources: [
      {
        file: 'agent/keeper-process.ts',
        find: /agent\.on\('(close|end)', \(\) => void leave\('agent_gone'\)\)/g,
        replace: "agent.on('$1', () => undefined)",
      },
      { file: 'agent/keeper-process.ts', find: "if (isLeaseOver()) endAll('lease_lost')", replace: '' },
    ],
  },
  {
    name: 'nobody looks whether the lease is over',
    faults: ['freeze agent', 'mute line', 'mute line one way'],
    sources: [
      { file: 'agent/keeper-process.ts', find: "if (isLeaseOver()) endAll('lease_lost')", replace: '' },
      {
        file: 'agent/lease.ts',
        find: 'return monotonicMs() >= this.#untilMs',
        replace: 'return false',
      },
    ],
  },
  {
    name: 'nobody rings and nobody ticks',
    faults: ['kill agent', 'freeze agent'],
    sources: [
      {
        file: 'coordinator/ticker.ts',
        find: 'async tick(): Promise<void> {',
        replace: 'async tick(): Promise<void> {\n    if (performance.now() > 0) return',
      },
    ],
  },
  {
    name: 'a job that was not heard to have started is started again by its agent',
    sources: [{ file: 'agent/agent.ts', find: 'if (this.#attempts.has(key) ||', replace: 'if (' }],
  },
]

export interface Defective {
  readonly program: string | undefined
  readonly onMigrated: (database: Database) => Promise<void>
  dispose(): Promise<void>
}

/** Makes the program and the database of a run defective. Throws when an edit finds nothing to change. */
export async function build({ verbs, sources }: Defect): Promise<Defective> {
  const folder = sources === undefined ? null : await copyOfProgram(sources)
  return {
    program: folder === null ? undefined : join(folder, 'src', 'main.ts'),
    async onMigrated(database) {
      if (verbs === undefined) return
      await database.query(failpointSupport)
      await database.query(mutationSupport)
      const installed = await database.query<Verb>(verbsQuery)
      for (const [n, { definition }] of mutated(installed, verbs).entries()) {
        if (definition !== installed[n]?.definition) await database.query(definition)
      }
    },
    async dispose() {
      if (folder !== null) await rm(folder, { recursive: true, force: true })
    },
  }
}

async function copyOfProgram(edits: readonly SourceEdit[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-defect-'))
  await cp(join(root, 'src'), join(folder, 'src'), { recursive: true })
  for (const name of ['node_modules', 'sql', 'migrations', 'package.json'])
    await symlink(join(root, name), join(folder, name))
  for (const { file, find, replace } of edits) {
    const path = join(folder, 'src', file)
    const text = await readFile(path, 'utf8')
    const changed = text.replace(find, replace)
    if (changed === text) throw new Error(`nothing to change in ${file}: ${find}`)
    await writeFile(path, changed)
  }
  return folder
}
