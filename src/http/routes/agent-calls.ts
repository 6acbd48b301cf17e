import { z } from 'zod'
import { claim, heartbeat, maxClaimWaitSeconds, registration } from '../../domain/agent-request.ts'
import type { Assignment } from '../../domain/assignment.ts'
import { assignmentToJson } from '../../domain/assignment-json.ts'
import { checkContract } from '../../domain/contract.ts'
import { type AgentId, asAgentId, asFencingToken, asJobId } from '../../domain/ids.ts'
import { keyOfEnvelope, unseal } from '../../security/payload-envelope.ts'
import { endAgent, heartbeatAgent, registerAgent } from '../../store/agents.ts'
import { createAttemptStore, type HeldJob } from '../../store/attempts.ts'
import { retryTransient } from '../../store/retry.ts'
import { waitForWork } from '../../store/work-wait.ts'
import { answerSeconds, withDeadline } from '../deadline.ts'
import { seconds } from '../query.ts'
import { type Answer, type Call, idempotencyKey, pathParameter, type Route, replayed } from '../route.ts'
import type { Services } from '../services.ts'
import { claimed, ended, heartbeatAnswer, registered } from './agent-call-contracts.ts'

const claimQuery = z.strictObject({ wait_seconds: seconds({ max: maxClaimWaitSeconds }).default(30) })
const goodBye = z.strictObject({ reason: z.string().min(1).max(4096).default('stopped') })

/**
 * The life of an agent in any language. Only its lease tells that it lives. What it was given and does not list in its
 * heartbeats goes back, and what it has not confirmed to have started within 10 s, too; so an answer that is lost on its
 * way loses no job: the next claim tells of it again, and if none comes somebody else is given it.
 */
export function agentCallRoutes({ database, agentFeed, encryption }: Services): readonly Route[] {
  const attempts = createAttemptStore(database)
  return [
    {
      method: 'POST',
      path: '/agents',
      scope: 'work',
      name: 'register_agent',
      summary: 'Registers a process that runs jobs; a former one of the same name is over, and its jobs go back.',
      body: registration,
      takesIdempotencyKey: true,
      answers: { 201: registered },
      answer: register,
    },
    {
      method: 'POST',
      path: '/agents/:id/heartbeat',
      scope: 'work',
      name: 'heartbeat_agent',
      summary:
        'Keeps an agent alive: it lists all jobs that it holds, is told which to stop, and loses those that it does not list.',
      body: heartbeat,
      isBodyOptional: true,
      answers: { 200: heartbeatAnswer },
      answer: beat,
      isQuiet: true,
    },
    {
      method: 'POST',
      path: '/agents/:id/claim',
      scope: 'work',
      name: 'claim_jobs',
      summary:
        'Waits for jobs for an agent and gives it up to limit of them; each has to be reported as started within 10 s, or goes back.',
      query: claimQuery,
      body: claim,
      isBodyOptional: true,
      answers: { 200: claimed },
      answer: claimWork,
      isLong: true,
      isQuiet: true,
    },
    {
      method: 'POST',
      path: '/agents/:id/end',
      scope: 'work',
      name: 'end_agent',
      summary: 'Says that an agent is gone and nothing of it runs any more: its jobs go back at once.',
      effect: 'destroy',
      body: goodBye,
      isBodyOptional: true,
      answers: { 200: ended },
      answer: end,
    },
    {
      method: 'DELETE',
      path: '/agents/:id',
      scope: 'work',
      name: 'remove_agent',
      summary: 'The same as end_agent: the agent is gone, nothing of it runs any more, and its jobs go back at once.',
      body: goodBye,
      isBodyOptional: true,
      answers: { 200: ended },
      answer: end,
    },
  ]

  /** Asked again without a key, it is a new incarnation: the jobs of the former one go back. */
  async function register({ request }: Call): Promise<Answer> {
    const asked = checkContract(registration, request.body ?? {})
    const { agentId, incarnation, leaseUntil, isRepeated } = await registerAgent(database, {
      name: asked.name,
      queues: asked.queues,
      permissionLevels: asked.permission_levels,
      slots: asked.slots,
      tasks: asked.tasks ?? null,
      host: asked.host ?? null,
      pid: asked.pid ?? null,
      leaseSeconds: asked.lease_seconds,
      liveness: 'lease',
      polls: true,
      key: idempotencyKey(request),
    })
    return {
      status: 201,
      headers: { Location: `/agents/${encodeURIComponent(agentId)}`, ...replayed(isRepeated) },
      body: {
        agent_id: agentId,
        incarnation,
        lease_until: leaseUntil,
        lease_seconds: asked.lease_seconds,
        heartbeat_seconds: asked.lease_seconds / 3,
      },
    }
  }

  async function beat({ request }: Call): Promise<Answer> {
    const { held, ...load } = checkContract(heartbeat, request.body ?? {})
    const answer = await heartbeatAgent(database, agentOf(request), held.map(heldJob), {
      cpuPercent: load.cpu_percent ?? null,
      memoryPercent: load.memory_percent ?? null,
      queueDepth: load.queue_depth ?? null,
    })
    return {
      status: 200,
      body: {
        lease_until: answer.leaseUntil,
        lease_seconds: answer.leaseSeconds,
        state: answer.state,
        stop: answer.stop.map(({ jobId, token, reason, detail }) => ({ job_id: jobId, token, reason, detail })),
        give_back: answer.giveBack.map(({ jobId, token }) => ({ job_id: jobId, token })),
        unknown_count: answer.unknownCount,
      },
    }
  }

  /** Answers as soon as there is work, and with none when the wait is over. */
  async function claimWork({ request, signal, hasLeft }: Call): Promise<Answer> {
    const { wait_seconds: waitSeconds } = checkContract(claimQuery, { ...request.query })
    const { limit, held } = checkContract(claim, request.body ?? {})
    const wait = { agentId: agentOf(request), limit, held: held.map(heldJob), waitSeconds, signal }
    const found = await withDeadline(waitForWork(database, agentFeed, wait), waitSeconds + answerSeconds)
    // Nobody reads the answer any more: what it would have said is somebody else's at once, not after its time to confirm.
    if (hasLeft() && found.assignments.length > 0) {
      await attempts.returnJobs(found.assignments, 'whoever claimed it had left').catch(() => undefined)
    }
    return { status: 200, body: { state: found.state, jobs: found.assignments.map(readable) } }
  }

  /** Its holder reads what was encrypted, where this process can; else it gets the envelope, and may have the keys itself. */
  function readable(assignment: Assignment) {
    const { jobId, payload } = assignment
    const isReadable = encryption.ring?.find(keyOfEnvelope(payload) ?? '') != null
    return assignmentToJson(
      isReadable ? { ...assignment, payload: unseal(encryption.ring, jobId, payload) } : assignment,
    )
  }

  async function end({ request }: Call): Promise<Answer> {
    const { reason } = checkContract(goodBye, request.body ?? {})
    const agentId = agentOf(request)
    const returned = await retryTransient(() => endAgent(database, agentId, reason))
    return { status: 200, body: { agent_id: agentId, jobs_returned: returned } }
  }
}

function agentOf(request: Call['request']): AgentId {
  return asAgentId(pathParameter(request, 'id'))
}

function heldJob({ job_id: jobId, token }: { readonly job_id: string; readonly token: number }): HeldJob {
  return { jobId: asJobId(jobId), token: asFencingToken(token) }
}
