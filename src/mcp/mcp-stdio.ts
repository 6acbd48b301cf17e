import { type ServeStdioOptions, serveStdio } from '@modelcontextprotocol/server/stdio'
import { createMcpServerFactory, type McpOptions } from './mcp-server.ts'

/** Serves one client over stdin and stdout until it has left or the signal says so. Nothing else may write to stdout. */
export async function serveOverStdio(
  options: McpOptions,
  { signal, onError }: { readonly signal: AbortSignal; readonly onError: (error: Error) => void },
): Promise<void> {
  const ended = Promise.withResolvers<void>()
  const stdio: ServeStdioOptions = { onerror: onError }
  const handle = serveStdio(createMcpServerFactory(options), stdio)
  const end = () => ended.resolve()
  process.stdin.once('close', end)
  process.stdin.once('end', end)
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  await ended.promise
  await handle.close()
}
