import { expect, test } from 'vitest'
import { ContractError } from '../../src/domain/contract.ts'
import { checkJobBatch, checkJobRequest, maxPayloadBytes } from '../../src/domain/job-request.ts'

function violationsOf(check: () => unknown): ContractError['violations'] {
  try {
    check()
  } catch (error) {
    if (error instanceof ContractError) return error.violations
    throw error
  }
  return []
}

test('a request keeps what it was given, and only that', () => {
  expect(checkJobRequest({ task: 't' })).toEqual({ task: 't' })
  expect(checkJobRequest({ task: 't', priority: 0, start: false, payload: {} })).toEqual({
    task: 't',
    priority: 0,
    start: false,
    payload: {},
  })
})

test('model is one more of the models', () => {
  expect(checkJobRequest({ task: 't', model: 'a' })).toEqual({ task: 't', models: ['a'] })
  expect(checkJobRequest({ task: 't', model: 'a', models: ['b', 'a'] })).toEqual({ task: 't', models: ['a', 'b'] })
})

test('a body with job_type and without task is the model coordinator’s: the rest of it is the payload', () => {
  expect(checkJobRequest({ job_type: 'video', prompt: 'x', model: 'm', user: 'u' })).toEqual({
    task: 'video',
    kind: 'video',
    models: ['m'],
    user: 'u',
    payload: { prompt: 'x' },
  })
  expect(checkJobRequest({ job_type: 'video', kind: 'clip', payload: { a: 1 }, b: 2 })).toEqual({
    task: 'video',
    kind: 'clip',
    payload: { a: 1, b: 2 },
  })
  expect(checkJobRequest({ job_type: 'video' })).toEqual({ task: 'video', kind: 'video' })
})

test('a body with both is ours, and job_type is no field of it', () => {
  expect(violationsOf(() => checkJobRequest({ task: 't', job_type: 'video' }))).toMatchObject([{ field: 'job_type' }])
})

test('a payload may have 256 KiB as JSON and not a byte more', () => {
  const withBytes = (bytes: number) => ({ task: 't', payload: { a: 'x'.repeat(bytes - '{"a":""}'.length) } })
  expect(violationsOf(() => checkJobRequest(withBytes(maxPayloadBytes)))).toEqual([])
  expect(violationsOf(() => checkJobRequest(withBytes(maxPayloadBytes + 1)))).toMatchObject([{ field: 'payload' }])
})

test('a batch names each wrong field with its place, but not a thousand times', () => {
  expect(violationsOf(() => checkJobBatch({ jobs: [{ task: 't' }, { tsak: 't' }, { job_type: 'a b' }] }))).toEqual([
    { field: 'jobs[1].task', message: 'is required' },
    { field: 'jobs[1].tsak', message: 'is not a known field', hint: 'Did you mean task?' },
    { field: 'jobs[2].job_type', message: expect.stringContaining('letters') },
  ])
  expect(violationsOf(() => checkJobBatch({ jobs: Array(1000).fill({}) }))).toHaveLength(20)
})

test('the error names the first field, and all of them in its message', () => {
  try {
    checkJobRequest({ timeout_seconds: 0 })
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({
      code: 'invalid_argument',
      field: 'task',
      message: 'task is required; timeout_seconds must be at least 1',
    })
  }
})
