import type { OperationCall } from './every-operation.ts'

/** The doors that call the others, and the document of all. */
export function doorCalls(): readonly OperationCall[] {
  const hello = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  return [
    { method: 'POST', path: '/rpc', body: { jsonrpc: '2.0', id: 1, method: 'get_queue_status' } },
    {
      method: 'POST',
      path: '/mcp',
      body: { jsonrpc: '2.0', id: 1, method: 'initialize', params: hello },
      headers: { accept: 'application/json, text/event-stream' },
    },
    { method: 'GET', path: '/openapi.json' },
    { method: 'GET', path: '/docs' },
    { method: 'GET', path: '/docs/swagger-ui.css' },
  ]
}
