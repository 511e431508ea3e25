-- Who did what: written in the transaction of the deed, by the deed's own function.
-- depends: db-0001-roles

create schema audit;

grant usage on schema audit to chaski_app;

-- The number of the transaction that is writing. Evidence keeps it in every row, as the default of a
-- column `xact`: an id is taken long before its row can be seen, and rows become visible in another
-- order than their ids; but below the oldest transaction that is still running, everything is there.
-- The addend is 0 until a dump is restored into another server, which counts transactions from its own
-- beginning: `audit.go_on_after_restore` then raises it.
create function audit.xact() returns bigint
language sql volatile
begin atomic
    select pg_current_xact_id()::text::bigint + 0;
end;

create table audit.entry (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    -- member: `actor` is their member_ref; staff: the name that they signed in by; system: the duty.
    actor_kind text not null check (actor_kind in ('member', 'staff', 'system')),
    actor text not null,
    -- What was done, as noun.verb in the past: `pin.changed`, `claim.opened`.
    action text not null check (action ~ '^[a-z_]+\.[a-z_]+$'),
    -- Whom it is about; null where it is about no member.
    member_ref text,
    -- What else it is about: names and numbers of things, never a person's data or a secret.
    about jsonb not null default '{}' check (jsonb_typeof(about) = 'object'),
    xact bigint not null default audit.xact()
);

-- A member's timeline.
create index entry_member on audit.entry (member_ref, id) where member_ref is not null;

-- Write a deed down. For other functions of the owner: the application may not make deeds up.
create function audit.write(
    p_actor_kind text, p_actor text, p_action text, p_member_ref text, p_about jsonb,
    p_now timestamptz
) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    insert into audit.entry (at, actor_kind, actor, action, member_ref, about)
    values (p_now, p_actor_kind, p_actor, p_action, p_member_ref, p_about);
end;

-- Whether two names are one person's: ` Ana` and `ana` are. For whatever takes two of staff.
create function audit.same_person(p_one text, p_other text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
return lower(regexp_replace(p_one, '\s', '', 'g')) = lower(regexp_replace(p_other, '\s', '', 'g'));

-- What is written stays: not even the owner changes it by mistake.
create function audit.refuse_change() returns trigger
language plpgsql
as $$
begin
    raise exception 'the audit trail is append-only' using errcode = 'insufficient_privilege';
end
$$;

create trigger entry_stays
before update or delete or truncate on audit.entry
for each statement execute function audit.refuse_change();

revoke execute on all functions in schema audit from public;
