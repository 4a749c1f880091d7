-- Where the tokens of a call are from: told by the provider, counted here, or estimated. Null for calls before this: `estimated` says.
alter table model_call add column tokens_by text;
-- Which agent asked, and the conversation that a program says its call belongs to.
alter table model_call add column agent_id uuid;
alter table model_call add column session text;
create index model_call_by_session on model_call (workspace_id, session, id) where session is not null;
