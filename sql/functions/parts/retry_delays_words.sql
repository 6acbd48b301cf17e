create function interlock.retry_delays_words() returns text
language sql immutable parallel safe
as $$
  select 'an array of at most 100 whole numbers from 0 to 2592000, or {"exponential": {"first_seconds": 10, "factor": 2, "max_seconds": 600}}, the factor from 1 to 100'
$$;

comment on function interlock.retry_delays_words() is 'What retry_delays() takes, for the refusals of those who name something else.';
