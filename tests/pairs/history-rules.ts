// The two verbs that change tables instead of rows: they wait a second for the table at most, and may say so.

import { type Rule, theRow, type VerbCall } from '../commands/rule.ts'

const doneOrUnavailable: Rule = (situation) => {
  if (situation.answer.state !== '55P03' || situation.isAlone) theRow(situation)
}

export function pruneHistory(): VerbCall {
  return {
    verb: 'prune_history',
    parameters: '7, 365',
    values: [],
    shown: '7, 365',
    rule: doneOrUnavailable,
    locksLog: true,
  }
}

export function ensurePartitions(): VerbCall {
  return {
    verb: 'ensure_partitions',
    parameters: `'job_queue_log', 0`,
    values: [],
    shown: 'job_queue_log, 0',
    rule: doneOrUnavailable,
    locksLog: true,
  }
}
