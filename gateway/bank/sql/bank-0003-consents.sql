-- What members agreed to, each yes and no kept for good; and who froze their access.
-- depends: bank-0002-members  audit-0001-trail  instructions-0007-stops

create table bank.consent (
    id bigint generated always as identity primary key,
    member_ref text not null,
    purpose text not null,
    given boolean not null,
    channel text not null,
    -- The digest of the menus in which they read what it is about, and in which language.
    text_version text not null,
    language text not null,
    at timestamptz not null
);

-- The last word of a member about a purpose.
create index consent_last on bank.consent (member_ref, purpose, id desc);

create function bank.agree(
    p_member_ref text, p_purpose text, p_given boolean, p_channel text, p_text_version text,
    p_language text, p_now timestamptz
) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with kept as (
        insert into bank.consent (member_ref, purpose, given, channel, text_version, language, at)
        values (p_member_ref, p_purpose, p_given, p_channel, p_text_version, p_language, p_now)
        returning id
    )
    select audit.write(
        'member', p_member_ref, case when p_given then 'consent.given' else 'consent.withdrawn' end,
        p_member_ref, jsonb_build_object('consent', k.id, 'purpose', p_purpose), p_now
    )
    from kept as k;
end;

-- Null where they never said anything.
create function bank.agreed(p_member_ref text, p_purpose text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select c.given from bank.consent as c
    where c.member_ref = p_member_ref and c.purpose = p_purpose
    order by c.id desc limit 1;
end;

-- A member may shut their own door at once, from any phone that says so; only staff open it again.
create table bank.freeze (
    id bigint generated always as identity primary key,
    member_ref text not null,
    channel text not null,
    session_id text not null,
    at timestamptz not null,
    lifted_at timestamptz,
    lifted_by text,
    check ((lifted_at is null) = (lifted_by is null))
);

-- One at a time, and found at every PIN.
create unique index freeze_open on bank.freeze (member_ref) where lifted_at is null;

-- Shut it: no PIN opens it, no order is taken (instructions.barred), and what no core has been asked
-- for yet is not done. Answers whether it was open.
create function bank.shut(
    p_member_ref text, p_channel text, p_session_id text, p_actor_kind text, p_actor text,
    p_now timestamptz
) returns boolean
language plpgsql
as $$
declare
    shut bigint;
begin
    insert into bank.freeze (member_ref, channel, session_id, at)
    values (p_member_ref, p_channel, p_session_id, p_now)
    on conflict (member_ref) where lifted_at is null do nothing
    returning id into shut;
    if shut is null then
        return false;
    end if;
    perform audit.write(
        p_actor_kind, p_actor, 'member.frozen', p_member_ref,
        jsonb_build_object('freeze', shut, 'channel', p_channel), p_now
    );
    perform instructions.be_careful(p_member_ref, 'frozen', 'look_only', null, p_now);
    delete from bank.pin_pending where member_ref = p_member_ref; -- a PIN that is being chosen
    perform instructions.stop_waiting(p_member_ref, p_now);
    return true;
end
$$;

create function bank.freeze(
    p_member_ref text, p_channel text, p_session_id text, p_now timestamptz
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform bank.shut(
        p_member_ref, p_channel, p_session_id, 'member', p_member_ref, p_now
    );
end
$$;

-- For staff and agents. Answers whether there was anything to shut.
create function bank.freeze_by_staff(p_member_ref text, p_by text, p_now timestamptz)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    return bank.shut(p_member_ref, 'staff', '', 'staff', p_by, p_now);
end
$$;

create function bank.frozen(p_member_ref text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select exists (
        select from bank.freeze as f where f.member_ref = p_member_ref and f.lifted_at is null
    );
end;

-- For the cooperative's staff, not for the application. Answers whether there was anything to lift.
create function bank.lift_freeze(p_member_ref text, p_by text, p_now timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    lifted bigint;
begin
    update bank.freeze set lifted_at = p_now, lifted_by = p_by
    where member_ref = p_member_ref and lifted_at is null
    returning id into lifted;
    if lifted is null then
        return false;
    end if;
    perform instructions.trust_again(p_member_ref, 'frozen', p_by, p_now);
    perform audit.write(
        'staff', p_by, 'member.unfrozen', p_member_ref, jsonb_build_object('freeze', lifted), p_now
    );
    return true;
end
$$;

revoke execute on function
    bank.agree, bank.agreed, bank.shut, bank.freeze, bank.freeze_by_staff, bank.frozen,
    bank.lift_freeze
from public;
grant execute on function bank.agree, bank.agreed, bank.freeze, bank.frozen to chaski_app;
