-- PINs: an argon2id hash of the peppered PIN, and a counter that no number of parallel sessions slips by.
-- depends: db-0001-roles

create schema bank;

grant usage on schema bank to chaski_app;

create table bank.pin_credential (
    member_ref text primary key,
    hash text not null,
    pepper_version integer not null,
    -- Attempts claimed since the last right one. Counted before the hash is computed.
    attempts integer not null default 0,
    locked_until timestamptz
);

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
create function bank.claim_pin_attempt(
    p_member_ref text, p_hop text, p_order_key text, p_now timestamptz, p_tries_max integer,
    p_lock interval
) returns table (
    verdict text,
    hash text,
    pepper_version integer,
    right_pin boolean,
    tries_left integer,
    locked_until timestamptz
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
        return query select 'none', null::text, null::integer, null::boolean, 0, null::timestamptz;
        return;
    end if;

    select * into earlier from bank.pin_attempt as a where a.hop = p_hop;
    if found and earlier.order_key is distinct from p_order_key then
        return query select 'none', null::text, null::integer, null::boolean, 0, null::timestamptz;
        return;
    end if;
    if found then
        return query select 'again', credential.hash, credential.pepper_version, earlier.right_pin,
            greatest(p_tries_max - credential.attempts, 0), credential.locked_until;
        return;
    end if;

    if bank.frozen(p_member_ref) then
        return query select 'frozen', null::text, null::integer, null::boolean,
            0, null::timestamptz;
        return;
    end if;

    if credential.locked_until > p_now then
        return query select 'locked', null::text, null::integer, null::boolean,
            0, credential.locked_until;
        return;
    end if;

    -- A lock that has run out gives a fresh set of tries.
    if credential.locked_until is not null then
        credential.attempts := 0;
    end if;
    credential.attempts := credential.attempts + 1;
    -- The last try locks when it is claimed, not when it fails: a right PIN opens it again.
    credential.locked_until := case
        when credential.attempts >= p_tries_max then p_now + p_lock
    end;
    update bank.pin_credential as c
    set attempts = credential.attempts, locked_until = credential.locked_until
    where c.member_ref = p_member_ref;
    insert into bank.pin_attempt (hop, member_ref, order_key, claimed_at)
    values (p_hop, p_member_ref, p_order_key, p_now);
    return query select 'claimed', credential.hash, credential.pepper_version, null::boolean,
        p_tries_max - credential.attempts, credential.locked_until;
end;
$$;

-- Write down what an attempt came to. A right PIN clears the counter and the lock.
create function bank.settle_pin_attempt(p_hop text, p_right_pin boolean) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    owner text;
begin
    update bank.pin_attempt as a
    set right_pin = p_right_pin
    where a.hop = p_hop
    returning a.member_ref into owner;
    if p_right_pin then
        update bank.pin_credential as c
        set attempts = 0, locked_until = null
        where c.member_ref = owner;
    end if;
end;
$$;

-- Give a member who has none a PIN; one who has keeps it. For the cooperative's staff and the demo,
-- not for the application.
create function bank.first_pin(p_member_ref text, p_hash text, p_pepper_version integer) returns void
language sql
begin atomic
    insert into bank.pin_credential (member_ref, hash, pepper_version)
    values (p_member_ref, p_hash, p_pepper_version)
    on conflict (member_ref) do nothing;
end;

revoke execute on all functions in schema bank from public;

grant execute on function bank.claim_pin_attempt, bank.settle_pin_attempt to chaski_app;
