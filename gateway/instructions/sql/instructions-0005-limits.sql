-- How much may be moved: in one order, in a day, in a month. Limits are rows with the date from which
-- they hold, so that the cooperative changes them without a release.
-- depends: instructions-0004-caution

-- What holds is the lowest of the law's ceiling and of every rule that fits the order. A row says
-- what was decided and stays; a newer one for the same takes its place. What lowers a limit holds at
-- once; what raises one holds when a second person has approved it.

create sequence instructions.limit_number;

-- The unit that Peru's ceilings are counted in (Unidad Impositiva Tributaria).
create table instructions.uit (
    number bigint primary key default nextval('instructions.limit_number'),
    effective_on date not null,
    centimos bigint not null check (centimos > 0),
    source text not null,
    raises boolean not null default false,
    asked_by text not null,
    asked_at timestamptz not null,
    approved_by text check (not audit.same_person(approved_by, asked_by)),
    approved_at timestamptz,
    holds boolean not null generated always as (not raises or approved_by is not null) stored,
    check ((approved_by is null) = (approved_at is null))
);

-- The law's ceilings, in UIT; null: it has none of that kind. A row that is not binding switches
-- off what an earlier one said.
create table instructions.legal_ceiling (
    number bigint primary key default nextval('instructions.limit_number'),
    operation text not null,
    effective_on date not null,
    per_operation_uit numeric(8, 2) check (per_operation_uit > 0),
    per_day_uit numeric(8, 2) check (per_day_uit > 0),
    per_month_uit numeric(8, 2) check (per_month_uit > 0),
    binding boolean not null,
    source text not null,
    raises boolean not null default false,
    asked_by text not null,
    asked_at timestamptz not null,
    approved_by text check (not audit.same_person(approved_by, asked_by)),
    approved_at timestamptz,
    holds boolean not null generated always as (not raises or approved_by is not null) stored,
    check ((approved_by is null) = (approved_at is null))
);

-- The cooperative's own limits in céntimos. An operation without a rule for `any` channel at the
-- level `normal` may move nothing.
create table instructions.limit_rule (
    number bigint primary key default nextval('instructions.limit_number'),
    operation text not null,
    -- any, or the name of the network by which an order comes, as its origin has it: `infobip`.
    channel text not null check (channel ~ '^[a-z][a-z0-9_-]*$'),
    -- normal: always; careful: beside it while the house is careful with a member; new_payee: of
    -- what goes to somebody whom the member has not paid a day ago or before.
    level text not null check (level in ('normal', 'careful', 'new_payee')),
    effective_on date not null,
    per_operation_centimos bigint check (per_operation_centimos >= 0), -- null: it says none
    per_day_centimos bigint check (per_day_centimos >= 0),
    per_month_centimos bigint check (per_month_centimos >= 0),
    reason text not null,
    raises boolean not null default false,
    asked_by text not null,
    asked_at timestamptz not null,
    approved_by text check (not audit.same_person(approved_by, asked_by)),
    approved_at timestamptz,
    holds boolean not null generated always as (not raises or approved_by is not null) stored,
    check ((approved_by is null) = (approved_at is null)),
    check (
        (channel, level) <> ('any', 'normal')
        or num_nulls(per_operation_centimos, per_day_centimos, per_month_centimos) = 0
    ),
    -- A payee is new for a day: nothing is counted by the month. And only transfers have payees.
    check (level <> 'new_payee' or (per_month_centimos is null and operation like 'transfers.%'))
);

-- Every order looks for what holds on its date; rows gather over the years.
create index limit_rule_in_effect on instructions.limit_rule
(operation, channel, level, effective_on desc, number desc) where holds;

-- What a member used of an operation's limits on a day; a month is the sum of its days.
create table instructions.usage (
    member_ref text not null,
    operation text not null,
    business_date date not null,
    used_centimos bigint not null,
    -- The part of it that went to payees who were new then. So neither is ever below zero.
    new_payee_centimos bigint not null check (new_payee_centimos between 0 and used_centimos),
    primary key (member_ref, operation, business_date)
) with (fillfactor = 80); -- room on the page for the next version

create type instructions.bounds as (
    per_operation bigint,
    per_day bigint,
    per_month bigint,
    new_payee_per_operation bigint,
    new_payee_per_day bigint
);

-- The most that one more order may move, and which bound says so.
create type instructions.room as (
    bound text, -- operation, day, month, new_payee or look_only
    limit_centimos bigint, -- that bound
    left_centimos bigint, -- of it, for this order
    to_new_payee boolean
);

-- ---- What holds -----------------------------------------------------------------------------------

-- The ceiling on a date in céntimos; null: none. A ceiling without a UIT lets nothing pass.
create function instructions.ceiling_on(
    p_operation text, p_on date, out per_operation bigint, out per_day bigint, out per_month bigint
)
language plpgsql stable
as $$
declare
    ceiling record;
begin
    select
        c.binding, c.per_operation_uit, c.per_day_uit, c.per_month_uit,
        coalesce((
            select u.centimos from instructions.uit as u
            where u.effective_on <= p_on and u.holds
            order by u.effective_on desc, u.number desc limit 1
        ), 0) as uit
    into ceiling
    from instructions.legal_ceiling as c
    where c.operation = p_operation and c.effective_on <= p_on and c.holds
    order by c.effective_on desc, c.number desc limit 1;
    if ceiling.binding then
        per_operation := trunc(ceiling.per_operation_uit * ceiling.uit);
        per_day := trunc(ceiling.per_day_uit * ceiling.uit);
        per_month := trunc(ceiling.per_month_uit * ceiling.uit);
    end if;
end
$$;

create function instructions.rule_on(p_operation text, p_channel text, p_level text, p_on date)
returns instructions.limit_rule
language sql stable
begin atomic
    select r from instructions.limit_rule as r
    where r.operation = p_operation and r.channel = p_channel and r.level = p_level
        and r.effective_on <= p_on and r.holds
    order by r.effective_on desc, r.number desc limit 1;
end;

-- The lowest of all that hold for an order that comes by this channel at this level.
create function instructions.bounds_on(
    p_operation text, p_channel text, p_level text, p_on date
) returns instructions.bounds
language plpgsql stable
as $$
declare
    b instructions.bounds;
    ceiling record := instructions.ceiling_on(p_operation, p_on);
    ruled boolean;
begin
    select
        min(r.per_operation_centimos) filter (where r.level <> 'new_payee'),
        min(r.per_day_centimos) filter (where r.level <> 'new_payee'),
        min(r.per_month_centimos),
        min(r.per_operation_centimos) filter (where r.level = 'new_payee'),
        min(r.per_day_centimos) filter (where r.level = 'new_payee'),
        coalesce(bool_or((r.channel, r.level) = ('any', 'normal')), false)
    into
        b.per_operation, b.per_day, b.per_month,
        b.new_payee_per_operation, b.new_payee_per_day, ruled
    from (
        select distinct on (e.channel, e.level) e.*
        from instructions.limit_rule as e
        where e.operation = p_operation and e.channel in ('any', p_channel)
            and e.level in ('normal', 'new_payee', p_level)
            and e.effective_on <= p_on and e.holds
        order by e.channel, e.level, e.effective_on desc, e.number desc
    ) as r;
    if not ruled then
        return (0, 0, 0, null, null)::instructions.bounds;
    end if;
    b.per_operation := least(b.per_operation, ceiling.per_operation);
    b.per_day := least(b.per_day, ceiling.per_day);
    b.per_month := least(b.per_month, ceiling.per_month);
    return b;
end
$$;

-- What one more order may move, with what was used of the day and the month. Whoever is to rely on
-- it holds the usage's lock.
create function instructions.room_for(
    p_operation text, p_member_ref text, p_counterparty_ref text, p_channel text, p_on date,
    p_payee_known_since timestamptz, p_level text
) returns instructions.room
language plpgsql stable
as $$
declare
    b instructions.bounds;
    used record;
    room instructions.room;
begin
    if p_level = 'look_only' then
        return ('look_only', 0, 0, false)::instructions.room;
    end if;
    b := instructions.bounds_on(p_operation, p_channel, p_level, p_on);
    used := instructions.used_by(p_member_ref, p_operation, p_on);
    room := ('operation', b.per_operation, b.per_operation, false);
    if b.per_day - used.today < room.left_centimos then
        room := ('day', b.per_day, b.per_day - used.today, false);
    end if;
    if b.per_month - used.this_month < room.left_centimos then
        room := ('month', b.per_month, b.per_month - used.this_month, false);
    end if;
    room.to_new_payee := instructions.is_new_payee(
        p_member_ref, p_counterparty_ref, p_payee_known_since
    );
    if room.to_new_payee and b.new_payee_per_operation < room.left_centimos then
        room := ('new_payee', b.new_payee_per_operation, b.new_payee_per_operation, true);
    end if;
    if room.to_new_payee and b.new_payee_per_day - used.new_payee_today < room.left_centimos then
        room := (
            'new_payee', b.new_payee_per_day, b.new_payee_per_day - used.new_payee_today, true
        );
    end if;
    room.left_centimos := greatest(0, room.left_centimos); -- a limit may have come down since
    return room;
end
$$;

create function instructions.used_by(
    p_member_ref text, p_operation text, p_on date,
    out today bigint, out this_month bigint, out new_payee_today bigint
)
language plpgsql stable
as $$
begin
    select
        coalesce(sum(u.used_centimos) filter (where u.business_date = p_on), 0)::bigint,
        coalesce(sum(u.used_centimos), 0)::bigint,
        coalesce(sum(u.new_payee_centimos) filter (where u.business_date = p_on), 0)::bigint
    into today, this_month, new_payee_today
    from instructions.usage as u
    where u.member_ref = p_member_ref and u.operation = p_operation
        and u.business_date >= date_trunc('month', p_on)::date
        and u.business_date < (date_trunc('month', p_on) + interval '1 month')::date;
end
$$;

-- Whether the first money that reached a payee from this member is younger than that. Who is not
-- known is new.
create function instructions.is_new_payee(
    p_member_ref text, p_counterparty_ref text, p_known_since timestamptz
) returns boolean
language plpgsql stable
as $$
begin
    return not exists (
        select from instructions.instruction as e
        where e.member_ref = p_member_ref and e.counterparty_ref = p_counterparty_ref
            and e.state = 'posted' and e.accepted_at <= p_known_since
    );
end
$$;

-- ---- An order takes its part, or gives it back ----------------------------------------------------

-- Judge the limits and "again?", and take the amount from what may be used. Orders of one member and
-- operation do so one after the other: each sees what the others took, today's and yesterday's.
-- Answers the draft as accepted, or as refused with its code.
create function instructions.admit(
    i instructions.instruction, p_again_ok boolean, p_again_since timestamptz,
    p_payee_known_since timestamptz
) returns instructions.instruction
language plpgsql
as $$
declare
    -- Between a member's own accounts no limit counts; they queue here all the same.
    counted constant bigint := instructions.counted_centimos(i);
    room instructions.room;
    care constant record := instructions.care_with(i.member_ref, i.accepted_at);
begin
    if care.barred is not null then
        return instructions.refuse(i, care.barred, null);
    end if;
    perform instructions.lock_usage(i.member_ref, i.operation);
    if counted > 0 then
        room := instructions.room_for(
            i.operation, i.member_ref, i.counterparty_ref, i.channel, i.business_date,
            p_payee_known_since, care.level
        );
        if counted > room.left_centimos then
            return instructions.refuse_over(i, room);
        end if;
    end if;
    if not p_again_ok and exists (
        select from instructions.instruction as e
        where e.member_ref = i.member_ref and e.accepted_at > p_again_since
            and e.target = i.target and e.amount_centimos = i.amount_centimos
            and e.state in ('accepted', 'unknown', 'posted')
    ) then
        return instructions.refuse(i, 'again', null);
    end if;
    i.to_new_payee := room.to_new_payee;
    if counted > 0 then
        perform instructions.take(i);
    end if;
    i.state := 'accepted';
    return i;
end
$$;

-- One lock for a member and operation, and not the rows of single days: around midnight two orders
-- of two days use up one month.
create function instructions.lock_usage(p_member_ref text, p_operation text) returns void
language plpgsql
as $$
begin
    perform pg_advisory_xact_lock(
        hashtextextended('instructions.usage ' || p_operation || ' ' || p_member_ref, 0)
    );
end
$$;

create function instructions.refuse_over(
    i instructions.instruction, room instructions.room
) returns instructions.instruction
language plpgsql immutable
as $$
begin
    if room.bound = 'look_only' then
        return instructions.refuse(i, 'look_only', null);
    end if;
    i.bound := room.bound;
    i.left_centimos := room.left_centimos;
    return instructions.refuse(i, 'over_limit', room.limit_centimos);
end
$$;

-- What an order takes of the limits.
create function instructions.counted_centimos(i instructions.instruction) returns bigint
language plpgsql immutable
as $$
begin
    return case when i.counterparty_ref = i.member_ref then 0 else i.amount_centimos end;
end
$$;

create function instructions.take(i instructions.instruction) returns void
language plpgsql
as $$
begin
    insert into instructions.usage as u
    values (
        i.member_ref, i.operation, i.business_date, i.amount_centimos,
        case when i.to_new_payee then i.amount_centimos else 0 end
    )
    on conflict (member_ref, operation, business_date) do update set
        used_centimos = u.used_centimos + excluded.used_centimos,
        new_payee_centimos = u.new_payee_centimos + excluded.new_payee_centimos;
end
$$;

-- An order that does not move money gives back what it took, on the day it took it from.
create function instructions.give_back(i instructions.instruction) returns void
language plpgsql
as $$
begin
    update instructions.usage set
        used_centimos = used_centimos - instructions.counted_centimos(i),
        new_payee_centimos = new_payee_centimos
            - case when i.to_new_payee then instructions.counted_centimos(i) else 0 end
    where member_ref = i.member_ref and operation = i.operation and business_date = i.business_date;
end
$$;

-- ---- What members may know ------------------------------------------------------------------------

-- Before the PIN: whether an order would pass.
create function instructions.room_now(
    p_operation text, p_member_ref text, p_counterparty_ref text, p_channel text, p_on date,
    p_payee_known_since timestamptz, p_now timestamptz
) returns setof instructions.room
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
begin
    return next instructions.room_for(
        p_operation, p_member_ref, p_counterparty_ref, p_channel, p_on, p_payee_known_since,
        instructions.level(p_member_ref, p_now)
    );
end
$$;

-- A member's limits for each operation that has any, and what is left of them.
create function instructions.standing(
    p_member_ref text, p_channel text, p_on date, p_now timestamptz
)
returns table (
    operation text, level text, per_operation_centimos bigint, per_day_centimos bigint,
    left_today_centimos bigint, per_month_centimos bigint, left_this_month_centimos bigint
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        o.operation, l.level, b.per_operation, b.per_day,
        greatest(0, least(b.per_day - u.today, b.per_month - u.this_month)),
        b.per_month,
        greatest(0, b.per_month - u.this_month)
    from (
        select distinct r.operation from instructions.limit_rule as r
        where r.channel = 'any' and r.level = 'normal' and r.effective_on <= p_on and r.holds
    ) as o
    cross join instructions.level(p_member_ref, p_now) as l (level)
    cross join instructions.bounds_on(o.operation, p_channel, l.level, p_on) as b
    cross join instructions.used_by(p_member_ref, o.operation, p_on) as u
    order by o.operation desc;
end;

revoke execute on all functions in schema instructions from public;
grant execute on function instructions.room_now, instructions.standing to chaski_app;
