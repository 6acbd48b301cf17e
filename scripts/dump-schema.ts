// Writes sql/schema.sql from a fresh database that all migrations and functions went into:
//
//   npm run schema          writes it
//   ... --check             says whether it is what it would be, by its exit code

import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Database } from '../src/store/database.ts'
import { buildTemplate, startTestServer } from '../tests/support/test-server.ts'
import { schemaText } from './schema-text.ts'

const file = fileURLToPath(new URL('../sql/schema.sql', import.meta.url))

const server = await startTestServer()
try {
  const template = await buildTemplate(server)
  const database = new Database({ url: server.url(template.name), poolSize: 1 })
  const text = await schemaText(database).finally(() => database.end())
  await template.drop()
  if (!process.argv.includes('--check')) {
    await writeFile(file, text)
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error('sql/schema.sql is not what the migrations and functions add up to; run `npm run schema`')
    process.exitCode = 1
  }
} finally {
  await server.stop()
}
