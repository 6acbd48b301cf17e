create function interlock.note_sign(p_job_id text, p_token bigint) returns void
language sql
set search_path = ''
set enable_seqscan = off
as $$
  -- To a tenth of what it may be silent: a job that prints a thousand lines a second is not to write this row as often.
  update interlock.job_signs as g
  set last_sign_at = interlock.clock(),
      due_at = interlock.clock() + g.heartbeat_seconds * interval '1 second'
  where g.job_id = p_job_id
    and g.token = p_token
    and g.stalled_at is null
    and g.last_sign_at <= interlock.clock() - g.heartbeat_seconds * interval '0.1 second'
$$;

comment on function interlock.note_sign(text, bigint) is
  'A running job that has to give signs of life has given one. One that was found to be stalled is being stopped, and stays so. Locks the row of its signs.';
