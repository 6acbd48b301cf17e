import { createRequire } from 'node:module'
import { join } from 'node:path'
import { z } from 'zod'
import { openApiOf } from '../openapi.ts'
import { HttpError } from '../problem.ts'
import { type Exchange, pathParameter, type Route } from '../route.ts'

/** The only files that the page asks for: nothing else of that folder is served. */
const pageFiles = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const

// Everything comes from this server: a page that documents a queue behind a firewall has nothing to say to the web.
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Interlock</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
`
const start = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true })
`

/** What can be asked here, for programs (OpenAPI 3.1) and for people. */
export function documentRoutes(others: readonly Route[], version: string): readonly Route[] {
  const folder = join(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'), '..')
  let json: string | null = null
  const routes: readonly Route[] = [
    {
      method: 'GET',
      path: '/openapi.json',
      scope: 'open',
      name: 'get_openapi',
      summary: 'This document: everything that can be asked over HTTP, as OpenAPI 3.1.',
      answers: { 200: z.record(z.string(), z.unknown()) },
      answer: async () => {
        json ??= JSON.stringify(openApiOf([...others, ...routes], version))
        return { status: 200, body: json }
      },
    },
    {
      method: 'GET',
      path: '/docs',
      scope: 'open',
      name: 'get_docs',
      summary: 'The same document as a page for people, where each call can be tried.',
      answers: { 200: z.void() },
      stream: async (_call, { response }) => {
        response.set('Content-Security-Policy', policy).type('html').send(page)
      },
    },
    {
      method: 'GET',
      path: '/docs/:file',
      scope: 'open',
      name: 'get_docs_file',
      summary: 'What that page is made of.',
      answers: { 200: z.void() },
      isQuiet: true,
      stream: async (_call, exchange) => sendFile(folder, exchange),
    },
  ]
  return routes
}

async function sendFile(folder: string, { request, response }: Exchange): Promise<void> {
  const wanted = pathParameter(request, 'file')
  if (wanted === 'start.js') {
    response.type('js').send(start)
    return
  }
  const file = pageFiles.find((one) => one === wanted)
  if (file === undefined) throw new HttpError(404, 'route_not_found', `There is nothing at ${request.path}.`)
  const sent = Promise.withResolvers<void>()
  response.sendFile(file, { root: folder, maxAge: '1h' }, (error) => {
    // Who has left is told nothing.
    if (error !== undefined && !response.headersSent) sent.reject(error)
    else sent.resolve()
  })
  await sent.promise
}
