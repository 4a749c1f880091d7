-- The master keys that this database was ever sealed under; the one with the highest number seals. The keys themselves are in a file.
create table master_key (
    -- 1, 2, 3, …
    number integer primary key,
    -- Its name: 16 hexadecimal digits that say nothing about it.
    id text not null unique,
    -- Since when it seals.
    since integer not null,
    -- Since when everything that can be opened is under it; null until then.
    whole_at integer,
    -- Values that no key opened by then.
    unreadable integer not null default 0,
    -- When it was given up; nothing is sealed under it, and no server needs it any more.
    retired_at integer
) strict;

-- Secrets that stay the same when the master key changes, sealed under it: what rows are found by, what messages are signed and
-- refresh tokens tagged with.
create table lasting_secret (
    purpose text primary key,
    sealed blob not null
) strict;
