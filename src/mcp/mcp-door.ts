import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Operations } from '../http/operations.ts'
import type { Route } from '../http/route.ts'
import { createMcpServerFactory } from './mcp-server.ts'

/**
 * The Model Context Protocol over streamable HTTP, without sessions: each request stands for itself, so that any
 * coordinator answers it and none has to remember who asked.
 */
export function mcpRoutes(operations: Operations, version: string): readonly Route[] {
  const factory = createMcpServerFactory({ routes: operations.routes, call: operations.call, version })
  const handle = toNodeHandler(createMcpHandler(factory, { responseMode: 'auto' }))
  const stream: Route['stream'] = async (_call, { request, response }) => {
    await handle(request, response, request.body)
  }
  return [
    {
      method: 'POST',
      path: '/mcp',
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
