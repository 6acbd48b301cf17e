import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Operations } from '../http/operations.ts'
import type { Route } from '../http/route.ts'
import type { Principal } from '../security/principal.ts'
import { createMcpServerFactory } from './mcp-server.ts'

const nobody: Principal = { kind: 'nobody', why: 'missing', keyId: null }

/**
 * The Model Context Protocol over streamable HTTP, without sessions: each request stands for itself, so that any
 * coordinator answers it and none has to remember who asked.
 */
export function mcpRoutes(operations: Operations, version: string): readonly Route[] {
  const factory = createMcpServerFactory({
    routes: operations.routes,
    call: operations.call,
    version,
    whoAsks: ({ authInfo }) => (authInfo?.extra?.principal as Principal | undefined) ?? nobody,
  })
  const handle = toNodeHandler(createMcpHandler(factory, { responseMode: 'auto' }))
  const stream: Route['stream'] = async ({ principal }, { request, response }) => {
    // What the SDK hands on to whom it makes a server for: who asks was found out by the guard of this route.
    const auth = { token: '', clientId: '', scopes: [], extra: { principal } }
    await handle(Object.assign(request, { auth }), response, request.body)
  }
  return [
    {
      method: 'POST',
      path: '/mcp',
      scope: 'key',
      name: 'call_mcp',
      summary: 'The Model Context Protocol over streamable HTTP: every operation of this document as a tool.',
      body: z.record(z.string(), z.unknown()),
      answers: { 200: z.record(z.string(), z.unknown()), 202: z.void() },
      isLong: true,
      onMalformedBody: (message) => ({
        status: 400,
        body: { jsonrpc: '2.0', id: null, error: { code: -32700, message } },
      }),
      stream,
    },
  ]
}
