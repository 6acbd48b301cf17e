import { describe, expect, it } from 'vitest'
import { inheritedByJobs } from '../../src/domain/job-environment.ts'
import { parseControlLine } from '../../src/domain/job-protocol.ts'
import { findTask } from '../../src/domain/task-table.ts'

describe('parseControlLine', () => {
  it.each([
    ['::interlock progress 45 Resizing images', { kind: 'progress', percent: 45, description: 'Resizing images' }],
    ['::interlock progress 45', { kind: 'progress', percent: 45, description: null }],
    ['::interlock progress 12.5%\r', { kind: 'progress', percent: 12.5, description: null }],
    ['::interlock progress 900', { kind: 'progress', percent: 100, description: null }],
    ['::interlock progress -3 x', { kind: 'progress', percent: 0, description: 'x' }],
    ['::interlock progress', { kind: 'unknown' }],
    ['::interlock progress half', { kind: 'unknown' }],
    ['::interlock result {"a": [1]}', { kind: 'result', json: '{"a": [1]}' }],
    ['::interlock result', { kind: 'result', json: '' }],
    ['::interlock error {"message":"x"}', { kind: 'error', json: '{"message":"x"}' }],
    ['::interlock dance', { kind: 'unknown' }],
  ])('reads %j', (line, control) => {
    expect(parseControlLine(line)).toEqual(control)
  })

  it('cuts a description at 1,024 characters', () => {
    expect(parseControlLine(`::interlock progress 1 ${'d'.repeat(5000)}`)).toMatchObject({
      description: 'd'.repeat(1024),
    })
  })
})

describe('inheritedByJobs', () => {
  it('withholds what would let a job write past its fence', () => {
    const inherited = inheritedByJobs({
      PATH: '/bin',
      HOME: '/root',
      API_KEY: 'theirs',
      DATABASE_URL: 'postgres://',
      DATABASE_URL_FILE: '/secret',
      PGPASSWORD: 'secret',
      INTERLOCK_HTTP_PORT: '1',
      NODE_OPTIONS: '--inspect',
      UNSET: undefined,
    })
    expect(inherited).toEqual({ PATH: '/bin', HOME: '/root', API_KEY: 'theirs' })
  })
})

describe('findTask', () => {
  it('knows what the table names, and nothing that every object has', () => {
    const tasks = { resize: { command: ['resize'] } }
    expect(findTask(tasks, 'resize')).toEqual({ command: ['resize'] })
    expect(findTask(tasks, 'constructor')).toBeNull()
    expect(findTask(tasks, '__proto__')).toBeNull()
  })
})
