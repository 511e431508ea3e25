-- What stops a member's orders, and what they may ask about those that were carried out.
-- depends: instructions-0004-caution

-- `barred`: the code that every order of a member is refused with now; null where orders are taken.
-- `level`: as instructions.level has it, of the same look. Until the order's end nobody can begin to
-- be more careful: a freeze that has been confirmed lets nothing by.
create function instructions.care_with(
    p_member_ref text, p_now timestamptz, out barred text, out level text
)
language plpgsql
as $$
begin
    perform pg_advisory_xact_lock_shared(
        hashtextextended('instructions.member ' || p_member_ref, 0)
    );
    select
        -- In the alphabet `frozen` comes before `look_only`: the member's own word is said first.
        min(case when c.reason = 'frozen' then 'frozen' else 'look_only' end)
            filter (where c.level = 'look_only'),
        coalesce(max(c.level), 'normal') -- and look_only after careful
    into barred, level
    from instructions.caution as c
    where c.member_ref = p_member_ref and c.lifted_at is null
        and (c.until is null or c.until > p_now);
end
$$;

create function instructions.barred(p_member_ref text, p_now timestamptz) returns text
language plpgsql
as $$
begin
    return (select c.barred from instructions.care_with(p_member_ref, p_now) as c);
end
$$;

-- Close those orders of a member that no request to a core can carry out any more. What a core may
-- have cannot be called back: its end comes by SMS.
create function instructions.stop_waiting(p_member_ref text, p_now timestamptz) returns void
language plpgsql
as $$
declare
    waiting uuid;
begin
    for waiting in
        select i.key from instructions.instruction as i
        where i.member_ref = p_member_ref and i.state = 'accepted' and i.in_flight = 0
        order by i.accepted_at
    loop
        perform instructions.close(waiting, p_now);
    end loop;
end
$$;

-- The operator says that a member's SIM was changed within `p_within`; `p_at` is null where it does
-- not say when. Not begun again for a change that staff know of: they saw the member since, or gave
-- them this number. Answers whether it is news.
create function instructions.sim_changed(
    p_member_ref text, p_at timestamptz, p_within interval, p_now timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    seen_at timestamptz;
begin
    perform pg_advisory_xact_lock(hashtextextended('instructions.member ' || p_member_ref, 0));
    if exists (
        select from instructions.caution as c
        where c.member_ref = p_member_ref and c.reason = 'sim_changed' and c.lifted_at is null
    ) then
        return false;
    end if;
    select max(case when c.reason = 'sim_changed' then c.lifted_at else c.since end) into seen_at
    from instructions.caution as c
    where c.member_ref = p_member_ref and c.reason in ('sim_changed', 'number_changed');
    if seen_at >= coalesce(p_at, p_now - p_within) then
        return false;
    end if;
    perform instructions.be_careful(p_member_ref, 'sim_changed', 'look_only', null, p_now);
    perform notices.tell('sim_changed', p_member_ref, '{}');
    return true;
end
$$;

-- Nobody could say whether a member's SIM was changed, and the cooperative wants care then.
create function instructions.sim_unknown(
    p_member_ref text, p_level text, p_until timestamptz, p_now timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('instructions.member ' || p_member_ref, 0));
    if exists (
        select from instructions.caution as c
        where c.member_ref = p_member_ref and c.reason = 'sim_unknown' and c.lifted_at is null
            and c.until > p_now
    ) then
        return false;
    end if;
    perform instructions.be_careful(p_member_ref, 'sim_unknown', p_level, p_until, p_now);
    return true;
end
$$;

-- For the application's questions before an order: null, or the code it would be refused with.
create function instructions.barred_now(p_member_ref text, p_now timestamptz) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    return instructions.barred(p_member_ref, p_now);
end
$$;

-- What a member sent to others since then and can ask back, newest first.
create function instructions.sent_since(
    p_member_ref text, p_since timestamptz, p_limit integer
) returns table (key uuid, payee_ref text, amount_centimos bigint, at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select i.key, i.counterparty_ref, i.amount_centimos, i.settled_at
    from instructions.instruction as i
    where i.member_ref = p_member_ref and i.accepted_at >= p_since and i.state = 'posted'
        and i.operation = 'transfers.send' and i.counterparty_ref <> p_member_ref
    order by i.accepted_at desc
    limit p_limit;
end;

revoke execute on function
    instructions.care_with, instructions.barred, instructions.stop_waiting, instructions.sim_changed,
    instructions.sim_unknown, instructions.barred_now, instructions.sent_since
from public;
grant execute on function
    instructions.sim_changed, instructions.sim_unknown, instructions.barred_now,
    instructions.sent_since
to chaski_app;
