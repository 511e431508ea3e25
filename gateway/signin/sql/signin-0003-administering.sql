-- Who works here, and as what. Whoever approves is made and changed by two administrators.
-- depends: signin-0002-signing-in

create function staff.any_administrator() returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select exists (
        select from staff.person as p where p.role = 'administrator' and p.disabled_at is null
    );
end;

-- Administrators approve each other's deeds, supervisors those of support: one alone who could make one
-- of either would approve what they asked for themselves.
create function staff.approves(p_role text) returns boolean
language sql immutable
begin atomic
    select p_role in ('administrator', 'supervisor');
end;

-- Put into the list, wait, and be told why not: `asked`, or `waits` where something waits for this
-- login already.
create function staff.ask(
    p_kind text, p_login text, p_role text, p_by text, p_now timestamptz
) returns text
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    asked bigint;
begin
    insert into staff.request (kind, login, role, asked_by, asked_at)
    values (p_kind, p_login, p_role, p_by, p_now)
    on conflict (login) where state = 'waiting' do nothing
    returning id into asked;
    if asked is null then
        return 'waits';
    end if;
    perform audit.write(
        'staff', p_by, 'staff_request.asked', null,
        jsonb_build_object('staff_request', asked, 'kind', p_kind, 'login', p_login, 'role', p_role),
        p_now
    );
    return 'asked';
end
$$;

-- A person with a first password: `done`, `asked` (one who approves, and there is an administrator who
-- has to agree), `waits` or `known`.
create function staff.add(
    p_login text, p_role text, p_password text, p_pepper_version integer, p_by text,
    p_now timestamptz
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from staff.person as p where p.login = p_login) then
        return 'known';
    end if;
    if exists (
        select from staff.request as r where r.login = p_login and r.state = 'waiting'
    ) then
        return 'waits';
    end if;
    -- Of two who add the first administrator at once one is the first.
    perform pg_advisory_xact_lock(hashtextextended('staff.administrators', 0));
    if staff.approves(p_role) and staff.any_administrator() then
        return staff.ask('add', p_login, p_role, p_by, p_now);
    end if;
    insert into staff.person (login, role, password, pepper_version, created_at)
    values (p_login, p_role, p_password, p_pepper_version, p_now);
    perform audit.write(
        'staff', p_by, 'person.added', null,
        jsonb_build_object('login', p_login, 'role', p_role), p_now
    );
    return 'done';
end
$$;

-- Another role: `done`, `asked`, `waits`, `unknown` or `oneself`.
create function staff.change_role(p_login text, p_role text, p_by text, p_now timestamptz)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    known staff.person;
begin
    if audit.same_person(p_login, p_by) then
        return 'oneself';
    end if;
    select * into known from staff.person as p where p.login = p_login for update;
    if not found then
        return 'unknown';
    end if;
    if staff.approves(known.role) or staff.approves(p_role) then
        return staff.ask('role', p_login, p_role, p_by, p_now);
    end if;
    update staff.person as p set role = p_role where p.login = p_login;
    perform staff.end_sessions(p_login, p_now);
    perform audit.write(
        'staff', p_by, 'person.role_changed', null,
        jsonb_build_object('login', p_login, 'from', known.role, 'role', p_role), p_now
    );
    return 'done';
end
$$;

-- A new first password, and the codes set up anew: for who has lost them, or was shut out and comes
-- back. As above.
create function staff.reset_person(
    p_login text, p_password text, p_pepper_version integer, p_by text, p_now timestamptz
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    known staff.person;
begin
    if audit.same_person(p_login, p_by) then
        return 'oneself';
    end if;
    select * into known from staff.person as p where p.login = p_login for update;
    if not found then
        return 'unknown';
    end if;
    if staff.approves(known.role) then
        return staff.ask('reset', p_login, known.role, p_by, p_now);
    end if;
    perform staff.give_first_password(p_login, p_password, p_pepper_version, p_now);
    perform audit.write(
        'staff', p_by, 'person.reset', null, jsonb_build_object('login', p_login), p_now
    );
    return 'done';
end
$$;

create function staff.give_first_password(
    p_login text, p_password text, p_pepper_version integer, p_now timestamptz
) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    update staff.person
    set password = p_password, pepper_version = p_pepper_version, first_password = true,
        totp = null, totp_version = null, enrolled_at = null, disabled_at = null
    where login = p_login;
    delete from staff.recovery_code where login = p_login;
    select staff.end_sessions(p_login, p_now);
end;

-- Shut somebody out at once: `done`, `unknown` or `oneself`. One suffices: it may be urgent. They come
-- in again by a reset.
create function staff.disable(p_login text, p_by text, p_now timestamptz) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if audit.same_person(p_login, p_by) then
        return 'oneself';
    end if;
    update staff.person as p set disabled_at = p_now
    where p.login = p_login and p.disabled_at is null;
    if not found then
        return 'unknown';
    end if;
    perform staff.end_sessions(p_login, p_now);
    perform audit.write(
        'staff', p_by, 'person.disabled', null, jsonb_build_object('login', p_login), p_now
    );
    return 'done';
end
$$;

-- Decide what another administrator asked for; of `add` and `reset` the first password is this one.
-- `done`, `none`, `decided`, `same_person` or `known`.
create function staff.decide(
    p_id bigint, p_approve boolean, p_password text, p_pepper_version integer, p_by text,
    p_now timestamptz
) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    asked staff.request;
begin
    select * into asked from staff.request as r where r.id = p_id for update;
    if not found then
        return 'none';
    end if;
    if asked.state <> 'waiting' then
        return 'decided';
    end if;
    -- Nor does who is to become one.
    if audit.same_person(asked.asked_by, p_by) or audit.same_person(asked.login, p_by) then
        return 'same_person';
    end if;
    if p_approve and asked.kind = 'add'
        and exists (select from staff.person as p where p.login = asked.login)
    then
        return 'known';
    end if;
    update staff.request as r
    set state = case when p_approve then 'approved' else 'refused' end,
        decided_by = p_by, decided_at = p_now
    where r.id = p_id;
    perform audit.write(
        'staff', p_by,
        case when p_approve then 'staff_request.approved' else 'staff_request.refused' end, null,
        jsonb_build_object('staff_request', p_id, 'kind', asked.kind, 'login', asked.login), p_now
    );
    if p_approve then
        perform staff.carry_out(asked, p_password, p_pepper_version, p_now);
    end if;
    return 'done';
end
$$;

create function staff.carry_out(
    asked staff.request, p_password text, p_pepper_version integer, p_now timestamptz
) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    if asked.kind = 'add' then
        insert into staff.person (login, role, password, pepper_version, created_at)
        values (asked.login, asked.role, p_password, p_pepper_version, p_now);
    elsif asked.kind = 'role' then
        update staff.person as p set role = asked.role where p.login = asked.login;
        perform staff.end_sessions(asked.login, p_now);
    else
        perform staff.give_first_password(asked.login, p_password, p_pepper_version, p_now);
    end if;
end
$$;

create function staff.people()
returns table (
    login text, role text, enrolled boolean, disabled_at timestamptz, seen_at timestamptz,
    pepper_version integer
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        p.login, p.role, p.enrolled_at is not null, p.disabled_at,
        (select max(s.seen_at) from staff.session as s where s.login = p.login), p.pepper_version
    from staff.person as p
    order by p.login;
end;

create function staff.requests_waiting()
returns table (
    id bigint, kind text, login text, role text, asked_by text, asked_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select r.id, r.kind, r.login, r.role, r.asked_by, r.asked_at
    from staff.request as r where r.state = 'waiting' order by r.id;
end;

revoke execute on all functions in schema staff from public;

grant execute on function
    staff.claim_try, staff.note_failed, staff.begin_session, staff.seal_anew, staff.visit,
    staff.end_session, staff.offer_totp, staff.credentials, staff.enrol, staff.change_password,
    staff.set_language, staff.add, staff.change_role, staff.reset_person, staff.disable,
    staff.decide, staff.people, staff.requests_waiting
to chaski_staff;

-- The worker's duty forgets what is old, and can do nothing else here.
grant usage on schema staff to chaski_app;
grant execute on function staff.forget to chaski_app;
