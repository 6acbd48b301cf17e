import type { AlarmPolicy, AlarmRule, AlarmView } from '../domain/alarm.ts'
import type { Queryable } from './queryable.ts'

/** Something that is to be said: an alarm that is new, or over. */
export interface AlarmNews {
  readonly event: 'raised' | 'cleared'
  readonly rule: AlarmRule
  readonly subject: string
  readonly value: number
  readonly bound: number
  readonly message: string
  readonly raisedAt: Date
}

/** A message to a webhook, taken for a minute. */
export interface AlarmDelivery {
  readonly id: string
  readonly event: 'alarm.raised' | 'alarm.cleared'
  readonly data: Readonly<Record<string, unknown>>
  readonly createdAt: Date
  readonly attempts: number
}

/** The alarms that were raised and are not over, the latest first; at most a thousand. */
export async function listAlarms(queryable: Queryable): Promise<readonly AlarmView[]> {
  const rows = await queryable.query<
    Omit<AlarmView, 'raised_at' | 'seen_at'> & { readonly raised_at: Date; readonly seen_at: Date }
  >(
    `select r.rule, r.subject, r.value, r.bound, r.message, r.raised_at, r.seen_at
     from interlock.raised_alarms as r
     order by r.raised_at desc, r.rule, r.subject
     limit 1000`,
  )
  return rows.map((row) => ({
    ...row,
    raised_at: row.raised_at.toISOString(),
    seen_at: row.seen_at.toISOString(),
  }))
}

/** Looks, if nobody has looked lately; returns what is new and what is over: to one of several callers, and once. */
export async function settleAlarms(queryable: Queryable, intervalSeconds: number): Promise<readonly AlarmNews[]> {
  return queryable.query<AlarmNews>(
    `select s.event, s.rule, s.subject, s.value, s.bound, s.message, s.raised_at as "raisedAt"
     from interlock.settle_alarms($1) as s`,
    [intervalSeconds],
    'settle_alarms',
  )
}

/** Makes the policy say this; whether it said anything else. */
export async function setAlarmPolicy(
  queryable: Queryable,
  wanted: Readonly<Partial<AlarmPolicy>>,
  actor: string,
): Promise<boolean> {
  const json = JSON.stringify(wanted)
  // Its row is what the coordinators take turns by: a start that changes nothing shall not wait for it, nor fill the log.
  const [same] = await queryable.query('select from interlock.alarm_policy as p where to_jsonb(p) @> $1::jsonb', [json])
  if (same !== undefined) return false
  await queryable.query('select interlock.set_alarm_policy($1, $2)', [json, actor])
  return true
}

export async function takeAlarmDeliveries(queryable: Queryable, limit: number): Promise<readonly AlarmDelivery[]> {
  return queryable.query<AlarmDelivery>(
    `select d.id, d.event, d.data, d.created_at as "createdAt", d.attempts
     from interlock.take_alarm_deliveries($1) as d`,
    [limit],
    'take_alarm_deliveries',
  )
}

/** What became of it; null: it arrived. */
export async function settleAlarmDelivery(
  queryable: Queryable,
  id: string,
  problem: string | null,
): Promise<'delivered' | 'again' | 'given_up' | 'gone'> {
  const [row] = await queryable.query<{ readonly became: 'delivered' | 'again' | 'given_up' | 'gone' }>(
    'select interlock.settle_alarm_delivery($1, $2) as became',
    [id, problem],
  )
  return row?.became ?? 'gone'
}
