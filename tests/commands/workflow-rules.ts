// A run of the workflow `w`, which holds all that it needs from its beginning to its end: one job of the execution's name.

import { type NewJob, newJob } from './job-rules.ts'
import { expectRefusal, expectRows, type VerbCall } from './rule.ts'

// What becomes of the definition and of the policy of its queue.
const run: NewJob = {
  task: 'work',
  queue: 'default',
  resources: ['model:flux'],
  priority: 2,
  level: 'autonomous',
  maxAttempts: 3,
  ttlSeconds: 7200,
}

export function executeWorkflow(id: string, user: string): VerbCall {
  return {
    verb: 'execute_workflow',
    parameters: `'w', $1::jsonb`,
    values: [JSON.stringify({ id, user, queue: run.queue })],
    shown: `w, ${id}, ${user}`,
    rule: (situation) => {
      const { model, at } = situation
      if (model.jobs.has(id) || model.ended.has(id)) {
        expectRefusal(situation, 'IL006')
        return
      }
      expectRows(situation, [{ execution_id: id, job_ids: [id], status: 'pending', repeated: false }])
      model.jobs.set(id, { ...newJob({ ...run, user }, at), id, retryDelays: null })
    },
  }
}
