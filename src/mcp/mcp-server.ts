import { randomUUID } from 'node:crypto'
import {
  type McpRequestContext,
  type McpServerFactory,
  ProtocolError,
  ProtocolErrorCode,
  Server,
} from '@modelcontextprotocol/server'
import { InterlockError } from '../domain/errors.ts'
import type { CallContext, OperationAnswer } from '../http/operations.ts'
import { toProblem } from '../http/problem.ts'
import type { Route } from '../http/route.ts'
import type { Principal } from '../security/principal.ts'
import { toolOf } from './tools.ts'

/** How an operation is called: in this process, or over HTTP. Throws as the operation does. */
export type CallOperation = (
  route: Route,
  given: Readonly<Record<string, unknown>>,
  context: CallContext,
) => Promise<OperationAnswer>

export interface McpOptions {
  readonly routes: readonly Route[]
  readonly call: CallOperation
  readonly version: string
  readonly whoAsks: (context: McpRequestContext) => Principal
}

const statusUri = 'interlock://queue/status'
const jobUri = /^interlock:\/\/jobs\/([^/]+)$/

const instructions = `Interlock decides when a job may run: one at a time for a user, one at a time for a model.
enqueue_job adds a job, wait_for_job waits for its end, explain_job says in one sentence why it waits, get_queue_status shows
what runs and what waits. Whoever runs jobs registers with register_agent and claims them; each later call on a job names
the token of its claim.`

/**
 * A server of the Model Context Protocol: each operation is a tool with the schemas of its contract, a job and the queue
 * are resources. A refusal is a result that says so (isError), with the problem as HTTP has it, so that a model can read
 * the hint and try again.
 */
export function createMcpServerFactory({ routes, call, version, whoAsks }: McpOptions): McpServerFactory {
  // Made once: a server is made for each request.
  const tools = routes.map(toolOf)
  const byName = new Map(routes.map((route) => [route.name, route]))

  return (context) => {
    const principal = whoAsks(context)
    const ask = async (name: string, given: Readonly<Record<string, unknown>>, signal: AbortSignal) => {
      const route = byName.get(name)
      if (route === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `there is no tool ${name}`)
      return (await call(route, given, { principal, door: 'mcp', requestId: randomUUID(), signal })).body
    }
    const server = new Server(
      { name: 'interlock', version },
      { capabilities: { tools: {}, resources: {} }, instructions },
    )
    server.setRequestHandler('tools/list', () => ({ tools: tools.map((tool) => ({ ...tool })) as never }))
    server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
      try {
        const body = await ask(params.name, params.arguments ?? {}, mcpReq.signal)
        const text = JSON.stringify(body ?? {})
        return { content: [{ type: 'text', text }], structuredContent: (body ?? {}) as Record<string, unknown> }
      } catch (error) {
        if (error instanceof ProtocolError) throw error
        const { body } = toProblem(error, randomUUID())
        return { isError: true, content: [{ type: 'text', text: JSON.stringify(body) }] }
      }
    })
    server.setRequestHandler('resources/list', () => ({
      resources: [
        {
          uri: statusUri,
          name: 'queue-status',
          title: 'The queue now',
          description: 'Who runs, who waits, and for whom.',
          mimeType: 'application/json',
        },
      ],
    }))
    server.setRequestHandler('resources/templates/list', () => ({
      resourceTemplates: [
        {
          uriTemplate: 'interlock://jobs/{id}',
          name: 'job',
          title: 'A job',
          description: 'One job, whole: its state, input, result or error, and why it waits.',
          mimeType: 'application/json',
        },
      ],
    }))
    server.setRequestHandler('resources/read', async ({ params: { uri } }, { mcpReq }) => {
      const [, id] = jobUri.exec(uri) ?? []
      if (uri !== statusUri && id === undefined) {
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `there is no resource ${uri}`, { uri })
      }
      const read =
        id === undefined
          ? ask('get_queue_status', {}, mcpReq.signal)
          : ask('get_job', { id: decoded(id) }, mcpReq.signal)
      const body = await read.catch((error: unknown) => {
        const { body: problem } = toProblem(error, randomUUID())
        const code = problem.status < 500 ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError
        throw new ProtocolError(code, problem.detail, problem)
      })
      return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(body) }] }
    })
    return server
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new InterlockError('job_not_found', `job ${part} does not exist`)
  }
}
