create function interlock.duration_words(p_duration interval) returns text
language sql immutable parallel safe
as $$
  select case
    when s < 1 then 'less than a second'
    when s < 120 then round(s) || case when round(s) = 1 then ' second' else ' seconds' end
    when s < 7200 then round(s / 60) || ' minutes'
    when s < 172800 then round(s / 3600) || ' hours'
    else round(s / 86400) || ' days'
  end
  from (select extract(epoch from p_duration) as s) as d
$$;

comment on function interlock.duration_words(interval) is 'A duration for a sentence: 12 seconds, 5 minutes.';
