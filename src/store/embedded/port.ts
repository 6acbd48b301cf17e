import { once } from 'node:events'
import { createServer } from 'node:net'

/** The wished port if it is free on loopback, else one that is. It may be taken before it is used. */
export async function choosePort(wished: number | null): Promise<number> {
  if (wished !== null && (await probe(wished)) !== null) return wished
  const port = await probe(0)
  if (port === null) throw new Error('no free port on 127.0.0.1')
  return port
}

async function probe(port: number): Promise<number | null> {
  const server = createServer()
  try {
    server.listen({ port, host: '127.0.0.1' })
    await once(server, 'listening')
    const address = server.address()
    return typeof address === 'object' ? (address?.port ?? null) : null
  } catch {
    return null
  } finally {
    server.close()
  }
}
