-- Who may answer an approval in whose place: e-mail addresses in small letters, and the ids of those who were asked. Whoever hands a
-- question over and whoever it is handed to have one voice together.
alter table approval add column voices text not null default '{}';
