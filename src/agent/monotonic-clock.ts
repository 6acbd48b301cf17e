import { uptime } from 'node:os'

/**
 * Milliseconds since the machine started, the same in all its processes, and moved by nobody: not by a person who sets
 * the clock, and on Linux not stopped by suspending the machine either, as the process's own timers are. A lease that
 * ended while a laptop slept has ended.
 */
export function monotonicMs(): number {
  return process.platform === 'linux' ? uptime() * 1000 : Number(process.hrtime.bigint() / 1_000_000n)
}
