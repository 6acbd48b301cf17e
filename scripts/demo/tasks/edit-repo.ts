// edit-repo: writes into a file of the user's repository for about a second and commits it. If another edit of the same
// user ran meanwhile, the two would write into the same file, and the instants in their commits would overlap.

import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { progress, readJob, recordUse, result, workspaceOf } from './job.ts'
import { Repository } from './repository.ts'

const job = await readJob()
const startedAt = new Date().toISOString()
recordUse(job, 'begins')
const repository = await Repository.open(workspaceOf(job), job.user ?? 'nobody')
if (!repository.hasGit) console.log('git is not installed: commits are lines of edits.log')

const paragraphs = 4
const pauseMs = ((job.payload.seconds ?? 0.8) * 1000) / paragraphs
for (let written = 1; written <= paragraphs; written += 1) {
  await appendFile(
    join(repository.folder, 'notes.md'),
    `${job.payload.text ?? `Paragraph ${written}`} (${job.job_id})\n`,
  )
  progress((100 * written) / paragraphs, `wrote paragraph ${written} of ${paragraphs}`)
  await sleep(pauseMs)
}

const endedAt = new Date().toISOString()
await repository.commit({ jobId: job.job_id, startedAt, endedAt })
recordUse(job, 'ends')
result({ repository: repository.folder, started_at: startedAt, ended_at: endedAt, with_git: repository.hasGit })
