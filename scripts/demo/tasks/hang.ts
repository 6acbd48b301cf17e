// hang: goes on for ever. Only its timeout ends it.

import { readJob, workspaceOf } from './job.ts'
import { rememberProcesses } from './processes.ts'

const job = await readJob()
rememberProcesses(workspaceOf(job), job, [process.pid])
setInterval(() => undefined, 1000)
