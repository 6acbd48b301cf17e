import { expect, test } from 'vitest'
import {
  describeResource,
  isLimit,
  isResource,
  modelsAmong,
  resourceParts,
  resourcesOf,
  sortResources,
} from '../../src/domain/resource.ts'

test('users come first, others next, then models, limits last; by name inside a kind', () => {
  expect(
    sortResources([
      'limit:all',
      'model:b',
      'task:t',
      'repository:x',
      'user:bob',
      'model:a',
      'user:alice',
      'queue:low',
      'gpu:1',
    ]),
  ).toEqual([
    'user:alice',
    'user:bob',
    'gpu:1',
    'repository:x',
    'model:a',
    'model:b',
    'limit:all',
    'queue:low',
    'task:t',
  ])
})

test('names are compared by code point, as collation "C" does, not by UTF-16 unit', () => {
  // U+FB01 is one unit above the surrogates that U+1F600 is written with.
  expect(sortResources(['user:\u{1F600}', 'user:\uFB01', 'user:Z', 'user:a', 'user:Zz'])).toEqual([
    'user:Z',
    'user:Zz',
    'user:a',
    'user:\uFB01',
    'user:\u{1F600}',
  ])
})

test('what is asked for twice is needed once', () => {
  expect(resourcesOf({ user: 'alice', models: ['b', 'a', 'b'], resources: ['user:alice', 'gpu:0'] })).toEqual([
    'user:alice',
    'gpu:0',
    'model:a',
    'model:b',
  ])
  expect(resourcesOf({})).toEqual([])
  expect(resourcesOf({ user: null })).toEqual([])
})

test.each(['user:alice', 'model:minimax/video-01', 'a:b:c', 'x9_y:z', 'user:Ann Lee', `k:${'v'.repeat(238)}`])(
  '%s is a resource',
  (name) => {
    expect(isResource(name)).toBe(true)
  },
)

test.each([
  'alice',
  'user:',
  ':x',
  'User:x',
  '9k:x',
  'user:*',
  'rate:user:alice',
  'user:a\u0000',
  'user:a\n',
  `k:${'v'.repeat(239)}`,
  `${'k'.repeat(32)}:v`,
])('%j is none', (name) => {
  expect(isResource(name)).toBe(false)
})

test('a resource has a kind, and the rest is its value', () => {
  expect(resourceParts('model:a:b')).toEqual({ kind: 'model', value: 'a:b' })
  expect(modelsAmong(['user:x', 'model:a', 'model:b:c'])).toEqual(['a', 'b:c'])
  expect(['limit:all', 'queue:x', 'task:x', 'model:x', 'user:x'].map(isLimit)).toEqual([true, true, true, false, false])
})

test('a resource can be said in a sentence', () => {
  expect(
    ['user:alice', 'model:flux', 'limit:all', 'limit:gpu', 'queue:low', 'task:resize', 'repository:site'].map(
      describeResource,
    ),
  ).toEqual([
    'user alice',
    'model flux',
    'the limit on all jobs',
    'the limit gpu',
    'the limit on queue low',
    'the limit on task resize',
    'repository site',
  ])
})
