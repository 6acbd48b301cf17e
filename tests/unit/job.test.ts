import { expect, test } from 'vitest'
import { isActive, isFinished, isJobStatus, isWaiting, jobStatuses } from '../../src/domain/job.ts'

test('a job waits, is active, or has ended, and never two of these', () => {
  for (const status of jobStatuses) {
    expect([isWaiting(status), isActive(status), isFinished(status)].filter(Boolean)).toHaveLength(1)
  }
  expect(jobStatuses.filter(isActive)).toEqual(['assigned', 'running'])
  expect(jobStatuses.filter(isFinished)).toEqual(['failed', 'completed', 'cancelled', 'expired', 'deleted'])
})

test('what is no status is told apart', () => {
  expect(isJobStatus('running')).toBe(true)
  expect(isJobStatus('stopped')).toBe(false)
})
