import { Logger, run } from 'graphile-worker'
import { Database } from '../../../src/store/database.ts'
import type { OpenService } from './service.ts'

const silent = new Logger(() => () => undefined)
const settings = { concurrentJobs: 10 }

/** graphile-worker with its user as the named queue, without a local queue, which would trade latency for throughput. */
export const openGraphileWorkerService: OpenService = async (url, onStart) => {
  const callers = new Database({ url, poolSize: 8, statementTimeoutSeconds: 0 })
  const runner = await run({
    connectionString: url,
    noHandleSignals: true,
    preset: { worker: { logger: silent, ...settings } },
    taskList: { bench: (payload) => onStart((payload as { readonly number: number }).number) },
  })
  return {
    name: 'graphile-worker',
    settings,
    async send({ user }, number) {
      await callers.query(`select id from graphile_worker.add_job('bench', $1, $2)`, [{ number }, user], 'enqueue')
    },
    async stop() {
      await runner.stop()
      await callers.end()
    },
  }
}
