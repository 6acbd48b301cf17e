create function interlock.is_taken(p_active_job_id text, p_reserved_lane_id uuid, p_taken_until timestamptz, p_now timestamptz) returns boolean
language sql immutable parallel safe
as $$ select p_active_job_id is not null or p_reserved_lane_id is not null or coalesce(p_taken_until > p_now, false) $$;

comment on function interlock.is_taken(text, uuid, timestamptz, timestamptz) is
  'Whether a slot of job_queue_state is not free now: held, reserved, or used by a start of the last minute. Inlined into the caller''s plan.';
