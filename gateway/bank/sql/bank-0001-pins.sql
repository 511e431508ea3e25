-- PINs: an argon2id hash, sealed by a pepper, and a counter that no number of parallel sessions slips by.
-- depends: db-0001-roles  audit-0001-trail

create schema bank;

grant usage on schema bank to chaski_app;

create table bank.pin_credential (
    member_ref text primary key,
    hash text not null,
    -- Which pepper seals the hash.
    pepper_version integer not null,
    -- Attempts claimed since the last right one. Counted before the hash is computed.
    attempts integer not null default 0,
    locked_until timestamptz,
    -- Locks since the last right PIN, and since when only staff can open it again.
    locks integer not null default 0,
    blocked_at timestamptz
);

-- Which peppers are still needed.
create index pin_credential_pepper on bank.pin_credential (pepper_version);

-- One row an attempt. The key is the hop that brought it, so that a repeated hop costs no second guess.
create table bank.pin_attempt (
    hop text primary key,
    member_ref text not null,
    -- The key of the order that it authorises; null where it only opens something to read.
    order_key text,
    claimed_at timestamptz not null,
    -- Null while the hash is being computed, or for ever where the process died with it.
    right_pin boolean
);

-- Claim an attempt. `verdict` is:
--   claimed   ours to verify      again     this hop claimed it before: verify, or use `right_pin`
--   locked    not to be verified  none      the member has no PIN, or this hop was another order's
--   frozen    the member has shut their own door
--   blocked   locked once too often: only staff open it again
create function bank.claim_pin_attempt(
    p_member_ref text, p_hop text, p_order_key text, p_now timestamptz, p_tries_max integer,
    p_lock interval, p_locks_max integer
) returns table (
    verdict text,
    hash text,
    pepper_version integer,
    right_pin boolean,
    tries_left integer,
    locked_until timestamptz,
    blocked boolean
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    credential bank.pin_credential;
    earlier bank.pin_attempt;
begin
    select * into credential
    from bank.pin_credential as c
    where c.member_ref = p_member_ref
    for update;
    if not found then
        return query select 'none', null::text, null::integer, null::boolean, 0, null::timestamptz,
            false;
        return;
    end if;

    select * into earlier from bank.pin_attempt as a where a.hop = p_hop;
    if found and earlier.order_key is distinct from p_order_key then
        return query select 'none', null::text, null::integer, null::boolean, 0, null::timestamptz,
            false;
        return;
    end if;
    if found then
        return query select 'again', credential.hash, credential.pepper_version, earlier.right_pin,
            greatest(p_tries_max - credential.attempts, 0), credential.locked_until,
            credential.blocked_at is not null;
        return;
    end if;

    if bank.frozen(p_member_ref) then
        return query select 'frozen', null::text, null::integer, null::boolean,
            0, null::timestamptz, false;
        return;
    end if;

    if credential.blocked_at is not null then
        return query select 'blocked', null::text, null::integer, null::boolean,
            0, null::timestamptz, true;
        return;
    end if;

    if credential.locked_until > p_now then
        return query select 'locked', null::text, null::integer, null::boolean,
            0, credential.locked_until, false;
        return;
    end if;

    -- A lock that has run out gives a fresh set of tries.
    if credential.locked_until is not null then
        credential.attempts := 0;
    end if;
    credential.attempts := credential.attempts + 1;
    -- The last try locks when it is claimed, not when it fails: a right PIN opens it again.
    credential.locked_until := null;
    if credential.attempts >= p_tries_max then
        credential.locks := credential.locks + 1;
        credential.locked_until := p_now + p_lock;
        if credential.locks >= p_locks_max then
            credential.blocked_at := p_now;
        end if;
    end if;
    update bank.pin_credential as c
    set attempts = credential.attempts,
        locked_until = credential.locked_until,
        locks = credential.locks,
        blocked_at = credential.blocked_at
    where c.member_ref = p_member_ref;
    insert into bank.pin_attempt (hop, member_ref, order_key, claimed_at)
    values (p_hop, p_member_ref, p_order_key, p_now);
    return query select 'claimed', credential.hash, credential.pepper_version, null::boolean,
        p_tries_max - credential.attempts, credential.locked_until,
        credential.blocked_at is not null;
end;
$$;

-- Write down what an attempt came to. A right PIN clears the counter and the locks; a wrong one that
-- leaves a lock behind is a deed.
create function bank.settle_pin_attempt(p_hop text, p_right_pin boolean) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    attempt bank.pin_attempt;
    credential bank.pin_credential;
begin
    update bank.pin_attempt as a
    set right_pin = p_right_pin
    where a.hop = p_hop
    returning a.* into attempt;
    if not found then
        return;
    end if;
    if p_right_pin then
        update bank.pin_credential as c
        set attempts = 0, locked_until = null, locks = 0, blocked_at = null
        where c.member_ref = attempt.member_ref;
        return;
    end if;
    select * into credential from bank.pin_credential as c where c.member_ref = attempt.member_ref;
    if credential.blocked_at is not null or credential.locked_until is not null then
        perform audit.write(
            'member', attempt.member_ref,
            case when credential.blocked_at is null then 'pin.locked' else 'pin.blocked' end,
            attempt.member_ref, '{}', attempt.claimed_at
        );
    end if;
end;
$$;

-- A right PIN whose hash costs less than a hash costs today is hashed anew, unless it has changed.
create function bank.rehash_pin(
    p_member_ref text, p_old text, p_hash text, p_pepper_version integer
) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
begin atomic
    update bank.pin_credential set hash = p_hash, pepper_version = p_pepper_version
    where member_ref = p_member_ref and hash = p_old;
end;

-- Open a PIN that is locked or blocked. For staff who have seen the member. Answers whether it was.
create function bank.unlock_pin(p_member_ref text, p_by text, p_now timestamptz) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with opened as (
        update bank.pin_credential
        set attempts = 0, locked_until = null, locks = 0, blocked_at = null
        where member_ref = p_member_ref and (attempts > 0 or locks > 0)
        returning member_ref
    ),

    written as (
        select audit.write('staff', p_by, 'pin.unlocked', o.member_ref, '{}', p_now)
        from opened as o
    )

    select exists (select from written);
end;

-- The next hashes that are not sealed by this pepper. For the rotation of peppers, as the owner.
create function bank.pins_to_seal(p_pepper_version integer, p_after text, p_rows integer)
returns table (member_ref text, hash text, pepper_version integer)
language sql stable
begin atomic
    select c.member_ref, c.hash, c.pepper_version
    from bank.pin_credential as c
    where c.pepper_version <> p_pepper_version and c.member_ref > p_after
    order by c.member_ref
    limit p_rows;
end;

-- Put a hash under another pepper, unless it has changed meanwhile: then it is under the new one.
create function bank.seal_pin(
    p_member_ref text, p_old text, p_hash text, p_pepper_version integer
) returns void
language sql volatile
begin atomic
    update bank.pin_credential set hash = p_hash, pepper_version = p_pepper_version
    where member_ref = p_member_ref and hash = p_old;
end;

-- How many hashes each pepper seals.
create function bank.pins_by_pepper() returns table (pepper_version integer, pins bigint)
language sql stable
begin atomic
    select c.pepper_version, count(*) from bank.pin_credential as c
    group by c.pepper_version order by c.pepper_version;
end;

revoke execute on all functions in schema bank from public;

grant execute on function
    bank.claim_pin_attempt, bank.settle_pin_attempt, bank.rehash_pin
to chaski_app;
