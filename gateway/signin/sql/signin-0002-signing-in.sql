-- Signing in and out. Each try is counted before it is judged, so that no number of tries at once
-- slips by the counter.
-- depends: signin-0001-people

-- Count a try by one of the two names it is counted under. Answers whether it may be judged.
create function staff.count_try(
    p_who text, p_tries integer, p_lock interval, p_now timestamptz
) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    known staff.failure;
begin
    insert into staff.failure (who, failures, since) values (p_who, 0, p_now)
    on conflict do nothing;
    select * into known from staff.failure as f where f.who = p_who for update;
    if known.locked_until > p_now then
        return false;
    end if;
    -- A lock, or a spell, that is over gives a fresh set of tries.
    if known.locked_until is not null or known.since <= p_now - p_lock then
        known.failures := 0;
        known.since := p_now;
    end if;
    update staff.failure as f
    set failures = known.failures + 1,
        since = known.since,
        locked_until = case when known.failures + 1 >= p_tries then p_now + p_lock end
    where f.who = p_who;
    return true;
end
$$;

-- Somebody wants to sign in. No row: not to be judged, too many have failed. Else what there is to
-- judge it by; all null where there is no such person.
create function staff.claim_try(
    p_login text, p_login_hash text, p_login_tries integer, p_address_hash text,
    p_address_tries integer, p_lock interval, p_now timestamptz
) returns table (
    login text, role text, password text, pepper_version integer, first_password boolean,
    totp text, totp_version integer, enrolled boolean
)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    -- The login first, always: two at once wait for one another, never both.
    if not staff.count_try(p_login_hash, p_login_tries, p_lock, p_now)
        or not staff.count_try(p_address_hash, p_address_tries, p_lock, p_now)
    then
        return;
    end if;
    return query
        select
            p.login, p.role, p.password, p.pepper_version, p.first_password, p.totp,
            p.totp_version, p.enrolled_at is not null
        from (select) as one
        left join staff.person as p on p.login = p_login and p.disabled_at is null;
end
$$;

-- The try was wrong. `p_login` is null where there is no such person: what was typed is not kept.
create function staff.note_failed(p_login text, p_now timestamptz) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    select audit.write(
        'system', 'console', 'sign_in.failed', null,
        case when p_login is null then '{}' else jsonb_build_object('login', p_login) end, p_now
    );
end;

-- The try was right: give it back, and begin a session. Of a one-time code its step, of a recovery
-- code its hash is spent with it; answers false where that was spent before.
create function staff.begin_session(
    p_login text, p_login_hash text, p_address_hash text, p_stage text, p_step bigint,
    p_recovery_hash text, p_token_hash text, p_now timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if p_step is not null then
        update staff.person as p set totp_step = p_step
        where p.login = p_login and p.totp_step < p_step and p.disabled_at is null;
        if not found then
            return false;
        end if;
    end if;
    if p_recovery_hash is not null then
        update staff.recovery_code as c set used_at = p_now
        where c.login = p_login and c.hash = p_recovery_hash and c.used_at is null;
        if not found then
            return false;
        end if;
        perform audit.write(
            'staff', p_login, 'recovery_code.used', null, '{}', p_now
        );
    end if;
    delete from staff.failure as f where f.who = p_login_hash;
    -- The address has one failure less, not none: who has one login may not guess at others with it.
    update staff.failure as f
    set failures = greatest(f.failures - 1, 0), locked_until = null
    where f.who = p_address_hash;
    insert into staff.session (token_hash, login, stage, began_at, seen_at)
    values (p_token_hash, p_login, p_stage, p_now, p_now);
    perform audit.write(
        'staff', p_login, 'session.began', null, jsonb_build_object('stage', p_stage), p_now
    );
    return true;
end
$$;

-- A person and their seals under today's pepper and price, once they have shown that they know the
-- password: so peppers are rotated.
create function staff.seal_anew(
    p_login text, p_old text, p_password text, p_pepper_version integer, p_totp text,
    p_totp_version integer
) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    update staff.person
    set password = p_password, pepper_version = p_pepper_version, totp = p_totp,
        totp_version = p_totp_version
    where login = p_login and password = p_old;
end;

-- Whose session this is, if it still is one. `p_touch`: somebody did something; a page that loads
-- itself anew does nothing.
create function staff.visit(
    p_token_hash text, p_idle interval, p_longest interval, p_touch boolean, p_now timestamptz
) returns table (login text, role text, language text, stage text)
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with visited as (
        update staff.session as s
        set seen_at = case when p_touch then p_now else s.seen_at end
        where s.token_hash = p_token_hash and s.ended_at is null
            and s.seen_at > p_now - p_idle and s.began_at > p_now - p_longest
        returning s.login, s.stage
    )

    select p.login, p.role, p.language, v.stage
    from visited as v
    join staff.person as p on p.login = v.login and p.disabled_at is null;
end;

create function staff.end_session(p_token_hash text, p_now timestamptz) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with ended as (
        update staff.session as s set ended_at = p_now
        where s.token_hash = p_token_hash and s.ended_at is null
        returning s.login
    )

    select audit.write('staff', e.login, 'session.ended', null, '{}', p_now) from ended as e;
end;

-- End all sessions of a person.
create function staff.end_sessions(p_login text, p_now timestamptz) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    update staff.session set ended_at = p_now where login = p_login and ended_at is null;
end;

-- The key of the one-time codes, for who has none that was proven yet.
create function staff.offer_totp(p_login text, p_totp text, p_totp_version integer) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    update staff.person set totp = p_totp, totp_version = p_totp_version
    where login = p_login and enrolled_at is null;
end;

-- What there is to judge a password or a first code by, of who is signed in.
create function staff.credentials(p_login text)
returns table (
    password text, pepper_version integer, first_password boolean, totp text,
    totp_version integer
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select p.password, p.pepper_version, p.first_password, p.totp, p.totp_version
    from staff.person as p
    where p.login = p_login and p.disabled_at is null;
end;

-- The password is their own now, and the codes are proven. Every other session of theirs is over.
-- Answers false where they are enrolled already, or this code was used.
create function staff.enrol(
    p_login text, p_password text, p_pepper_version integer, p_step bigint, p_recovery text[],
    p_token_hash text, p_now timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    update staff.person as p
    set password = p_password, pepper_version = p_pepper_version, first_password = false,
        totp_step = p_step, enrolled_at = p_now
    where p.login = p_login and p.enrolled_at is null and p.totp is not null
        and p.totp_step < p_step and p.disabled_at is null;
    if not found then
        return false;
    end if;
    delete from staff.recovery_code as c where c.login = p_login;
    insert into staff.recovery_code (login, hash) select p_login, unnest(p_recovery);
    perform staff.end_sessions(p_login, p_now);
    insert into staff.session (token_hash, login, stage, began_at, seen_at)
    values (p_token_hash, p_login, 'full', p_now, p_now);
    perform audit.write('staff', p_login, 'person.enrolled', null, '{}', p_now);
    return true;
end
$$;

-- Another password, and another session in the place of all there were.
create function staff.change_password(
    p_login text, p_old text, p_password text, p_pepper_version integer, p_login_hash text,
    p_token_hash text, p_now timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    update staff.person as p
    set password = p_password, pepper_version = p_pepper_version, first_password = false
    where p.login = p_login and p.password = p_old and p.disabled_at is null;
    if not found then
        return false;
    end if;
    delete from staff.failure as f where f.who = p_login_hash;
    perform staff.end_sessions(p_login, p_now);
    insert into staff.session (token_hash, login, stage, began_at, seen_at)
    values (p_token_hash, p_login, 'full', p_now, p_now);
    perform audit.write('staff', p_login, 'password.changed', null, '{}', p_now);
    return true;
end
$$;

create function staff.set_language(p_login text, p_language text) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    update staff.person set language = p_language where login = p_login;
end;

-- Sessions that are over, and failures of long ago.
create function staff.forget(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with sessions as (
        delete from staff.session
        where token_hash in (
            select s.token_hash from staff.session as s where s.seen_at < p_before
            order by s.seen_at limit p_rows
            for update skip locked
        )
        returning 1
    ), failures as (
        delete from staff.failure
        where who in (
            select f.who from staff.failure as f where f.since < p_before
            order by f.since limit p_rows
            for update skip locked
        )
        returning 1
    )
    select (select count(*) from sessions) + (select count(*) from failures);
end;
