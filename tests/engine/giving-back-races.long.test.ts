import { describeMeetings, everyMeeting } from './giving-back-races.ts'

describeMeetings(everyMeeting)
