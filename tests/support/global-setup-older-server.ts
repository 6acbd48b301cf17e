import { basename, dirname } from 'node:path'
import type { TestProject } from 'vitest/node'
import { provideServer } from './global-setup.ts'
import { startTestServer } from './test-server.ts'

/** The same on the older Postgres whose programs `npm test` found, in a folder such as .../15/bin. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const binFolder = process.env.INTERLOCK_TEST_OLDER_SERVER ?? ''
  return provideServer(project, await startTestServer({ binFolder, major: Number(basename(dirname(binFolder))) }))
}
