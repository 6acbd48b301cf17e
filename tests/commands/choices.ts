// What each command chooses, from what the model knows by then.

import {
  drainAgent,
  endAgent,
  heartbeatAgent,
  queueNames,
  registerAgent,
  resumeAgent,
  suspendAgent,
  sweepAgent,
} from './agent-rules.ts'
import {
  agentIds,
  type Choice,
  claimOf,
  newJob,
  newJobs,
  ofAgent,
  ofClaim,
  ofClaims,
  ofJob,
  pick,
  someClaims,
  wrongs,
} from './candidates.ts'
import {
  appendOutput,
  completeJobs,
  confirmCancel,
  failJob,
  reportProgress,
  returnJobs,
  startJobs,
} from './holder-rules.ts'
import {
  cancelJob,
  deleteJob,
  enqueueJobs,
  expireJobs,
  promoteDueJobs,
  requeueJob,
  setPriority,
  startPausedJob,
} from './job-rules.ts'
import {
  absorbTouches,
  claimJobs,
  claimLane,
  collectIdle,
  setQueue,
  stopReserving,
  wakePatientLanes,
} from './lane-rules.ts'
import { limitChoices } from './limit-choices.ts'
import { lockChoices } from './lock-choices.ts'
import { extendLock, releaseLock } from './lock-holder-rules.ts'
import type { Claim } from './model.ts'
import type { VerbCall } from './rule.ts'

const staleCalls: readonly ((claim: Claim) => VerbCall)[] = [
  (claim) => completeJobs([claim]),
  (claim) => returnJobs([claim]),
  (claim) => startJobs([claim]),
  (claim) => failJob(claim, 'now'),
  (claim) => confirmCancel(claim),
  (claim) => reportProgress(claim, 50),
  (claim) => appendOutput(claim, 'late'),
  ({ job, token }) => extendLock(job, token, null),
  ({ job, token }) => releaseLock(job, token),
]

export const verbs: Readonly<Record<string, Choice>> = {
  ...limitChoices,
  ...lockChoices,
  enqueue: { weight: 28, choose: (run, draw) => enqueueJobs(newJobs(run, draw)) },
  enqueueWrong: {
    weight: 2,
    choose: (run, draw) => {
      const jobs = newJobs(run, draw)
      const wrong = pick(wrongs, draw.picks[0])
      return enqueueJobs(jobs.map((job, n) => (n === jobs.length - 1 && wrong !== undefined ? { ...job, wrong } : job)))
    },
  },
  enqueueAgain: {
    weight: 2,
    staysShort: true,
    choose: (run, draw) => {
      const id = pick([...run.model.jobs.keys(), ...run.model.ended.keys()], draw.picks[0])
      return id === undefined ? null : enqueueJobs([newJob(run, id, draw.picks[1] ?? 0)])
    },
  },
  absorb: { weight: 22, choose: (_run, { picks: [n = 0] }) => absorbTouches(n % 3 === 0 ? 1000 : 1 + (n % 4)) },
  claim: {
    weight: 38,
    choose: (run, { picks: [n, limit = 0, dice = 0, route = 0] }) => {
      const agent = pick(
        [...run.model.agents.values()].filter(({ state }) => state !== 'gone' || dice % 19 === 0),
        n,
      )
      if (agent === undefined) return null
      const routes = dice % 4 === 0 ? agent.routes.filter((_, i) => ((route >> i) & 1) === 0) : null
      return claimJobs(agent.id, dice % 31 === 0 ? 0 : 1 + (limit % 10), routes)
    },
  },
  claimLane: {
    weight: 5,
    choose: (run, { picks: [n, lane] }) => {
      const agent = pick(agentIds(run), n)
      const { lanes } = run.scene.seen
      const awake = lanes.filter(({ rank, blockedOn }) => rank !== null && blockedOn === null)
      const chosen = pick(awake.length > 0 ? awake : lanes, lane)
      return agent === undefined || chosen === undefined ? null : claimLane(agent, chosen.id)
    },
  },
  startJobs: { weight: 10, choose: ofClaims(startJobs) },
  progress: { weight: 2, choose: ofClaim((claim, { picks }) => reportProgress(claim, ((picks[1] ?? 0) % 140) - 20)) },
  output: { weight: 1, choose: ofClaim((claim) => appendOutput(claim, 'so far, so good')) },
  complete: { weight: 12, choose: ofClaims(completeJobs) },
  fail: {
    weight: 7,
    choose: ofClaim((claim, { picks }) =>
      failJob(claim, pick(['auto', 'now', 'now', 'never', 'auto', 'perhaps'], picks[1]) ?? 'auto'),
    ),
  },
  returnJobs: { weight: 6, choose: ofClaims(returnJobs) },
  cancel: { weight: 7, choose: ofJob(cancelJob, 'pending', 'scheduled', 'paused', 'assigned', 'running') },
  confirmCancel: {
    weight: 3,
    choose: (run, { picks: [n] }) => {
      const job = pick(
        [...run.model.held().filter(({ askedToStopAt }) => askedToStopAt !== null), ...run.model.held()],
        n,
      )
      return job === undefined ? null : confirmCancel(claimOf(job))
    },
  },
  deleteJob: { weight: 3, choose: ofJob(deleteJob, 'pending', 'scheduled', 'failed', 'paused') },
  requeue: { weight: 4, choose: ofJob(requeueJob, 'failed', 'scheduled') },
  startPaused: { weight: 2, choose: ofJob(startPausedJob, 'paused') },
  setPriority: {
    weight: 4,
    choose: ofJob(
      (id, { picks }) => setPriority(id, ((picks[2] ?? 0) % 8) / 2),
      ...['pending', 'scheduled', 'assigned', 'failed'],
    ),
  },
  pauseQueue: {
    weight: 2,
    choose: (run, { picks: [n] }) => {
      const queue =
        pick([...run.model.pausedQueues, ...run.model.pausedQueues, ...queueNames, ...queueNames, 'locks'], n) ?? ''
      return setQueue(queue, { is_paused: !run.model.pausedQueues.has(queue) })
    },
  },
  policy: {
    weight: 2,
    choose: (_run, { picks: [n = 0, value] }) => {
      if (n % 9 === 0) return setQueue('default', { patience_seconds: '-1' }, 'IL005')
      return setQueue(
        pick(queueNames, n) ?? '',
        n % 2 === 0
          ? { patience_seconds: pick(['0', '5', '50', 'Infinity'], value) }
          : { scheduling: pick(['fair', 'fifo'], value) },
      )
    },
  },
  heartbeat: {
    weight: 4,
    choose: (run, draw) => {
      const id = pick([...agentIds(run), 'nobody.0'], draw.picks[3])
      const own = run.model.heldBy(id ?? '').map(claimOf)
      return id === undefined ? null : heartbeatAgent(id, (draw.picks[4] ?? 0) % 4 === 0 ? someClaims(run, draw) : own)
    },
  },
  register: {
    weight: 3,
    choose: (_run, { picks: [n, dice = 0] }) => {
      return registerAgent({
        name: dice % 37 === 0 ? 'locks' : (pick(['third', 'third', 'third', 'fourth', 'worker', 'other'], n) ?? ''),
        queues: dice % 13 === 0 ? ['nowhere'] : dice % 29 === 0 ? ['locks'] : dice % 5 === 0 ? ['default'] : queueNames,
        levels: dice % 3 === 0 ? ['autonomous'] : ['autonomous', 'supervised'],
        slots: dice % 17 === 0 ? 0 : dice % 4 === 0 ? 2 : 1000,
        leaseSeconds: dice % 3 === 1 ? 30 : 3600,
      })
    },
  },
  drainAgent: { weight: 1, choose: ofAgent(drainAgent) },
  suspendAgent: { weight: 1, choose: ofAgent(suspendAgent) },
  resumeAgent: { weight: 2, choose: ofAgent(resumeAgent) },
  endAgent: { weight: 2, choose: ofAgent(endAgent) },
  sweepAgent: {
    weight: 3,
    choose: (run, { picks: [n] }) => {
      const id = pick([...run.model.agents.keys()], n)
      return id === undefined ? null : sweepAgent(id)
    },
  },
  promote: { weight: 4, choose: (_run, { picks: [n = 0] }) => promoteDueJobs(1 + (n % 5)) },
  expire: { weight: 2, choose: () => expireJobs() },
  wakePatient: { weight: 4, choose: (_run, { picks: [n = 0] }) => wakePatientLanes('', n % 3 === 0 ? 1 : 200) },
  stopReserving: {
    weight: 2,
    choose: (run, { picks: [n] }) => {
      const { lanes } = run.scene.seen
      const lane = pick([...lanes.filter(({ reserving }) => reserving), ...lanes.slice(0, 1)], n)
      return lane === undefined ? null : stopReserving(lane.id)
    },
  },
  collectIdle: { weight: 2, choose: () => collectIdle() },
  stale: {
    weight: 8,
    choose: (run, { picks: [n, verb, dice = 0] }) => {
      const lapsed = run.model.lapsed()
      // The old holder of a job that somebody else holds by now.
      const beside = lapsed.filter(({ job }) => (run.model.jobs.get(job)?.held ?? null) !== null)
      // That is rare; a token that nobody was given is as old as one of a former holder.
      const invented = run.model.held().map(({ id, token }) => ({ job: id, token: (token ?? 1) - 1 }))
      const candidates = dice % 4 === 0 ? lapsed : beside.length > 0 ? beside : invented
      const claim = dice % 8 === 0 ? { job: 'nobody', token: 1 } : pick(candidates, n)
      return claim === undefined ? null : (pick(staleCalls, verb)?.(claim) ?? null)
    },
  },
}
