import type { TestDatabase } from './test-database.ts'

export interface BusyQueue {
  /** The agent that lives, and the one whose lease is over. */
  readonly agentId: string
  readonly deadAgentId: string
}

interface Claim {
  readonly job_id: string
  readonly token: number
}

/**
 * Brings a database with a movable clock to a state with something of everything, by the verbs alone:
 *
 *     alice-1     runs, with user:alice and model:flux-dev       alice-2   waits for it
 *     video-1     runs, with model:motion-2.0-fast               knight    has reserved model:aura-sr, waits for motion
 *     image-2     waits for model:aura-sr, which is kept for knight
 *     stopping    runs, and was asked to stop long ago           lost-1    is held by the agent whose lease is over
 *     dead-1      has failed for good                            retry-1   waits for its second attempt
 *     later       is scheduled        held-back  is paused       overdue   was due long ago
 *     done-1      is completed        nobody     is in a queue that nobody serves
 */
export async function makeBusy({ query, advanceClock }: TestDatabase): Promise<BusyQueue> {
  const register = async (name: string, leaseSeconds: number): Promise<string> => {
    const [row] = await query<{ agent_id: string }>(
      `select agent_id
       from interlock.register_agent(
         p_name => $1, p_queues => '{default}', p_slots => 8, p_host => 'box', p_pid => 4711,
         p_lease_seconds => $2)`,
      [name, leaseSeconds],
    )
    if (row === undefined) throw new Error('no agent was registered')
    return row.agent_id
  }
  const enqueue = (...jobs: object[]) => query('select * from interlock.enqueue_jobs($1)', [JSON.stringify(jobs)])
  const claim = async (agentId: string): Promise<Map<string, number>> => {
    const claimed = new Map<string, number>()
    await query('select * from interlock.absorb_touches()')
    for (let more = true; more; ) {
      const [row] = await query<{ jobs: Claim[]; more: boolean }>('select * from interlock.claim_jobs($1, null, 8)', [
        agentId,
      ])
      for (const job of row?.jobs ?? []) claimed.set(job.job_id, job.token)
      more = row?.more ?? false
    }
    const ids = [...claimed.keys()]
    await query('select * from interlock.start_jobs($1, $2)', [ids, [...claimed.values()]])
    return claimed
  }
  const fail = (jobId: string, token: number | undefined, retry: string) =>
    query('select * from interlock.fail_job($1, $2, $3, $4)', [
      jobId,
      token,
      { message: 'the disk was full', code: 'ENOSPC' },
      retry,
    ])

  await query(`select interlock.set_queue('default', '{"patience_seconds": 0}')`)
  await query(`select interlock.set_queue('nobodys')`)
  await query(`select interlock.set_limit('task:render-video', 2)`)
  await query(`select interlock.set_limit('account:*', null)`)

  const steps = [{ name: 'style', default_model: 'nano-banana' }, { name: 'send' }]
  await query('select * from interlock.apply_workflow($1)', [{ id: 'knight-flow', queue: 'nobodys', steps }])
  await query(`select * from interlock.execute_workflow('knight-flow', '{"id": "flow-1"}')`)

  const deadAgentId = await register('dead', 15)
  await enqueue({ id: 'lost-1', task: 'edit-repo', user: 'lost' })
  await claim(deadAgentId)
  await enqueue({ id: 'overdue', task: 'edit-repo', delay_seconds: 60, ttl_seconds: 0 })
  await advanceClock(600)

  const agentId = await register('box', 3600)
  await enqueue(
    { id: 'done-1', task: 'edit-repo', user: 'dora', models: ['flux-dev'] },
    { id: 'dead-1', task: 'crash', user: 'erin' },
    { id: 'retry-1', task: 'crash', user: 'fay', retry_delays_seconds: [300] },
    { id: 'stopping', task: 'hang', user: 'gil' },
  )
  const first = await claim(agentId)
  await query('select * from interlock.complete_jobs($1, $2)', [['done-1'], [first.get('done-1')]])
  await fail('dead-1', first.get('dead-1'), 'never')
  await fail('retry-1', first.get('retry-1'), 'auto')
  await query(`select * from interlock.cancel_job('stopping', 'not needed any more', 'tests')`)
  await advanceClock(60)

  await enqueue(
    { id: 'alice-1', task: 'render-image', user: 'alice', models: ['flux-dev'], kind: 'image' },
    { id: 'video-1', task: 'render-video', models: ['motion-2.0-fast'], kind: 'video' },
    { id: 'later', task: 'edit-repo', delay_seconds: 3600 },
    { id: 'held-back', task: 'edit-repo', start: false },
    { id: 'nobody', task: 'edit-repo', queue: 'nobodys' },
    { id: 'after-nobody', task: 'publish', queue: 'nobodys', depends_on: ['nobody'] },
  )
  await claim(agentId)
  await enqueue(
    { id: 'alice-2', task: 'render-image', user: 'alice', models: ['flux-dev'], kind: 'image' },
    { id: 'knight', task: 'knight-style', kind: 'workflow', models: ['aura-sr', 'motion-2.0-fast'] },
  )
  await claim(agentId)
  await advanceClock(60)
  await query('select interlock.wake_patient_lanes()')
  await claim(agentId)
  await enqueue({ id: 'image-2', task: 'render-image', user: 'ida', models: ['aura-sr'], kind: 'image' })
  await claim(agentId)
  await query('select * from interlock.append_output($1, $2, $3)', [
    'alice-1',
    (await query<{ token: number }>(`select token from interlock.jobs where id = 'alice-1'`))[0]?.token,
    JSON.stringify([{ stream: 'stdout', lines: 'drawing the knight' }]),
  ])
  await query(
    `select * from interlock.heartbeat_agent(
       $1,
       array(select id from interlock.jobs where agent_id = $1 and held is not null order by id),
       array(select token from interlock.jobs where agent_id = $1 and held is not null order by id),
       '{"cpu_percent": 35, "memory_percent": 20, "queue_depth": 3}')`,
    [agentId],
  )
  await query(
    `select interlock.set_schedule('nightly', '{"cron": "30 2 * * *", "time_zone": "Europe/Berlin", "job": {"task": "edit-repo"}}')`,
  )
  return { agentId, deadAgentId }
}
