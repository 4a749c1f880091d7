-- The table of the memory in each of its orders, from any line on. How often an entry was read is counted when it is asked for, and has none.
create index memory_entry_namespace on memory_entry (workspace_id, namespace, id) where deleted_at is null;
create index memory_entry_created on memory_entry (workspace_id, created_at, id) where deleted_at is null;
create index memory_entry_importance on memory_entry (workspace_id, importance, id) where deleted_at is null;
create index memory_entry_size on memory_entry (workspace_id, (cast(coalesce(chars, length(plain)) as bigint)), id) where deleted_at is null;
create index memory_entry_writer on memory_entry (workspace_id, ((coalesce(source ->> 'kind', '') || ' ' || coalesce(source ->> 'name', source ->> 'step', ''))), id) where deleted_at is null;
