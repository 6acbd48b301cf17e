create function interlock.dependency_cycle(p_jobs jsonb, p_child integer, p_parent integer) returns text
language sql stable
set search_path = ''
as $$
  with recursive given as materialized (
    select e.job ->> 'id' as id, e.job -> 'depends_on' as parents, e.ordinal::integer as ordinal
    from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
  ),
  -- Breadth first, each job once: a batch of ladders has more ways through it than anybody can walk.
  walked as (
    select g.ordinal, g.id, g.parents, array[c.id, g.id] as way
    from given as g
    join given as c on c.ordinal = p_child
    where g.ordinal = p_parent
    union all
    select n.ordinal, n.id, n.parents, n.way
    from (
      select distinct on (g.ordinal) g.ordinal, g.id, g.parents, w.way || g.id as way
      from walked as w
      join given as g on g.id <> all (w.way[2:]) and w.parents ? g.id
      where w.ordinal <> p_child
        and cardinality(w.way) < 50
    ) as n
  )
  select string_agg(u.id, ' -> ' order by u.place)
  from (select w.way from walked as w where w.ordinal = p_child order by cardinality(w.way) limit 1) as found
  cross join lateral unnest(found.way) with ordinality as u (id, place)
$$;

comment on function interlock.dependency_cycle(jsonb, integer, integer) is
  'The shortest way from a job of a batch over one that it depends on back to itself, as a -> b -> a; null: there is none of up to 50 jobs. For the words of a refusal.';
