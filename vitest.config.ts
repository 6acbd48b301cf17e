import { defineConfig } from 'vitest/config'
import { ClosingLineReporter } from './tests/support/closing-line-reporter.ts'

// What takes long (thousands of histories, a million rows) is named *.long.test.ts and runs by `npm run test:long`,
// one file at a time, so that its figures mean something.
const isLong = process.env.INTERLOCK_TEST_LONG === '1'
const kind = isLong ? '.long.test.ts' : '.test.ts'
const exclude = ['**/node_modules/**', ...(isLong ? [] : ['**/*.long.test.ts'])]

// `npm test` names the programs of an older Postgres here, where the machine has them; the engine has to be right there.
const hasOlderServer = (process.env.INTERLOCK_TEST_OLDER_SERVER ?? '') !== ''

// These start whole programs and measure their times: after everything else, and one by one.
const alone = [`tests/e2e/**/*${kind}`, `tests/fault/**/*${kind}`]

const everywhere = {
  pool: 'forks' as const,
  setupFiles: ['tests/support/after-each-file.ts'],
  testTimeout: isLong ? 1_800_000 : 30_000,
  hookTimeout: 60_000,
}

export default defineConfig({
  test: {
    reporters: ['default', new ClosingLineReporter()],
    passWithNoTests: true,
    globalSetup: ['tests/support/global-setup.ts'],
    projects: [
      {
        test: {
          ...everywhere,
          name: 'main',
          include: [`tests/**/*${kind}`],
          exclude: [...exclude, ...alone],
          maxWorkers: isLong ? 1 : 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...everywhere,
          name: 'alone',
          include: alone,
          exclude,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      ...(hasOlderServer && !isLong
        ? [
            {
              test: {
                ...everywhere,
                name: 'older-server',
                globalSetup: ['tests/support/global-setup-older-server.ts'],
                include: ['tests/store/**/*.test.ts', 'tests/engine/**/*.test.ts'],
                // What takes long there says nothing of the server's version.
                exclude: [
                  ...exclude,
                  'tests/store/embedded-server.test.ts',
                  'tests/engine/{explaining,gangs,plans}.test.ts',
                ],
                maxWorkers: 2,
                sequence: { groupOrder: 2 },
              },
            },
          ]
        : []),
    ],
  },
})
