// What long-edit starts beside itself: it writes into the same file, and ignores SIGTERM. Ended with its job or not at all.

import { appendFileSync } from 'node:fs'

const [file = '', token = ''] = process.argv.slice(2)
process.on('SIGTERM', () => undefined)
setInterval(() => appendFileSync(file, `${token} the helper\n`), 50)
