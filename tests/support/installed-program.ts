import { spawnSync } from 'node:child_process'

/** Whether this machine has a program that a test makes use of where it is there. */
export function isInstalled(program: string, flag = '--version'): boolean {
  return spawnSync(program, [flag], { stdio: 'ignore' }).status === 0
}
