create function interlock.parents_words(p_parents jsonb) returns text
language sql immutable
set search_path = ''
as $$
  select case
    when jsonb_array_length(coalesce(p_parents, '[]')) = 0 then 'nothing more: it is about to be let go'
    else format('job %s, which %s%s', p_parents -> 0 ->> 'job_id',
      case p_parents -> 0 ->> 'status'
        when 'running' then 'runs'
        when 'assigned' then 'was given to an agent'
        when 'pending' then 'waits for its turn'
        when 'deferred' then 'waits for others itself'
        when 'scheduled' then 'waits for its time'
        when 'paused' then 'is paused until somebody starts it'
        when 'failed' then 'has failed for good: requeue it, or delete it and with it what depends on it'
        else 'has ended: it was ' || (p_parents -> 0 ->> 'status')
      end,
      case jsonb_array_length(p_parents)
        when 1 then ''
        when 2 then '; and for one other'
        when 100 then '; and for 99 others or more'
        else format('; and for %s others', jsonb_array_length(p_parents) - 1)
      end)
  end
$$;

comment on function interlock.parents_words(jsonb) is
  'What a deferred job waits for, in words, from what parents_ahead() says.';
