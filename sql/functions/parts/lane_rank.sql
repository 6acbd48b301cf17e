create function interlock.lane_rank(
  p_scheduling text, p_patience_seconds double precision,
  p_seniority timestamptz, p_queued_at timestamptz, p_user_served_at timestamptz, p_lane_served_at timestamptz
) returns timestamptz
language sql stable parallel safe
as $$
  select case
    when p_scheduling = 'fifo' or p_user_served_at is null then p_seniority
    else greatest(
      p_seniority,
      least(
        p_user_served_at,
        case
          when p_patience_seconds > 1e9 then 'infinity'::timestamptz
          else greatest(p_queued_at, coalesce(p_lane_served_at, '-infinity'::timestamptz)) + p_patience_seconds * interval '1 second'
        end
      ) + (p_seniority - p_queued_at)
    )
  end
$$;

comment on function interlock.lane_rank(text, double precision, timestamptz, timestamptz, timestamptz, timestamptz) is
  'The rank of a lane from its head: in a fair queue the later of its seniority and of when its user was last served plus the same head start: least recently served first. Served counts at most as the later of the head''s waiting since and the lane''s own last start, plus patience, so that no lane of a user is pushed back for ever by their others.';
