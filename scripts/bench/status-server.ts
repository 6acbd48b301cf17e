// A door over a database that exists: what the scenario `status` asks. Prints its address, and serves until SIGTERM.

import { createHttpServer } from '../../src/http/server.ts'
import { createLogger } from '../../src/observability/logger.ts'
import { Database } from '../../src/store/database.ts'

const [url = ''] = process.argv.slice(2)
const database = new Database({ url, poolSize: 4, statementTimeoutSeconds: 10 })
const server = createHttpServer({
  database,
  logger: createLogger({ level: 'error', format: 'json', color: false }),
  host: '127.0.0.1',
  port: 0,
})
await server.start()
process.stdout.write(`${server.url}\n`)
process.once('SIGTERM', async () => {
  await server.stop()
  await database.end()
  process.exit(0)
})
