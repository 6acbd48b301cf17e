import { describeMeetings } from './giving-back-races.ts'

// `npm run test:long` takes each verb first at each point.
describeMeetings({
  open: ['another ask', 'expire_requests'],
  'in line': ['resume_request', 'cancel of the companion'],
  granted: ['resume_request', 'complete_jobs', 'end_agent', 'release_resource'],
})
