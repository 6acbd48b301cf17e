// crash: fails each time, as a program does that finds its input broken.

import { readJob, recordUse } from './job.ts'

const job = await readJob()
recordUse(job, 'begins')
recordUse(job, 'ends')
console.error(`attempt ${job.attempt}: the prompt file is corrupt`)
process.exitCode = 1
