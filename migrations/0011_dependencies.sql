-- Up Migration

-- Which job waits for which others. The rows of jobs are not widened for it but by one flag, which says at the end of a job,
-- from the row that is there anyway, that somebody waits for that end: whoever has no children pays nothing.

alter table interlock.jobs add column has_children boolean;
comment on column interlock.jobs.has_children is
  'Whether other jobs depend on its end: true, or null while none is known to. Set with the batch that both stand in, or by settle_dependents().';

create table interlock.job_dependencies (
  job_id interlock.job_id not null,
  parent_id interlock.job_id not null,
  needs text not null default 'success',
  parent_outcome text,
  created_at timestamptz not null,
  settled_at timestamptz,
  starts boolean not null default true,
  ttl_seconds double precision,
  primary key (job_id, parent_id),
  constraint job_dependencies_needs_is_known check (needs in ('success', 'any')),
  constraint job_dependencies_outcome_is_known check (parent_outcome = any ('{completed,failed,cancelled,expired,deleted}')),
  constraint job_dependencies_not_on_itself check (job_id <> parent_id),
  constraint job_dependencies_settled_with_an_outcome check ((parent_outcome is null) = (settled_at is null)),
  constraint job_dependencies_ttl_is_sane check (ttl_seconds between 0 and 315360000)
);
create index job_dependencies_unsettled on interlock.job_dependencies (parent_id, job_id) where parent_outcome is null;
create index job_dependencies_old on interlock.job_dependencies (settled_at) where settled_at is not null;
comment on table interlock.job_dependencies is
  'One row is a job that waits for another, or waited: it stays deferred until each of its rows is settled. Kept as long as the log after its end. A parent comes first: it exists, or stands earlier in the same batch, so no cycle can arise.';
comment on column interlock.job_dependencies.job_id is 'The job that waits: the child.';
comment on column interlock.job_dependencies.parent_id is 'The job whose end it waits for.';
comment on column interlock.job_dependencies.needs is 'success: it goes on when the parent has completed, and is cancelled when that was cancelled, has expired or was deleted. any: it goes on at whatever end, failed for good as well.';
comment on column interlock.job_dependencies.parent_outcome is 'What became of the parent, once the child was told; null: it waits. Written under the child''s row lock.';
comment on column interlock.job_dependencies.created_at is 'When the child was enqueued.';
comment on column interlock.job_dependencies.settled_at is 'When the child was told.';
comment on column interlock.job_dependencies.starts is 'Whether the child waits for its turn once all its parents have ended, or is paused. One of the child''s own wishes, the same in each of its rows.';
comment on column interlock.job_dependencies.ttl_seconds is 'The child''s own time to live, which counts from the end of its last parent; null: its queue''s. The same in each of its rows.';

create table interlock.job_dependency_touches (
  id bigint generated always as identity primary key,
  parent_id interlock.job_id not null
);
comment on table interlock.job_dependency_touches is
  'The inbox of settle_dependents(): "look at this job and at those that wait for it". One row for each job that was named as a parent, and for each that ended and has children who were not told at once.';
comment on column interlock.job_dependency_touches.id is 'The order of arrival.';
comment on column interlock.job_dependency_touches.parent_id is 'The job to look at.';

-- Down Migration

drop table interlock.job_dependency_touches;
drop table interlock.job_dependencies;
alter table interlock.jobs drop column has_children;
