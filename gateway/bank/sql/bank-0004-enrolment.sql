-- How a member comes to a PIN: an activation code from staff, a PIN that waits for its second entry,
-- and what two of staff have to agree on.
-- depends: bank-0003-consents  instructions-0004-caution  notices-0001-outbox

-- What one of staff asks for and another decides.
create table bank.staff_request (
    id bigint generated always as identity primary key,
    kind text not null check (kind ~ '^[a-z_]+$'),
    member_ref text not null,
    -- What it takes to do it: ids and keyed hashes, never a person's data or a secret.
    detail jsonb not null default '{}',
    state text not null default 'waiting' check (state in ('waiting', 'approved', 'refused')),
    asked_by text not null,
    asked_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    check ((state = 'waiting') = (decided_by is null)),
    check ((decided_by is null) = (decided_at is null)),
    check (not audit.same_person(decided_by, asked_by))
);

-- The list of what waits; few rows at a time.
create index staff_request_waiting on bank.staff_request (id) where state = 'waiting';

create function bank.ask_staff(
    p_kind text, p_member_ref text, p_detail jsonb, p_by text, p_now timestamptz
) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    request_id bigint;
begin
    insert into bank.staff_request (kind, member_ref, detail, asked_by, asked_at)
    values (p_kind, p_member_ref, p_detail, p_by, p_now)
    returning id into request_id;
    perform audit.write(
        'staff', p_by, 'request.asked', p_member_ref,
        jsonb_build_object('request', request_id, 'kind', p_kind), p_now
    );
    return request_id;
end;
$$;

-- Decide what somebody else asked for. `verdict` is done, none (no such request), decided (somebody
-- was faster) or same_person.
create function bank.decide_staff_request(
    p_id bigint, p_approve boolean, p_by text, p_now timestamptz
) returns table (verdict text, kind text, member_ref text, detail jsonb)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    request bank.staff_request;
begin
    select * into request from bank.staff_request as r where r.id = p_id for update;
    if not found then
        return query select 'none', null::text, null::text, null::jsonb;
        return;
    end if;
    if request.state <> 'waiting' then
        return query select 'decided', request.kind, request.member_ref, null::jsonb;
        return;
    end if;
    -- `ana` and `Ana ` are one person.
    if audit.same_person(request.asked_by, p_by) then
        return query select 'same_person', request.kind, request.member_ref, null::jsonb;
        return;
    end if;
    update bank.staff_request as r
    set state = case when p_approve then 'approved' else 'refused' end,
        decided_by = p_by,
        decided_at = p_now
    where r.id = p_id;
    perform audit.write(
        'staff', p_by, case when p_approve then 'request.approved' else 'request.refused' end,
        request.member_ref, jsonb_build_object('request', p_id, 'kind', request.kind), p_now
    );
    return query select 'done', request.kind, request.member_ref, request.detail;
end;
$$;

-- ---- Activation codes ------------------------------------------------------------------------

create table bank.activation_code (
    id bigint generated always as identity primary key,
    member_ref text not null,
    -- It opens nothing from any other number, nor once this number is another member's.
    msisdn text not null,
    purpose text not null check (purpose in ('enrol', 'reset')),
    -- Both keyed with the pepper of this version, and forgotten when the code is over.
    dni_hash text,
    code_hash text,
    pepper_version integer not null,
    -- Keyed hashes of digits that are no PIN for this member: of the DNI, of the day of birth.
    avoid text[] not null default '{}',
    issued_by text not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    -- Guesses claimed, right ones given back. Counted before they are judged.
    attempts integer not null default 0,
    used_at timestamptz,
    revoked_at timestamptz
);

-- One that is open for a member: found at each dial of who has no PIN.
create unique index activation_code_open on bank.activation_code (member_ref)
where used_at is null and revoked_at is null;

-- The newest one of a member, for the digits to avoid.
create index activation_code_newest on bank.activation_code (member_ref, id desc);

-- One row a guess. The key is the hop that brought it: a repeated hop costs no second guess.
create table bank.code_attempt (
    hop text primary key,
    code_id bigint not null,
    claimed_at timestamptz not null,
    right_code boolean
);

-- Whether a member has a PIN or has had one: then a new one takes two of staff.
create function bank.had_pin(p_member_ref text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from bank.pin_credential as c where c.member_ref = p_member_ref)
        or exists (
            select from bank.activation_code as c
            where c.member_ref = p_member_ref and (c.used_at is not null or c.purpose = 'reset')
        );
end;

-- Issue a code; an older one that is open is over. For staff. Answers its number; null where there
-- is no such member, or one person alone would give a PIN to who has had one.
create function bank.issue_code(
    p_member_ref text, p_purpose text, p_dni_hash text, p_code_hash text, p_pepper_version integer,
    p_avoid text[], p_by text, p_now timestamptz, p_until timestamptz
) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    owner bank.member;
    code_id bigint;
begin
    select * into owner from bank.member as m where m.member_ref = p_member_ref for update;
    if not found or (p_purpose = 'enrol' and bank.had_pin(p_member_ref)) then
        return null;
    end if;
    update bank.activation_code as c
    set revoked_at = p_now, dni_hash = null, code_hash = null
    where c.member_ref = p_member_ref and c.used_at is null and c.revoked_at is null;
    insert into bank.activation_code (
        member_ref, msisdn, purpose, dni_hash, code_hash, pepper_version, avoid, issued_by,
        issued_at, expires_at
    )
    values (
        p_member_ref, owner.msisdn, p_purpose, p_dni_hash, p_code_hash, p_pepper_version, p_avoid,
        p_by, p_now, p_until
    )
    returning id into code_id;
    perform audit.write(
        'staff', p_by, 'code.issued', p_member_ref,
        jsonb_build_object('code', code_id, 'purpose', p_purpose), p_now
    );
    return code_id;
end;
$$;

-- Approve a reset that somebody else asked for: the old PIN is over, and the code is there.
create function bank.approve_reset(
    p_id bigint, p_code_hash text, p_pepper_version integer, p_by text, p_now timestamptz,
    p_until timestamptz
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    decided record;
begin
    if not exists (select from bank.staff_request as r where r.id = p_id and r.kind = 'pin_reset') then
        return 'none';
    end if;
    select * into decided from bank.decide_staff_request(p_id, true, p_by, p_now);
    if decided.verdict <> 'done' then
        return decided.verdict;
    end if;
    -- The keyed hashes are with the code now. A change that was begun with the old PIN is over too.
    update bank.staff_request as r set detail = r.detail - 'dni_hash' - 'avoid' where r.id = p_id;
    delete from bank.pin_pending as p where p.member_ref = decided.member_ref;
    delete from bank.pin_credential as c where c.member_ref = decided.member_ref;
    perform audit.write(
        'staff', p_by, 'pin.revoked', decided.member_ref,
        jsonb_build_object('request', p_id), p_now
    );
    perform bank.issue_code(
        decided.member_ref, 'reset', decided.detail ->> 'dni_hash', p_code_hash, p_pepper_version,
        array(select jsonb_array_elements_text(decided.detail -> 'avoid')), p_by, p_now, p_until
    );
    return 'done';
end;
$$;

-- Give a member a PIN who has had neither one nor a code for one. For the demo, not for the
-- application.
create function bank.first_pin(p_member_ref text, p_hash text, p_pepper_version integer) returns void
language sql
begin atomic
    insert into bank.pin_credential (member_ref, hash, pepper_version)
    select p_member_ref, p_hash, p_pepper_version
    where not exists (
        select from bank.activation_code as c where c.member_ref = p_member_ref
    )
    on conflict (member_ref) do nothing;
end;

-- A reset that waits, and for which phone.
create function bank.reset_asked(p_id bigint)
returns table (member_ref text, msisdn text, pepper_version integer)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select r.member_ref, m.msisdn, (r.detail ->> 'pepper_version')::integer
    from bank.staff_request as r
    join bank.member as m on m.member_ref = r.member_ref
    where r.id = p_id and r.kind = 'pin_reset' and m.msisdn is not null;
end;

-- Let a member dial. Answers whether member and phone were new.
create function bank.register_by_staff(
    p_member_ref text, p_msisdn text, p_first_name text, p_short_name text, p_language text,
    p_by text, p_now timestamptz
) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with registered as (
        insert into bank.member (member_ref, msisdn, first_name, short_name, language)
        values (p_member_ref, p_msisdn, p_first_name, p_short_name, p_language)
        on conflict do nothing
        returning member_ref
    ),

    written as (
        select audit.write('staff', p_by, 'member.registered', r.member_ref, '{}', p_now)
        from registered as r
    )

    select exists (select from written);
end;

-- The code that is open for this member and this phone, as it is now the member's.
create function bank.open_code(p_member_ref text, p_msisdn text, p_now timestamptz)
returns setof bank.activation_code
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select c.*
    from bank.activation_code as c
    join bank.member as m on m.member_ref = c.member_ref and m.msisdn = c.msisdn
    where c.member_ref = p_member_ref and c.msisdn = p_msisdn
        and c.used_at is null and c.revoked_at is null and c.expires_at > p_now;
end;

-- How many codes that may still be used are under another pepper than this one.
create function bank.codes_by_older_pepper(
    p_pepper_version integer, p_now timestamptz
) returns bigint
language sql stable
begin atomic
    select count(*) from bank.activation_code as c
    where c.used_at is null and c.revoked_at is null and c.pepper_version <> p_pepper_version
        and c.expires_at > p_now;
end;

-- Whether who has no PIN may choose one now.
create function bank.invited(
    p_member_ref text, p_msisdn text, p_now timestamptz, p_tries_max integer
) returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select exists (
        select from bank.open_code(p_member_ref, p_msisdn, p_now) as o
        where o.attempts < p_tries_max
    );
end;

-- ---- A PIN that is being chosen --------------------------------------------------------------

-- One at a time for a member: who begins anew in another session has left the older one.
create table bank.pin_pending (
    member_ref text primary key,
    -- What the conversation keeps in the place of what was typed.
    id uuid not null default gen_random_uuid(),
    purpose text check (purpose in ('enrol', 'reset', 'change')),
    -- Of the DNI that was typed first; judged together with the code.
    dni_hash text,
    -- Whether they have shown who they are: by DNI and code, or by the old PIN.
    proven boolean not null default false,
    code_id bigint,
    -- The first entry of the new PIN.
    hash text,
    pepper_version integer,
    expires_at timestamptz not null,
    used_at timestamptz
);

-- Somebody typed their DNI, which is not judged yet.
create function bank.begin_enrolment(
    p_member_ref text, p_dni_hash text, p_now timestamptz, p_until timestamptz
) returns uuid
language sql volatile security definer
set search_path = pg_catalog, pg_temp
begin atomic
    insert into bank.pin_pending as p (member_ref, dni_hash, expires_at)
    values (p_member_ref, p_dni_hash, p_until)
    on conflict (member_ref) do update
    set id = gen_random_uuid(), purpose = null, dni_hash = excluded.dni_hash, proven = false,
        code_id = null, hash = null, pepper_version = null, expires_at = excluded.expires_at,
        used_at = null
    returning id;
end;

-- Somebody typed their old PIN, and it was right: the attempt of this hop says so.
create function bank.begin_change(
    p_member_ref text, p_hop text, p_now timestamptz, p_until timestamptz
) returns uuid
language sql volatile security definer
set search_path = pg_catalog, pg_temp
begin atomic
    insert into bank.pin_pending as p (member_ref, purpose, proven, expires_at)
    select p_member_ref, 'change', true, p_until
    from bank.pin_attempt as a
    where a.hop = p_hop and a.member_ref = p_member_ref and a.right_pin
        and not bank.frozen(p_member_ref)
    on conflict (member_ref) do update
    set id = gen_random_uuid(), purpose = 'change', dni_hash = null, proven = true,
        code_id = null, hash = null, pepper_version = null, expires_at = excluded.expires_at,
        used_at = null
    returning id;
end;

-- Claim a guess of an activation code. `verdict` is claimed, again (a copy of a hop that claimed it
-- before), none (nothing is open for this phone, or the DNI was typed too long ago), spent (guessed
-- wrong too often) or frozen.
create function bank.claim_code_attempt(
    p_member_ref text, p_msisdn text, p_pending uuid, p_hop text, p_now timestamptz,
    p_tries_max integer
) returns table (
    verdict text, typed_dni_hash text, dni_hash text, code_hash text, pepper_version integer,
    right_code boolean, tries_left integer
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    code bank.activation_code;
    typed text;
    earlier bank.code_attempt;
begin
    select p.dni_hash into typed from bank.pin_pending as p
    where p.member_ref = p_member_ref and p.id = p_pending and p.expires_at > p_now
        and p.used_at is null;
    select c.* into code
    from bank.open_code(p_member_ref, p_msisdn, p_now) as o
    join bank.activation_code as c on c.id = o.id
    for update of c;
    if code.id is null or typed is null or code.used_at is not null or code.revoked_at is not null
    then
        return query select 'none', null::text, null::text, null::text, 0, null::boolean, 0;
        return;
    end if;
    select * into earlier from bank.code_attempt as a where a.hop = p_hop;
    if found and earlier.code_id = code.id then
        return query select 'again', typed, code.dni_hash, code.code_hash, code.pepper_version,
            earlier.right_code, greatest(p_tries_max - code.attempts, 0);
        return;
    end if;
    if bank.frozen(p_member_ref) then
        return query select 'frozen', null::text, null::text, null::text, 0, null::boolean, 0;
        return;
    end if;
    if code.attempts >= p_tries_max then
        return query select 'spent', null::text, null::text, null::text, 0, null::boolean, 0;
        return;
    end if;
    update bank.activation_code as c set attempts = c.attempts + 1 where c.id = code.id;
    insert into bank.code_attempt (hop, code_id, claimed_at) values (p_hop, code.id, p_now);
    return query select 'claimed', typed, code.dni_hash, code.code_hash, code.pepper_version,
        null::boolean, p_tries_max - code.attempts - 1;
end;
$$;

-- Write down what a guess came to. A right one is given back, and proves who is choosing a PIN.
create function bank.settle_code_attempt(
    p_member_ref text, p_pending uuid, p_hop text, p_right boolean
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    attempt bank.code_attempt;
begin
    update bank.code_attempt as a set right_code = p_right
    where a.hop = p_hop and a.right_code is null
    returning a.* into attempt;
    if not found or not p_right then
        return;
    end if;
    update bank.activation_code as c set attempts = c.attempts - 1 where c.id = attempt.code_id;
    update bank.pin_pending as p
    set proven = true, code_id = c.id, purpose = c.purpose, dni_hash = null
    from bank.activation_code as c
    where p.id = p_pending and p.member_ref = p_member_ref and c.id = attempt.code_id
        and c.member_ref = p_member_ref;
end;
$$;

-- What a member's PIN may not be made of, where staff have said it.
create function bank.digits_to_avoid(p_member_ref text)
returns table (avoid text[], pepper_version integer)
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select c.avoid, c.pepper_version from bank.activation_code as c
    where c.member_ref = p_member_ref
    order by c.id desc limit 1;
end;

-- Keep the first entry of a new PIN. Answers whether there is still something to keep it for.
create function bank.propose_pin(
    p_member_ref text, p_pending uuid, p_hash text, p_pepper_version integer, p_now timestamptz
) returns boolean
language sql volatile security definer
set search_path = pg_catalog, pg_temp
begin atomic
    with kept as (
        update bank.pin_pending set hash = p_hash, pepper_version = p_pepper_version
        where member_ref = p_member_ref and id = p_pending and proven and used_at is null
            and expires_at > p_now
        returning id
    )

    select exists (select from kept);
end;

-- The first entry, for the second one to be compared with. Also after it has been activated: the
-- hop that did it may come again.
create function bank.proposed_pin(p_member_ref text, p_pending uuid, p_now timestamptz)
returns table (hash text, pepper_version integer)
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    select p.hash, p.pepper_version from bank.pin_pending as p
    where p.member_ref = p_member_ref and p.id = p_pending and p.proven and p.hash is not null
        and p.expires_at > p_now;
end;

-- Make the PIN that was entered twice the member's. Once, however often it is asked. The code that
-- allowed it is spent and the member's yes is kept with it; after a change less may be moved for a
-- while. Answers whether it holds.
create function bank.activate_pin(
    p_member_ref text, p_msisdn text, p_pending uuid, p_hash text, p_now timestamptz,
    p_careful_until timestamptz, p_channel text, p_text_version text, p_language text
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    chosen bank.pin_pending;
    deed text;
begin
    select * into chosen from bank.pin_pending as p
    where p.member_ref = p_member_ref and p.id = p_pending and p.proven and p.hash = p_hash
        and p.expires_at > p_now
    for update;
    if not found then
        return false;
    end if;
    if chosen.used_at is not null then
        return true;
    end if;
    -- A door that is shut while the PIN is chosen stays shut: see bank.shut, which takes this too.
    perform pg_advisory_xact_lock(hashtextextended('instructions.member ' || p_member_ref, 0));
    if bank.frozen(p_member_ref) then
        return false;
    end if;
    if chosen.purpose = 'change' then
        -- Staff may have taken the old PIN away meanwhile.
        perform from bank.pin_credential as c where c.member_ref = p_member_ref for update;
        if not found then
            return false;
        end if;
    else
        -- The code may have been revoked, or the number given away, while the PIN was chosen.
        update bank.activation_code as c
        set used_at = p_now, dni_hash = null, code_hash = null
        where c.id = chosen.code_id
            and c.id in (select o.id from bank.open_code(p_member_ref, p_msisdn, p_now) as o);
        if not found then
            return false;
        end if;
        perform bank.agree(
            p_member_ref, 'banking', true, p_channel, p_text_version, p_language, p_now
        );
    end if;
    deed := case chosen.purpose
        when 'enrol' then 'pin.set' when 'reset' then 'pin.reset' else 'pin.changed'
    end;
    insert into bank.pin_credential (member_ref, hash, pepper_version)
    values (p_member_ref, chosen.hash, chosen.pepper_version)
    on conflict (member_ref) do update
    set hash = excluded.hash, pepper_version = excluded.pepper_version, attempts = 0,
        locked_until = null, locks = 0, blocked_at = null;
    update bank.pin_pending as p set used_at = p_now where p.member_ref = p_member_ref;
    perform audit.write(
        'member', p_member_ref, deed, p_member_ref,
        jsonb_strip_nulls(jsonb_build_object('code', chosen.code_id)), p_now
    );
    if chosen.purpose <> 'enrol' then
        perform instructions.be_careful(
            p_member_ref, 'pin_changed', 'careful', p_careful_until, p_now
        );
    end if;
    if chosen.purpose = 'enrol' then
        perform notices.tell('pin_activated', p_member_ref, '{}');
    else
        perform notices.tell('pin_changed', p_member_ref, '{}');
    end if;
    return true;
end;
$$;

-- What staff may know of a member's access: never a hash.
create function bank.access_of(p_member_ref text, p_now timestamptz, p_deeds integer)
returns table (
    enrolled boolean, locked_until timestamptz, blocked_at timestamptz, frozen boolean,
    code_until timestamptz, code_purpose text, level text, requests jsonb, deeds jsonb
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        c.member_ref is not null,
        case when c.locked_until > p_now then c.locked_until end,
        c.blocked_at,
        bank.frozen(p_member_ref),
        o.expires_at,
        o.purpose,
        instructions.level(p_member_ref, p_now),
        (
            select coalesce(
                jsonb_agg(jsonb_build_object('id', r.id, 'kind', r.kind, 'asked_by', r.asked_by)),
                '[]'
            )
            from bank.staff_request as r
            where r.member_ref = p_member_ref and r.state = 'waiting'
        ),
        (
            select coalesce(
                jsonb_agg(jsonb_build_object(
                    'at', d.at, 'action', d.action, 'by', d.actor_kind || ' ' || d.actor
                ) order by d.id desc),
                '[]'
            )
            from (
                select e.* from audit.entry as e
                where e.member_ref = p_member_ref order by e.id desc limit p_deeds
            ) as d
        )
    from bank.member as m
    left join bank.pin_credential as c on c.member_ref = m.member_ref
    left join lateral bank.open_code(m.member_ref, m.msisdn, p_now) as o on true
    where m.member_ref = p_member_ref;
end;

revoke execute on function
    bank.had_pin, bank.ask_staff, bank.decide_staff_request, bank.issue_code, bank.approve_reset, bank.open_code,
    bank.invited, bank.begin_enrolment, bank.begin_change, bank.claim_code_attempt,
    bank.settle_code_attempt, bank.digits_to_avoid, bank.propose_pin, bank.proposed_pin,
    bank.activate_pin, bank.access_of, bank.reset_asked, bank.register_by_staff,
    bank.codes_by_older_pepper, bank.first_pin
from public;

grant execute on function
    bank.invited, bank.begin_enrolment, bank.begin_change, bank.claim_code_attempt,
    bank.settle_code_attempt, bank.digits_to_avoid, bank.propose_pin, bank.proposed_pin,
    bank.activate_pin
to chaski_app;
