-- How long a conversation may get, and what is done once it is longer: JSON. Null: nothing is said.
alter table model_route add column context text;
