-- Answers that are found by what their question means.
alter table cache_setting add column semantic boolean not null default false;
-- The share of wrong answers that may be.
alter table cache_setting add column error_budget double precision not null default 0.01;
-- Of 100 answers that were given by meaning, how many are asked of the model too.
alter table cache_setting add column shadow_percent bigint not null default 5;

-- The question of a kept answer, as a vector.
create table cache_vector (
    entry_id uuid primary key references cache_entry (id) on delete cascade,
    workspace_id uuid not null references workspace (id),
    -- All of the request but the words of its last turn: a keyed digest.
    context bytea not null,
    -- Whose vectors these are; those of another are not compared.
    embedder_id uuid not null,
    -- The words and their vector, encrypted for the entry.
    question bytea not null,
    created_at timestamptz not null
);

create index cache_vector_by_context on cache_vector (workspace_id, context, embedder_id, created_at);

-- Whether a question like a kept one had the same answer. It outlives the answer: it belongs to the question.
create table cache_observation (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    -- Of the kept question.
    key bytea not null,
    embedder_id uuid not null,
    similarity double precision not null,
    same boolean not null,
    -- explored, checked or person: who noticed.
    source text not null,
    at timestamptz not null
);

create index cache_observation_by_key on cache_observation (workspace_id, key, embedder_id, at);
create index cache_observation_by_age on cache_observation (at);

-- Answers that were given to a question that only means the same.
create table cache_semantic_hit (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    -- What was given; it may be gone.
    entry_id uuid not null,
    -- What was asked, and what was asked when the answer was kept: keyed digests.
    key bytea not null,
    kept_key bytea not null,
    embedder_id uuid not null,
    -- workspace, user or key: to whom it belongs.
    scope text not null,
    scope_id uuid,
    provider text not null,
    model text not null,
    -- Both questions, encrypted.
    questions bytea not null,
    similarity double precision not null,
    -- How likely it was taken to be wrong, at most.
    doubt double precision not null,
    at timestamptz not null,
    -- What the model said to it afterwards: null while it was not asked.
    same boolean,
    wrong_at timestamptz,
    wrong_by uuid
);

create index cache_semantic_hit_by_time on cache_semantic_hit (workspace_id, at);
create index cache_semantic_hit_by_key on cache_semantic_hit (workspace_id, key);
create index cache_semantic_hit_by_age on cache_semantic_hit (at);

-- How like the question of a kept answer was, where it was given by meaning.
alter table model_call add column cache_similarity double precision;
