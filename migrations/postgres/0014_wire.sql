-- Whether a provider is always asked in OpenAI Responses, and not in Chat Completions.
alter table provider add column responses boolean not null default false;
