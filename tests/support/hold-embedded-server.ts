// A process of its own that starts (or finds) the embedded server of a folder, says so in a line of JSON, and stops it
// as a program would when its input ends.

import { startEmbeddedServer } from '../../src/store/embedded-server.ts'

const server = await startEmbeddedServer({ dataDir: process.argv[2] ?? '' })
const { port, startedHere, stopsHere } = server
process.stdout.write(`${JSON.stringify({ port, startedHere, stopsHere })}\n`)
process.stdin.resume()
process.stdin.on('end', () => void server.stop())
