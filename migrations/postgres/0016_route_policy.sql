-- How a route orders its models for a call: JSON, in which what is absent has its default.
alter table model_route add column policy jsonb not null default '{}';
