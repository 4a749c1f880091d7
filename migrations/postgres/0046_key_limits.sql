-- What a key of the gateway may ask for in a minute; null for any number.
alter table gateway_key add column requests_per_minute bigint;
alter table gateway_key add column tokens_per_minute bigint;
