import { Agent, type IncomingMessage, request } from 'node:http'
import fc from 'fast-check'
import { EngineWorld } from '../engine/engine-world.ts'
import { routes } from '../http/contract-check.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { enveloped, type HostileBody, hostileBodies } from './hostile-bodies.ts'
import { rightRequests } from './requests.ts'
import { setScene } from './scene.ts'

/** A body was answered with a 5xx, was taken, or has changed something; or it cost too much. */
export interface Complaint {
  readonly to: string
  readonly what: string
  readonly said: string
}

export interface HostileFigures {
  readonly bodies: number
  readonly complaints: readonly Complaint[]
  /** Of the costliest body, in ordinary requests. */
  readonly mostOrdinary: number
}

interface Target {
  readonly to: string
  readonly method: string
  readonly path: string
  readonly bodies: fc.Arbitrary<HostileBody>
  readonly headers: Readonly<Record<string, string>>
}

interface Heard {
  readonly status: number
  readonly text: string
  readonly ms: number
}

const json = { 'content-type': 'application/json' }
const asMcp = { ...json, accept: 'application/json, text/event-stream' }
const chunk = 100
/** A body may cost as much as this many ordinary requests. */
const ordinaryMax = 20

/** Sends bodies that nothing takes to every operation with a body, to JSON-RPC and to MCP. */
export async function sendHostileBodies(options: {
  readonly seed: number
  readonly count: number
}): Promise<HostileFigures> {
  const world = await EngineWorld.create()
  const targets = await targetsOf(world)
  const door = await openHttpDoor(world.test)
  const socket = new Agent({ keepAlive: true, maxSockets: 1 })
  const complaints: Complaint[] = []
  let bodies = 0
  let mostOrdinary = 0
  try {
    const ordinaryMs = await costOfOrdinary(door, socket)
    let before = await state(world)
    for (let round = 0; bodies < options.count; round += 1) {
      const target = targets[round % targets.length]
      if (target === undefined) throw new TypeError('there is nothing to send to')
      for (const body of fc.sample(target.bodies, { seed: options.seed + round, numRuns: chunk })) {
        const complain = (said: string) => complaints.push({ to: target.to, what: body.what, said })
        const heard = await send(door, socket, target, body)
        bodies += 1
        const wrong = whatIsWrong(target, heard)
        if (wrong !== null) complain(wrong)
        const ordinary = await costIn(ordinaryMs, heard, () => send(door, socket, target, body))
        if (ordinary > ordinaryMax) complain(`costs ${ordinary.toFixed(0)} ordinary requests`)
        mostOrdinary = Math.max(mostOrdinary, ordinary)
      }
      const after = await state(world)
      if (after !== before)
        complaints.push({ to: target.to, what: `a chunk of ${chunk}`, said: 'has changed something' })
      before = after
    }
  } finally {
    socket.destroy()
    await door.server.stop()
  }
  return { bodies, complaints, mostOrdinary }
}

/** What is no field of its own is the input of the run, as its old clients send it. */
const takesAnything: ReadonlySet<string> = new Set(['POST /workflows/:id/execute'])

async function targetsOf(world: EngineWorld): Promise<readonly Target[]> {
  const right = rightRequests(await setScene(world))
  const plain = Object.entries(right).flatMap(([to, { path, body }]): Target[] => {
    const [method = ''] = to.split(' ')
    return body === undefined || takesAnything.has(to)
      ? []
      : [{ to, method, path, bodies: hostileBodies, headers: json }]
  })
  const names = routes.filter(({ answer, path }) => answer !== undefined && path !== '/rpc').map(({ name }) => name)
  const rpc = enveloped(names, (method, params) => ({ jsonrpc: '2.0', id: 1, method, params }))
  const tools = enveloped(names, (name, given) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: given },
  }))
  // As many to each of the two doors as to all the operations of HTTP together.
  return plain.flatMap((target) => [
    target,
    { to: 'POST /rpc', method: 'POST', path: '/rpc', bodies: rpc, headers: json },
    { to: 'POST /mcp', method: 'POST', path: '/mcp', bodies: tools, headers: asMcp },
  ])
}

async function costOfOrdinary(door: HttpDoor, socket: Agent): Promise<number> {
  const target: Target = { to: '', method: 'POST', path: '/jobs', bodies: hostileBodies, headers: json }
  const body = { what: '', bytes: Buffer.from('{"task":"work","user":"ordinary"}') }
  const times: number[] = []
  for (let turn = 0; turn < 30; turn += 1) times.push((await send(door, socket, target, body)).ms)
  return times.sort((one, other) => one - other)[15] ?? 1
}

/** In ordinary requests; what seems dear is sent again, as other work of the machine is not the body's. */
async function costIn(ordinaryMs: number, first: Heard, again: () => Promise<Heard>): Promise<number> {
  let leastMs = first.ms
  for (let turn = 0; turn < 5 && leastMs > ordinaryMax * ordinaryMs; turn += 1) {
    leastMs = Math.min(leastMs, (await again()).ms)
  }
  return leastMs / ordinaryMs
}

function whatIsWrong({ path }: Target, { status, text }: Heard): string | null {
  if (status >= 500) return `${status} ${text.slice(0, 300)}`
  if (path !== '/rpc' && path !== '/mcp') return status < 400 ? `${status} ${text.slice(0, 300)}` : null
  // Both doors say no inside: with an error, or with a result that is one.
  const isRefused = status >= 400 || /"error":|"isError":true/.test(text)
  if (/"code":-32603|"code":"internal"/.test(text)) return text.slice(0, 300)
  return isRefused ? null : `${status} ${text.slice(0, 300)}`
}

function send(door: HttpDoor, agent: Agent, target: Target, { bytes }: HostileBody): Promise<Heard> {
  const startedMs = performance.now()
  return new Promise((resolve, reject) => {
    const headers = { ...target.headers, 'content-length': String(bytes.byteLength) }
    const asked = request(`${door.url}${target.path}`, { method: target.method, headers, agent }, (response) => {
      read(response).then((text) => {
        resolve({ status: response.statusCode ?? 0, text, ms: performance.now() - startedMs })
      }, reject)
    })
    asked.once('error', (error: NodeJS.ErrnoException) => {
      // A body beyond the limit is answered before it has been sent: the connection may be closed on the rest.
      if (bytes.byteLength > 1_000_000) resolve({ status: 413, text: error.message, ms: 0 })
      else reject(error)
    })
    asked.end(bytes)
  })
}

async function read(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of response) text += String(part)
  return text
}

/** What nothing that is refused may have changed. */
async function state(world: EngineWorld): Promise<string> {
  const [row] = await world.query<{ digest: string }>(
    `select md5(concat(
       (select string_agg(j::text, '' order by j.id) from interlock.jobs as j),
       (select string_agg(q::text, '' order by q.name) from interlock.queues as q),
       (select string_agg(l::text, '' order by l.pattern) from interlock.resource_limits as l),
       (select count(*) from interlock.job_queue_log), (select count(*) from interlock.task_history))) as digest`,
  )
  return row?.digest ?? ''
}
