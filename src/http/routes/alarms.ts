import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { listAlarms } from '../../store/alarms.ts'
import type { Answer, Call, Route } from '../route.ts'
import type { Services } from '../services.ts'

const noQuery = z.strictObject({})

/** What is alarming now: the alarms that were raised and are not over, AlarmView each. */
export function alarmRoutes({ database }: Services): readonly Route[] {
  return [{ method: 'GET', path: '/alarms', answer: list }]

  async function list({ request }: Call): Promise<Answer> {
    checkContract(noQuery, { ...request.query })
    return { status: 200, body: { alarms: await listAlarms(database) } }
  }
}
