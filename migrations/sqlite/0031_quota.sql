-- Runs of a workspace that may wait and that may be in progress, where it is fewer than the server's settings say; null: as
-- the server has it.
alter table workspace add column max_queued_runs integer;
alter table workspace add column max_running_runs integer;
