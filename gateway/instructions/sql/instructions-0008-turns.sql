-- Orders over a remote core wait for their turn here: one at a time of an account, in the order in
-- which they were given.
-- depends: instructions-0003-reading

-- Of one order, as it is given to whoever is to ask the core. `in_flight`: requests that may still
-- take effect, this one counted; above one, the core is first asked what it knows of the key.
create type instructions.handed as (
    key uuid,
    in_flight integer,
    source text,
    target text,
    amount_centimos bigint,
    mode text,
    business_date date,
    member_ref text
);

-- Both accounts of an order, always the lower lock first: two orders that cross do not deadlock.
create function instructions.lock_accounts(p_source text, p_target text) returns void
language plpgsql
as $$
declare
    a constant bigint := hashtextextended('instructions.account ' || p_source, 0);
    b constant bigint := hashtextextended('instructions.account ' || p_target, 0);
begin
    perform pg_advisory_xact_lock(least(a, b));
    perform pg_advisory_xact_lock(greatest(a, b));
end
$$;

-- The same without waiting: a sweep leaves alone what somebody else is busy with.
create function instructions.lock_accounts_now(p_source text, p_target text) returns boolean
language plpgsql
as $$
begin
    return
        pg_try_advisory_xact_lock(hashtextextended('instructions.account ' || p_source, 0))
        and pg_try_advisory_xact_lock(hashtextextended('instructions.account ' || p_target, 0));
end
$$;

-- Whether nothing of it was ever asked of the core that could still happen, for so long that nobody
-- waits for it any more.
create function instructions.has_expired(i instructions.instruction, p_expired_before timestamptz)
returns boolean
language sql immutable
begin atomic
    select i.state = 'accepted' and i.in_flight = 0 and i.accepted_at <= p_expired_before;
end;

-- Whether the core may be asked about an open order now: it is due, nobody is asking about it, and
-- at its accounts nobody else is being asked about and nobody came before it. What waits at the core
-- for a person would stop its accounts for days, so it is passed by; what may be in flight is not,
-- until the core has said nothing of it for so long that it is a person's, too.
create function instructions.is_next(
    i instructions.instruction, p_lease_before timestamptz, p_now timestamptz
) returns boolean
language sql stable
begin atomic
    select
        (i.handed_at is null or i.handed_at <= p_lease_before)
        and i.next_try_at <= p_now
        and not exists (
            select from instructions.instruction as o
            where o.state in ('accepted', 'unknown') and o.key <> i.key
                and (o.source in (i.source, i.target) or o.target in (i.source, i.target))
                and (
                    o.handed_at > p_lease_before
                    or (o.turn < i.turn and not coalesce(o.awaits_approval, false))
                )
        );
end;

-- Give an order to whoever is to ask the core. It counts as asked until the answer is "later".
create function instructions.hand_over(
    i instructions.instruction, p_asker text, p_now timestamptz
) returns instructions.handed
language plpgsql
as $$
begin
    if i.asker is distinct from p_asker then
        update instructions.instruction as o
        set handed_at = p_now,
            asker = p_asker,
            attempts = coalesce(o.attempts, 0) + 1,
            in_flight = o.in_flight + 1
        where o.key = i.key
        returning o.* into i;
    end if;
    return (
        i.key, i.in_flight, i.source, i.target, i.amount_centimos, i.mode, i.business_date,
        i.member_ref
    )::instructions.handed;
end
$$;

-- One order for its own hop, where it is its turn; nothing where it is not, or it has ended. Who
-- asks again with the same `p_asker`, because the answer was lost, gets it again.
create function instructions.take_turn(
    p_key uuid, p_asker text, p_lease_before timestamptz, p_expired_before timestamptz,
    p_now timestamptz
) returns setof instructions.handed
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    i instructions.instruction;
begin
    perform instructions.lock_key(p_key);
    select * into i from instructions.instruction as k where k.key = p_key for no key update;
    if i.state is null or i.state not in ('accepted', 'unknown') then
        return;
    end if;
    if instructions.has_expired(i, p_expired_before) then
        perform instructions.let_expire(i, p_now);
        return;
    end if;
    perform instructions.lock_accounts(i.source, i.target);
    if i.asker is not distinct from p_asker or instructions.is_next(i, p_lease_before, p_now) then
        return next instructions.hand_over(i, p_asker, p_now);
    end if;
end
$$;

-- Up to `p_limit` orders whose turn it is, the oldest first. What another is busy with is left to it.
-- As with `take_turn`, the same asker gets the same again.
--
-- With `p_accounts`: the one of these accounts that has waited for another to make way. It is waited
-- for: its own hop may just be finding out that it has to wait, and then nobody else would look
-- before the next sweep. One alone, so that no lock is waited for out of its order.
--
-- Whoever gave it is owed its end from here on: their hop is over, or was killed before it could say
-- anything. One that is still under way may say the same on its screen.
create function instructions.take_unfinished(
    p_asker text, p_accounts text[], p_lease_before timestamptz, p_expired_before timestamptz,
    p_now timestamptz, p_limit integer
) returns setof instructions.handed
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    candidate uuid;
    i instructions.instruction;
    taken integer := 0;
begin
    for candidate in
        select o.key from instructions.instruction as o
        where o.state in ('accepted', 'unknown')
            and (p_accounts is null or o.source = any(p_accounts) or o.target = any(p_accounts))
            and (o.asker = p_asker or instructions.is_next(o, p_lease_before, p_now))
        order by o.turn
        limit case when p_accounts is null then 2 * p_limit else 1 end -- some may be taken by others
    loop
        exit when taken >= p_limit;
        if p_accounts is not null then
            perform instructions.lock_key(candidate);
        end if;
        continue when not pg_try_advisory_xact_lock(uuid_hash_extended(candidate, 0));
        select * into i from instructions.instruction as k
        where k.key = candidate and k.state in ('accepted', 'unknown')
        for no key update;
        continue when not found or instructions.has_expired(i, p_expired_before);
        if p_accounts is not null then
            perform instructions.lock_accounts(i.source, i.target);
        end if;
        continue when not instructions.lock_accounts_now(i.source, i.target)
            or not (
                i.asker is not distinct from p_asker
                or instructions.is_next(i, p_lease_before, p_now)
            );
        taken := taken + 1;
        i := instructions.tell_pending(i, p_now);
        return next instructions.hand_over(i, p_asker, p_now);
    end loop;
end
$$;

-- The end of an order that nobody could ask the core about in time: what it took is given back, and
-- its member learns that it was not done, whatever they were told before.
create function instructions.let_expire(i instructions.instruction, p_now timestamptz) returns void
language plpgsql
as $$
begin
    i.state := 'closed';
    i.code := 'expired';
    i.pending_since := coalesce(i.pending_since, p_now);
    i.settled_at := p_now;
    perform instructions.keep(i);
end
$$;

-- The orders that have expired, the oldest first; each is closed by `expire`, under its lock.
create function instructions.overdue(p_expired_before timestamptz, p_limit integer)
returns table (key uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select i.key from instructions.instruction as i
    where i.state in ('accepted', 'unknown') and instructions.has_expired(i, p_expired_before)
    order by i.turn
    limit p_limit;
end;

create function instructions.expire(
    p_key uuid, p_expired_before timestamptz, p_now timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    i instructions.instruction;
begin
    perform instructions.lock_key(p_key);
    select * into strict i from instructions.instruction as k where k.key = p_key for no key update;
    if not instructions.has_expired(i, p_expired_before) then
        return false;
    end if;
    perform instructions.let_expire(i, p_now);
    return true;
end
$$;

-- How long an order waits after so many attempts: twice as long after each.
create function instructions.wait_after(p_attempts integer, p_first interval, p_most interval)
returns interval
language sql immutable
begin atomic
    select least(p_most, p_first * 2 ^ least(greatest(p_attempts, 1) - 1, 20));
end;

-- What stands with an order: for the hop that waited for it and may wait no longer. Whoever hears
-- that it is under way is owed its end.
create function instructions.stands(p_key uuid, p_now timestamptz) returns instructions.result
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    i instructions.instruction;
begin
    select * into strict i from instructions.instruction as k where k.key = p_key;
    return instructions.answer(instructions.tell_pending(i, p_now), true);
end
$$;

-- What orders take of a member's accounts beside what the core said at `p_as_of` is there, each once.
-- `on_the_way_centimos`: of those that are open. `taken_centimos`: of those, and of those that were
-- posted since. A core that shows what waits there (`p_pending_shown`) has taken off by itself what
-- waits for a person. One that posted without our hearing of it has, too: until that is settled it is
-- taken off twice, so that it cannot be spent twice.
create function instructions.spoken_for(
    p_member_ref text, p_as_of timestamptz, p_pending_shown boolean
) returns table (source text, on_the_way_centimos bigint, taken_centimos bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        i.source,
        coalesce(sum(i.amount_centimos) filter (where i.settled_at is null), 0)::bigint,
        coalesce(sum(i.amount_centimos + i.tax_centimos) filter (
            where i.settled_at is not null
                or not (
                    p_pending_shown and coalesce(i.awaits_approval, false)
                    and i.pending_since < p_as_of
                )
        ), 0)::bigint
    from instructions.instruction as i
    where i.member_ref = p_member_ref
        and (
            i.state in ('accepted', 'unknown')
            -- An order is posted within days of its acceptance, and so found by its index.
            or (
                i.state = 'posted' and i.settled_at > p_as_of
                and i.accepted_at > p_as_of - interval '7 days'
            )
        )
    group by i.source;
end;

-- How many orders are open, and how long the oldest has been, in seconds.
create function instructions.backlog(p_now timestamptz)
returns table (waiting bigint, oldest_s numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select count(*), coalesce(extract(epoch from p_now - min(i.accepted_at)), 0)
    from instructions.instruction as i
    where i.state in ('accepted', 'unknown');
end;

revoke execute on function
    instructions.lock_accounts, instructions.lock_accounts_now, instructions.has_expired,
    instructions.is_next, instructions.hand_over, instructions.take_turn, instructions.take_unfinished,
    instructions.let_expire, instructions.overdue, instructions.expire, instructions.wait_after,
    instructions.stands, instructions.spoken_for, instructions.backlog
from public;
grant execute on function
    instructions.take_turn, instructions.take_unfinished, instructions.overdue, instructions.expire,
    instructions.stands, instructions.spoken_for, instructions.backlog
to chaski_app;
