import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CgroupUsage, readCgroup } from '../../src/agent/cgroup.ts'
import { LoadMeter } from '../../src/agent/load-meter.ts'
import { temporaryFolder } from '../cli/run-cli.ts'

const gigabyte = 1024 ** 3

/** The kernel's files, as they stand in a container. */
async function treeOf(own: string, files: Readonly<Record<string, string>>): Promise<readonly [string, string]> {
  const folder = await temporaryFolder({ own })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'fs', path)), { recursive: true })
    writeFileSync(join(folder, 'fs', path), text)
  }
  return [join(folder, 'fs'), join(folder, 'own')]
}

describe('readCgroup', () => {
  it('reads version 2: the tightest limit of the group and those above, without the copies of files', async () => {
    const tree = await treeOf('0::/pods/one\n', {
      'cpu.stat': 'usage_usec 1\n',
      'memory.current': '9',
      'pods/cpu.max': '200000 100000\n',
      'pods/memory.max': 'max\n',
      'pods/one/cpu.max': 'max 100000\n',
      'pods/one/cpu.stat': 'usage_usec 3500000\nuser_usec 1\n',
      'pods/one/memory.max': `${gigabyte}\n`,
      'pods/one/memory.current': '700\n',
      'pods/one/memory.stat': 'anon 1\ninactive_file 200\n',
    })
    expect(readCgroup(...tree)).toEqual({ cpuLimit: 2, cpuUsedMs: 3500, memoryLimit: gigabyte, memoryUsed: 500 })
  })

  it('reads version 1, whose group is the root of a container', async () => {
    const tree = await treeOf('4:memory:/docker/ab\n2:cpu,cpuacct:/docker/ab\n', {
      'cpu/cpu.cfs_quota_us': '50000\n',
      'cpu/cpu.cfs_period_us': '100000\n',
      'cpuacct/cpuacct.usage': '2000000000\n',
      'memory/memory.limit_in_bytes': `${2 * gigabyte}\n`,
      'memory/memory.usage_in_bytes': '900\n',
      'memory/memory.stat': 'total_inactive_file 100\n',
    })
    expect(readCgroup(...tree)).toEqual({ cpuLimit: 0.5, cpuUsedMs: 2000, memoryLimit: 2 * gigabyte, memoryUsed: 800 })
  })

  it('knows no limit where there is none, and nothing where there are no cgroups', async () => {
    const unlimited = await treeOf('4:memory:/\n2:cpuacct:/\n', {
      'cpu/cpu.cfs_quota_us': '-1\n',
      'cpu/cpu.cfs_period_us': '100000\n',
      'cpuacct/cpuacct.usage': '1000000\n',
      'memory/memory.limit_in_bytes': '9223372036854771712\n',
      'memory/memory.usage_in_bytes': '900\n',
    })
    expect(readCgroup(...unlimited)).toMatchObject({ cpuLimit: null, memoryLimit: null })
    expect(readCgroup('/nowhere', '/nowhere')).toBeNull()
  })
})

describe('LoadMeter', () => {
  it('says how busy the fuller of the two is, the container or the machine', () => {
    let atMs = 0
    let container: CgroupUsage | null = { cpuLimit: 0.5, cpuUsedMs: 0, memoryLimit: gigabyte, memoryUsed: gigabyte / 4 }
    let machine = { busyMs: 0, allMs: 0, memoryUsedShare: 0.5 }
    const meter = new LoadMeter({ machine: () => machine, container: () => container, clockMs: () => atMs })
    // Two seconds: the container has had three quarters of its half processor, the machine a tenth of its sixteen.
    atMs = 2000
    container = { ...container, cpuUsedMs: 750 }
    machine = { busyMs: 3200, allMs: 32_000, memoryUsedShare: 0.5 }
    expect(meter.read()).toEqual({ cpuPercent: 75, memoryPercent: 50 })
    container = { ...container, memoryUsed: 0.9 * gigabyte }
    expect(meter.read()).toEqual({ cpuPercent: 75, memoryPercent: 90 })
    atMs = 4000
    machine = { busyMs: 3200 + 30_400, allMs: 64_000, memoryUsedShare: 0.95 }
    expect(meter.read()).toEqual({ cpuPercent: 95, memoryPercent: 95 })
  })

  it('measures this machine', () => {
    const { cpuPercent, memoryPercent } = new LoadMeter().read()
    expect(cpuPercent).toBe(0)
    expect(memoryPercent).toBeGreaterThan(0)
    expect(memoryPercent).toBeLessThanOrEqual(100)
  })
})
