create function interlock.retry_at(p_queue text, p_wait_seconds double precision, p_now timestamptz) returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  v_wait interval := p_wait_seconds * (0.5 + interlock.chance()) * interval '1 second';
  v_backlog interval := interval '0';
begin
  -- A row that every failure of the queue would wait for: only where somebody set a budget.
  update interlock.queues as q
  set retries_paced_until = greatest(coalesce(q.retries_paced_until, p_now), p_now) + interval '1 minute' / q.retries_per_minute
  where q.name = p_queue
    and q.retries_per_minute is not null
  returning q.retries_paced_until - interval '1 minute' / q.retries_per_minute - p_now into v_backlog;
  return p_now + v_wait + greatest(coalesce(v_backlog, interval '0'), interval '0');
end
$$;

comment on function interlock.retry_at(text, double precision, timestamptz) is
  'When a job is tried again whose wait is this long. The wait is drawn evenly from half of it to one and a half: as wide as the wait itself, so that what failed together does not come back together, and around it, so that the waits named are what is waited on average. Where the queue has a budget of retries a minute, those beyond it come later, at its pace. Locks the queue''s row where it has a budget, after jobs'' rows.';
