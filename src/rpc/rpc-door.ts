import { JSONRPCErrorException, type JSONRPCRequest, JSONRPCServer } from 'json-rpc-2.0'
import { z } from 'zod'
import { ContractError } from '../domain/contract.ts'
import type { Arguments } from '../http/arguments.ts'
import type { CallContext, Operations } from '../http/operations.ts'
import { toProblem } from '../http/problem.ts'
import type { Answer, Call, Route } from '../http/route.ts'
import { queueCommands } from './queue-commands.ts'

/** The codes that JSON-RPC has words for; every other refusal is one of the server's own, told apart by `data.code`. */
const invalidRequest = -32600
const invalidParams = -32602
const internalError = -32603
const parseError = -32700
const refused = -32000

const maxBatch = 100

const id = z.union([z.string(), z.number(), z.null()])
const request = z
  .object({
    jsonrpc: z.literal('2.0'),
    method: z.string(),
    params: z.record(z.string(), z.unknown()).optional(),
    id: id.optional(),
  })
  .meta({ id: 'RpcRequest' })
const response = z
  .object({
    jsonrpc: z.literal('2.0'),
    id,
    result: z.unknown().optional(),
    error: z.object({ code: z.int(), message: z.string(), data: z.unknown().optional() }).optional(),
  })
  .meta({ id: 'RpcResponse' })

/** JSON-RPC 2.0: every operation by its name, and the eight queue_* commands; single and in batches. */
export function rpcRoutes(operations: Operations): readonly Route[] {
  const server = createRpcServer(operations)
  return [
    {
      method: 'POST',
      path: '/rpc',
      scope: 'key',
      name: 'call_rpc',
      summary:
        'JSON-RPC 2.0, single or in a batch: every operation of this document by its name, arguments in one object.',
      body: z.union([request, z.array(request).min(1).max(maxBatch)]),
      answers: { 200: z.union([response, z.array(response)]), 204: z.void() },
      isLong: true,
      onMalformedBody: malformed,
      answer: (call) => answer(server, call),
    },
  ]
}

function malformed(message: string): Answer {
  return { status: 200, body: { jsonrpc: '2.0', id: null, error: { code: parseError, message } } }
}

async function answer(
  server: JSONRPCServer<CallContext>,
  { request, requestId, principal, signal }: Call,
): Promise<Answer> {
  const asked = request.body as JSONRPCRequest | JSONRPCRequest[] | null | undefined
  if (Array.isArray(asked) && (asked.length === 0 || asked.length > maxBatch)) {
    const message = `a batch has 1 to ${maxBatch} requests`
    return { status: 200, body: { jsonrpc: '2.0', id: null, error: { code: invalidRequest, message } } }
  }
  // The library looks for a method in whatever it is given, and fails where that can have none.
  if ((Array.isArray(asked) ? asked : [asked]).some((one) => typeof one !== 'object' || one === null)) {
    const message = 'a request is an object with jsonrpc, method, params and id'
    return { status: 200, body: { jsonrpc: '2.0', id: null, error: { code: invalidRequest, message } } }
  }
  const idempotencyKey = request.get('idempotency-key')
  // One key names one request: under it, the second of a batch would be answered as the first was.
  const context = {
    principal,
    door: 'json-rpc',
    requestId,
    signal,
    idempotencyKey: Array.isArray(asked) ? undefined : idempotencyKey,
  }
  const body = await server.receive(asked as JSONRPCRequest, context)
  return body === null ? { status: 204 } : { status: 200, body }
}

function createRpcServer(operations: Operations): JSONRPCServer<CallContext> {
  // What goes wrong is told to whoever asked, and logged where the operation was called.
  const server = new JSONRPCServer<CallContext>({ errorListener: () => undefined })
  for (const route of operations.routes) {
    server.addMethod(route.name, (params, context) =>
      told(context, async () => (await operations.call(route, argumentsOf(params), context)).body ?? null),
    )
  }
  for (const [name, { run }] of Object.entries(queueCommands)) {
    server.addMethod(name, (params, context) => told(context, () => run(operations, argumentsOf(params), context)))
  }
  server.mapErrorToJSONRPCErrorResponse = (failedId, error: unknown) => ({
    jsonrpc: '2.0',
    id: failedId,
    error:
      error instanceof JSONRPCErrorException
        ? { code: error.code, message: error.message, data: error.data as unknown }
        : { code: internalError, message: 'Something is wrong on our side.' },
  })
  return server
}

async function told<Result>({ requestId }: CallContext, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const { body } = toProblem(error, requestId)
    const code =
      body.code === 'invalid_argument'
        ? invalidParams
        : body.status >= 500 && body.code === 'internal'
          ? internalError
          : refused
    throw new JSONRPCErrorException(body.detail, code, body)
  }
}

function argumentsOf(params: unknown): Arguments {
  if (params === undefined) return {}
  if (typeof params === 'object' && params !== null && !Array.isArray(params)) return params as Arguments
  throw new ContractError([{ field: 'params', message: 'must be an object: arguments go by their names' }])
}
