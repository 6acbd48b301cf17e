-- What is alarming now, and since when it is said
-- Empty where all is well. The bounds are in interlock.alarm_policy; what was said before is in the log.

select a.rule, a.subject, interlock.duration_words(interlock.clock() - r.raised_at) as raised_since, a.message
from interlock.alarms as a
left join interlock.raised_alarms as r on r.rule = a.rule and r.subject = a.subject
order by r.raised_at, a.rule, a.subject;
