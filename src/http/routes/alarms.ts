import { z } from 'zod'
import { alarmView } from '../../domain/alarm.ts'
import { checkContract } from '../../domain/contract.ts'
import { listAlarms } from '../../store/alarms.ts'
import type { Answer, Call, Route } from '../route.ts'
import type { Services } from '../services.ts'

const noQuery = z.strictObject({})
const alarmList = z.object({ alarms: z.array(alarmView) })

/** What is alarming now: the alarms that were raised and are not over, AlarmView each. */
export function alarmRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/alarms',
      scope: 'read',
      name: 'list_alarms',
      summary: 'What is alarming now: the alarms that were raised and are not over.',
      query: noQuery,
      answers: { 200: alarmList },
      answer: list,
    },
  ]

  async function list({ request }: Call): Promise<Answer> {
    checkContract(noQuery, { ...request.query })
    return { status: 200, body: { alarms: await listAlarms(database) } }
  }
}
