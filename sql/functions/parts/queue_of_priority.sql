create function interlock.queue_of_priority(p_priority double precision) returns text
language sql immutable parallel safe
as $$ select case when p_priority < 1.5 then 'high' when p_priority > 2.5 then 'low' else 'default' end $$;

comment on function interlock.queue_of_priority(double precision) is
  'The queue of a job that names none: critical and high go to high, low to low, the rest to default.';
