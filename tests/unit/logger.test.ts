import { expect, test } from 'vitest'
import { say } from '../../src/observability/log-phrases.ts'
import { createLogger, type LoggerOptions } from '../../src/observability/logger.ts'

function logged(options: LoggerOptions, log: (logger: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = []
  log(createLogger({ ...options, destination: { write: (line: string) => void lines.push(line) } }))
  return lines
}

test('secrets and payloads reach no log, at the top or inside', () => {
  const [line] = logged({}, (logger) =>
    logger.info(
      {
        payload: { card: 'planted-1' },
        job: { payload: { card: 'planted-2' }, task: 't' },
        request: { headers: { authorization: 'planted-3', cookie: 'planted-4' } },
        config: { password: 'planted-5' },
      },
      'something happened',
    ),
  )
  expect(line).not.toMatch(/planted/)
  expect(JSON.parse(line ?? '')).toMatchObject({
    level: 'info',
    msg: 'something happened',
    job: { task: 't', payload: '[redacted]' },
  })
})

test('an event is a line with its name, its fields and its sentence', () => {
  const [line] = logged({}, (logger) => say(logger, 'http.listening', { url: 'http://here' }))
  expect(JSON.parse(line ?? '')).toMatchObject({
    event: 'http.listening',
    url: 'http://here',
    msg: 'listening on http://here',
  })
})

test('as text, a line is for a person: time, level, sentence, fields, and an error with its stack', () => {
  const [first, second] = logged({ format: 'text' }, (logger) => {
    logger.warn({ job: 'a1', reason: 'two words', count: 3 }, 'it waits')
    logger.error({ error: new TypeError('broken') }, 'it failed')
  })
  expect(first).toMatch(/^\d\d:\d\d:\d\d warn {2}it waits job=a1 reason="two words" count=3\n$/)
  expect(second).toMatch(/^\d\d:\d\d:\d\d error it failed\n {2}TypeError: broken\n {6}at /)
})

test('nothing below the level is written', () => {
  expect(logged({ level: 'warn' }, (logger) => logger.info('quiet'))).toEqual([])
})
