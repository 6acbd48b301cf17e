import type { TestProject } from 'vitest/node'
import { buildTemplate, serverAt, startTestServer, type TestServer } from './test-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of the server's maintenance database. */
    serverUrl: string
    serverMajor: number
    templateName: string
    /** Why there is no template; tests that need no database run all the same. */
    templateError: string | null
  }
}

/** One server and one template a run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  return provideServer(project, await chooseServer())
}

export async function provideServer(project: TestProject, server: TestServer): Promise<() => Promise<void>> {
  project.provide('serverUrl', server.url('postgres'))
  try {
    const template = await buildTemplate(server)
    project.provide('templateName', template.name)
    project.provide('serverMajor', template.serverMajor)
    project.provide('templateError', null)
    return async () => {
      await template.drop()
      await server.stop()
    }
  } catch (error) {
    project.provide('templateName', '')
    project.provide('serverMajor', 0)
    project.provide('templateError', error instanceof Error ? error.message : String(error))
    return () => server.stop()
  }
}

async function chooseServer(): Promise<TestServer> {
  const url = process.env.INTERLOCK_TEST_DATABASE_URL ?? ''
  if (url !== '') return serverAt(url)
  if (process.env.INTERLOCK_TEST_CONTAINERS === '1') return startContainer()
  return startTestServer()
}

async function startContainer(): Promise<TestServer> {
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
  const container = await new PostgreSqlContainer('postgres:18').withCommand(['-c', 'max_connections=300']).start()
  return {
    ...serverAt(container.getConnectionUri()),
    async stop() {
      await container.stop()
    },
  }
}
