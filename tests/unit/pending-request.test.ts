import { describe, expect, it } from 'vitest'
import { readPendingRequests } from '../../src/domain/pending-request.ts'

const read = (json: unknown, permissionLevel: 'autonomous' | 'human_required' = 'human_required') =>
  readPendingRequests(json, { permissionLevel })
const record = { id: '1', type: 'config_change', status: 'approved', user: 'alice' }

describe('a file of requests', () => {
  it.each([
    ['an array', [record], '[0]'],
    ['an object with the array under a usual key', { version: 1, pending_requests: [record] }, 'pending_requests[0]'],
    ['a map from id to request', { 'req-1': record }, 'req-1'],
    ['a map under a usual key', { requests: { 'req-1': record } }, 'requests.req-1'],
    ['a map beside a version', { version: 2, 'req-1': record }, 'req-1'],
  ])('is read as %s', (_what, json, place) => {
    const { requests, bad } = read(json)
    expect(bad).toEqual([])
    expect(requests).toMatchObject([
      { place, state: 'approved', type: 'config_change', job: { id: 'pending-1', user: 'alice' } },
    ])
  })

  it('that is empty has no requests', () => {
    expect(read({})).toEqual({ requests: [], bad: [] })
    expect(read([])).toEqual({ requests: [], bad: [] })
  })

  it.each([[3], ['text'], [null], [{ version: 1 }]])('is refused where it is %j', (json) => {
    expect(() => read(json)).toThrow(TypeError)
  })

  it('has bad records named by their place, and the others read', () => {
    const { requests, bad } = read({
      requests: ['text', { id: 'a' }, { type: '???' }, record, { ...record }, { type: 'x', status: 'frobnicated' }],
    })
    expect(requests).toHaveLength(1)
    expect(bad).toEqual([
      { place: 'requests[0]', problem: 'is no object' },
      { place: 'requests[1]', problem: 'names no type' },
      { place: 'requests[2]', problem: 'has a type that is no name of a task: ???' },
      { place: 'requests[4]', problem: 'has the id of requests[3]' },
      { place: 'requests[5]', problem: 'has a status that is not known: frobnicated' },
    ])
  })
})

describe('a request', () => {
  const stateOf = (fields: Record<string, unknown>) => read([{ type: 't', ...fields }]).requests[0]?.state

  it.each([
    [{ status: 'approved' }, 'approved'],
    [{ status: 'Pending Review' }, 'review'],
    [{ status: 'pending' }, 'review'],
    [{ status: 'pending', approved: true }, 'approved'],
    [{ status: 'pending', approved_at: '2026-01-01' }, 'approved'],
    [{ status: 'pending', approval_status: 'rejected' }, 'done'],
    [{ status: 'COMPLETED' }, 'done'],
    [{ status: 'rejected' }, 'done'],
    [{ completed_at: '2026-01-01' }, 'done'],
    [{}, 'review'],
  ])('of %j is %s', (fields, state) => {
    expect(stateOf(fields)).toBe(state)
  })

  const jobOf = (fields: Record<string, unknown>, level?: 'autonomous') =>
    read([{ type: 't', ...fields }], level).requests[0]?.job

  it.each([
    [{ status: 'approved', title: 'URGENT: mail is down' }, 'critical'],
    [{ status: 'pending', description: 'please, asap' }, 'critical'],
    [{ status: 'approved' }, 'high'],
    [{ status: 'pending' }, 'normal'],
    [{ status: 'pending', title: 'an uncritical wish' }, 'normal'],
    [{ status: 'approved', priority: 'low' }, 'low'],
  ])('of %j has the priority %s', (fields, priority) => {
    expect(jobOf(fields)?.priority).toBe(priority)
  })

  it('arrives paused or approved, and never expires while it waits', () => {
    expect(jobOf({ status: 'approved', approved_by: 'ann' })).toMatchObject({
      permission_level: 'human_required',
      approved_by: 'ann',
      ttl_seconds: 0,
    })
    expect(jobOf({ status: 'pending' })).not.toHaveProperty('approved_by')
    expect(jobOf({ status: 'pending' }, 'autonomous')).toMatchObject({ start: false })
    expect(jobOf({ status: 'approved' }, 'autonomous')).not.toHaveProperty('start')
  })

  it('without an id has the same one wherever it stands, and whatever becomes of it meanwhile', () => {
    const [first, second] = [jobOf({ title: 'a', status: 'pending' }), jobOf({ status: 'approved', title: 'a' })]
    expect(first?.id).toMatch(/^pending-[0-9a-f]{32}$/)
    expect(second?.id).toBe(first?.id)
    expect(jobOf({ title: 'b' })?.id).not.toBe(first?.id)
  })
})
