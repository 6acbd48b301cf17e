create function interlock.is_time(p_text text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return isfinite(p_text::timestamptz);
exception
  when others then
    return false;
end
$$;

comment on function interlock.is_time(text) is 'Whether this can be read as a point in time.';
