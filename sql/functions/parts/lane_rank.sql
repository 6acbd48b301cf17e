create function interlock.lane_rank(
  p_scheduling text, p_seniority timestamptz, p_queued_at timestamptz, p_user_served_at timestamptz, p_turn_at timestamptz
) returns timestamptz
language sql stable parallel safe
as $$
  select case
    when p_scheduling = 'fifo' or p_user_served_at is null then p_seniority
    else greatest(p_seniority, least(p_user_served_at, p_turn_at) + (p_seniority - p_queued_at))
  end
$$;

comment on function interlock.lane_rank(text, timestamptz, timestamptz, timestamptz, timestamptz) is
  'The rank of a lane from its head: in a fair queue the later of its seniority and of when its user was last served plus the same head start: least recently served first. A lane whose head has waited beyond the patience is given a turn (one lane of a user at a time), and served counts at most as that, so that no lane of a user is pushed back for ever by their others.';
