-- The keys under which a workspace's memory rests: each wrapped under the master key. Whoever deletes the workspace deletes them.
create table workspace_key (
    workspace_id uuid not null references workspace (id) on delete cascade,
    -- 1, 2, 3, …; the highest is the one for what is written.
    number bigint not null,
    wrapped bytea not null,
    created_at timestamptz not null,
    primary key (workspace_id, number)
);

-- In the row that every write reads and locks: the key for what is written; null before the first.
alter table memory_change add column data_key bigint;
-- Up to which change number everything was looked at for that key; which key everything rests under; since when, until the keys
-- before it are gone; and how many rows could not be opened for it.
alter table memory_change add column reseal_after bigint not null default 0;
alter table memory_change add column resealed_key bigint;
alter table memory_change add column resealed_at timestamptz;
alter table memory_change add column unreadable bigint not null default 0;

-- Content, value and metadata stand encrypted in sealed, under the key data_key; then plain is '', value null and metadata {}.
-- The column has another name so that an older program fails instead of reading '' or writing text beside what is encrypted.
alter table memory_entry rename column content to plain;
alter table memory_entry add column sealed bytea;
alter table memory_entry add column data_key bigint;
-- Characters of the content; null where plain says it.
alter table memory_entry add column chars bigint;

-- Null when this version deleted the entry, as before.
alter table memory_version rename column content to plain;
alter table memory_version add column sealed bytea;
alter table memory_version add column data_key bigint;
alter table memory_version add column chars bigint;
-- The first of the versions in a row that have these words; null when they are its own.
alter table memory_version add column words_since bigint;
update memory_version set words_since = coalesce(
    (select max(o.version) + 1 from memory_version o
     where o.entry_id = memory_version.entry_id and o.version < memory_version.version
       and (o.plain is null or o.plain <> memory_version.plain or cast(o.value as text) <> cast(memory_version.value as text))),
    (select min(o.version) from memory_version o where o.entry_id = memory_version.entry_id))
where plain is not null and exists (
    select 1 from memory_version p
    where p.entry_id = memory_version.entry_id and p.version = memory_version.version - 1
      and p.plain = memory_version.plain and cast(p.value as text) = cast(memory_version.value as text));

alter table memory_sibling rename column content to plain;
alter table memory_sibling add column sealed bytea;
alter table memory_sibling add column data_key bigint;

-- Where it is set, codes is encrypted together with the digest, and digest is 0.
alter table memory_vector add column data_key bigint;
