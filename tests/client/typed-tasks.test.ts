import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { type Client, defineTask, type EnqueuedJob, type StandardSchema } from '../../src/client/entry.ts'
import { writeJob } from '../../src/client/written-job.ts'

const own: StandardSchema<{ url: string; width?: number }, { url: string; width: number }> = {
  '~standard': {
    version: 1,
    vendor: 'a test',
    validate: async (value) => {
      const { url, width = 10 } = value as { url?: unknown; width?: number }
      if (typeof url !== 'string') return { issues: [{ message: 'is no URL', path: [{ key: 'url' }] }] }
      return { value: { url, width } }
    },
  },
}

const output = z.object({ at: z.date() })
const run = ({ url, width }: { readonly url: string; readonly width: number }) => ({ at: new Date(url.length + width) })

const tasks = {
  zod: defineTask({ name: 't', input: z.object({ url: z.string(), width: z.number().default(10) }), output, run }),
  valibot: defineTask({
    name: 't',
    input: v.object({ url: v.string(), width: v.optional(v.number(), 10) }),
    output,
    run,
  }),
  arktype: defineTask({ name: 't', input: type({ url: 'string', width: 'number = 10' }), output, run }),
  'a schema of nobody': defineTask({ name: 't', input: own, output, run }),
}

describe.each(Object.entries(tasks))('defineTask() with %s', (_, task) => {
  it('checks a payload when it is enqueued, and enqueues it as it was given', async () => {
    expect(await writeJob(task, { url: 'a.png' }, { user: 'ann' })).toEqual({
      task: 't',
      payload: { url: 'a.png' },
      user: 'ann',
    })
    await expect(writeJob(task, { url: 7 }, {}, 'jobs[2].')).rejects.toMatchObject({
      name: 'InterlockError',
      code: 'invalid_argument',
      field: 'jobs[2].payload.url',
    })
  })
})

describe('what the types say', () => {
  // Checked by tsc, never called.
  async function typed(client: Client) {
    const job = await client.enqueue(tasks.zod, { url: 'a.png' })
    expectTypeOf(job).toEqualTypeOf<EnqueuedJob<{ at: Date }>>()
    expectTypeOf(await client.enqueue(tasks.valibot, { url: 'a.png' })).toEqualTypeOf<EnqueuedJob<{ at: Date }>>()
    expectTypeOf(await client.enqueue(tasks.arktype, { url: 'a.png' })).toEqualTypeOf<EnqueuedJob<{ at: Date }>>()
    // @ts-expect-error a url is text
    await client.enqueue(tasks.arktype, { url: 7 })
    // @ts-expect-error a url is needed
    await client.enqueue(tasks.valibot, {})
    // @ts-expect-error there is no such field of a job
    await client.enqueue(tasks.zod, { url: 'a.png' }, { usr: 'ann' })

    const ended = await client.wait(job)
    // As JSON brings it: a day is text.
    if (ended.status === 'completed') expectTypeOf(ended.result).toEqualTypeOf<{ readonly at: string }>()
    else expectTypeOf(ended.result).toBeUnknown()
    expectTypeOf((await client.wait('a7')).result).toBeUnknown()

    const [one, two] = await client.enqueueMany([
      { task: tasks.zod, payload: { url: 'a.png', width: 3 }, user: 'ann' },
      { task: 'by-name', payload: { anything: true } },
    ])
    expectTypeOf(one).toEqualTypeOf<EnqueuedJob<{ at: Date }>>()
    expectTypeOf(two).toEqualTypeOf<EnqueuedJob<unknown>>()
    // @ts-expect-error each is typed by its own task
    await client.enqueueMany([{ task: tasks.zod, payload: { url: 7 } }])
    // Of a list that was made by a program, too.
    await client.enqueueMany(['a', 'b'].map((url) => ({ task: tasks.zod, payload: { url } })))

    const plain = defineTask({ name: 'plain', run: (payload: { n: number }) => payload.n })
    expectTypeOf(await client.enqueue(plain, { n: 1 })).toEqualTypeOf<EnqueuedJob<number>>()
    // @ts-expect-error n is a number
    await client.enqueue(plain, { n: '1' })
    // @ts-expect-error what run() returns is not of the output's shape
    defineTask({ name: 'wrong', output: z.object({ n: z.number() }), run: () => ({ n: 'one' }) })
  }

  it('is that a task types its payload and its result', () => {
    expectTypeOf(typed).toBeFunction()
  })
})
