// long-edit: edits a file of the user for some seconds, with a helper process beside it that writes too. Its agent is
// going to be killed: then both have to be gone before anybody else edits these files, and the next attempt looks.

import { spawn } from 'node:child_process'
import { appendFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { progress, readJob, recordUse, result, workspaceOf } from './job.ts'
import { isAlive, recallProcesses, rememberProcesses } from './processes.ts'

const job = await readJob()
const workspace = workspaceOf(job)
const former = recallProcesses(workspace, job.job_id).flatMap(({ processes }) => processes)
const formerAlive = former.filter(isAlive).map(({ pid }) => pid)
recordUse(job, 'begins')

const folder = join(workspace, 'repositories', encodeURIComponent(job.user ?? 'nobody'))
await mkdir(folder, { recursive: true })
const file = join(folder, 'long-edit.md')
const helper = spawn(
  process.execPath,
  [fileURLToPath(new URL('./helper.ts', import.meta.url)), file, String(job.token)],
  {
    stdio: 'ignore',
  },
)
rememberProcesses(workspace, job, [process.pid, ...(helper.pid === undefined ? [] : [helper.pid])])

const steps = 20
const pauseMs = ((job.payload.seconds ?? 2) * 1000) / steps
for (let step = 1; step <= steps; step += 1) {
  await appendFile(file, `${job.token} the editor, step ${step}\n`)
  recordUse(job, 'goes on')
  progress((100 * step) / steps, `step ${step} of ${steps}`)
  await sleep(pauseMs)
}
helper.kill('SIGKILL')
recordUse(job, 'ends')
result({ attempt: job.attempt, former_processes: former.map(({ pid }) => pid), former_still_alive: formerAlive })
