// render-image, render-video, knight-style: hold the models that the job was given and write pictures. `node render.ts
// image 1 0.6` draws one picture in 0.6 seconds; a video is several.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { progress, readJob, recordUse, result, workspaceOf } from './job.ts'
import { png } from './png.ts'

const [kind = 'image', frames = '1', seconds = '0.6'] = process.argv.slice(2)
const job = await readJob()
recordUse(job, 'begins')
const folder = join(workspaceOf(job), 'media')
await mkdir(folder, { recursive: true })

const count = Number(frames)
const pauseMs = ((job.payload.seconds ?? Number(seconds)) * 1000) / count
const files: string[] = []
for (let frame = 0; frame < count; frame += 1) {
  const picture = png(96, 64, (x, y) => [(x * 2 + frame * 20) % 256, (y * 4) % 256, (x * y + job.token) % 256])
  const file = join(folder, `${job.job_id}-${frame + 1}.png`)
  await writeFile(file, picture)
  files.push(file)
  progress((100 * (frame + 1)) / count, `${kind} ${frame + 1} of ${count}`)
  await sleep(pauseMs)
}
recordUse(job, 'ends')
result({ kind, models: Object.keys(job.fences).filter((resource) => resource.startsWith('model:')), files })
