-- How limits are changed: by staff, who are named, with a reason; upwards only by two of them.
-- depends: instructions-0005-limits

-- No rule stands above the law on its first day, whoever writes it. Where the law comes down later,
-- the lower of both holds.
create function instructions.refuse_above_ceiling() returns trigger
language plpgsql
as $$
declare
    ceiling record := instructions.ceiling_on(new.operation, new.effective_on);
begin
    if new.per_operation_centimos > ceiling.per_operation
        or new.per_day_centimos > ceiling.per_day
        or new.per_month_centimos > ceiling.per_month
    then
        raise exception 'above the legal ceiling of %', new.operation
        using errcode = 'check_violation', detail = format(
            'céntimos: %s an operation, %s a day, %s a month',
            ceiling.per_operation, ceiling.per_day, ceiling.per_month
        );
    end if;
    return new;
end
$$;

create trigger limit_rule_below_ceiling
before insert or update on instructions.limit_rule
for each row execute function instructions.refuse_above_ceiling();

-- What was decided stays: the one thing that may happen to a row is that somebody approves it.
create function instructions.refuse_rewriting() returns trigger
language plpgsql
as $$
begin
    if tg_op = 'UPDATE' then
        if old.approved_by is null and (
            to_jsonb(new) - array['approved_by', 'approved_at', 'holds']
            = to_jsonb(old) - array['approved_by', 'approved_at', 'holds']
        ) then
            return new;
        end if;
    end if;
    raise exception 'limits are not rewritten: set a new one'
    using errcode = 'insufficient_privilege';
end
$$;

create trigger limit_rule_stays before update or delete on instructions.limit_rule
for each row execute function instructions.refuse_rewriting();
create trigger legal_ceiling_stays before update or delete on instructions.legal_ceiling
for each row execute function instructions.refuse_rewriting();
create trigger uit_stays before update or delete on instructions.uit
for each row execute function instructions.refuse_rewriting();

-- ---- What every cooperative begins with -----------------------------------------------------------

insert into instructions.uit (effective_on, centimos, source, asked_by, asked_at) values
    ('2026-01-01', 550000, 'UIT 2026, as Res. SBS 00704-2026 counts with it', 'chaski', '2026-03-12');

-- Written for simplified electronic money accounts and basic accounts. Whether it binds a
-- cooperative's savings accounts is for the SBS to say: until it has, we keep to it.
insert into instructions.legal_ceiling (
    operation, effective_on, per_operation_uit, per_month_uit, binding, source, asked_by, asked_at
) values
    (
        'transfers.send', '2026-03-12', 0.6, 2.8, true,
        'Res. SBS 00704-2026: 0.6 UIT an operation, 2.8 UIT a month', 'chaski', '2026-03-12'
    );

insert into instructions.limit_rule (
    operation, channel, level, effective_on, per_operation_centimos, per_day_centimos,
    per_month_centimos, reason, asked_by, asked_at
) values
    ('transfers.send', 'any', 'normal', '2020-01-01', 200000, 330000, 1500000, 'shipped', 'chaski', '2026-03-12'),
    ('loans.pay', 'any', 'normal', '2020-01-01', 1000000, 1000000, 3000000, 'shipped', 'chaski', '2026-03-12'),
    -- Whoever has just changed a PIN may be a thief with the phone. A loan is paid all the same.
    ('transfers.send', 'any', 'careful', '2020-01-01', 50000, 50000, null, 'shipped', 'chaski', '2026-03-12');

-- ---- Setting and approving ------------------------------------------------------------------------

-- One change at a time, so that each is measured against the last.
create function instructions.lock_rules() returns void
language plpgsql
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('instructions.limit_rule', 0));
end
$$;

-- Whether p_new allows more than p_old, where null is no bound at all.
create function instructions.allows_more(p_new numeric, p_old numeric) returns boolean
language sql immutable
begin atomic
    select p_old is not null and (p_new is null or p_new > p_old);
end;

create function instructions.refuse_the_past(p_effective_on date, p_today date) returns void
language plpgsql
as $$
begin
    if p_effective_on < p_today then
        raise exception 'a limit cannot begin in the past' using errcode = 'check_violation';
    end if;
end
$$;

-- Answers the new rule. Null bounds take a rule for a channel or a level away.
create function instructions.set_limit(
    p_operation text, p_channel text, p_level text, p_effective_on date,
    p_per_operation bigint, p_per_day bigint, p_per_month bigint,
    p_reason text, p_by text, p_today date, p_now timestamptz
) returns instructions.limit_rule
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    was instructions.limit_rule;
    made instructions.limit_rule;
    opens boolean;
begin
    perform instructions.refuse_the_past(p_effective_on, p_today);
    perform instructions.lock_rules();
    was := instructions.rule_on(p_operation, p_channel, p_level, p_effective_on);
    opens := was.number is null and (p_channel, p_level) = ('any', 'normal');
    insert into instructions.limit_rule (
        operation, channel, level, effective_on, per_operation_centimos, per_day_centimos,
        per_month_centimos, reason, raises, asked_by, asked_at
    ) values (
        p_operation, p_channel, p_level, p_effective_on, p_per_operation, p_per_day, p_per_month,
        p_reason,
        opens -- what could move nothing so far
        or instructions.allows_more(p_per_operation, was.per_operation_centimos)
        or instructions.allows_more(p_per_day, was.per_day_centimos)
        or instructions.allows_more(p_per_month, was.per_month_centimos),
        p_by, p_now
    ) returning * into made;
    perform instructions.write_limit_down('set', made.raises, made.number, p_by, p_now);
    return made;
end
$$;

create function instructions.set_ceiling(
    p_operation text, p_effective_on date, p_per_operation_uit numeric, p_per_day_uit numeric,
    p_per_month_uit numeric, p_binding boolean, p_source text, p_by text, p_today date,
    p_now timestamptz
) returns instructions.legal_ceiling
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    was instructions.legal_ceiling;
    made instructions.legal_ceiling;
begin
    perform instructions.refuse_the_past(p_effective_on, p_today);
    perform instructions.lock_rules();
    select * into was from instructions.legal_ceiling as c
    where c.operation = p_operation and c.effective_on <= p_effective_on and c.holds
    order by c.effective_on desc, c.number desc limit 1;
    insert into instructions.legal_ceiling (
        operation, effective_on, per_operation_uit, per_day_uit, per_month_uit, binding, source,
        raises, asked_by, asked_at
    ) values (
        p_operation, p_effective_on, p_per_operation_uit, p_per_day_uit, p_per_month_uit, p_binding,
        p_source,
        coalesce(was.binding, false) and (
            not p_binding
            or instructions.allows_more(p_per_operation_uit, was.per_operation_uit)
            or instructions.allows_more(p_per_day_uit, was.per_day_uit)
            or instructions.allows_more(p_per_month_uit, was.per_month_uit)
        ),
        p_by, p_now
    ) returning * into made;
    perform instructions.write_limit_down('set', made.raises, made.number, p_by, p_now);
    return made;
end
$$;

create function instructions.set_uit(
    p_effective_on date, p_centimos bigint, p_source text, p_by text, p_today date,
    p_now timestamptz
) returns instructions.uit
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    was bigint;
    made instructions.uit;
begin
    perform instructions.refuse_the_past(p_effective_on, p_today);
    perform instructions.lock_rules();
    select u.centimos into was from instructions.uit as u
    where u.effective_on <= p_effective_on and u.holds
    order by u.effective_on desc, u.number desc limit 1;
    insert into instructions.uit (effective_on, centimos, source, raises, asked_by, asked_at)
    values (p_effective_on, p_centimos, p_source, p_centimos > coalesce(was, 0), p_by, p_now)
    returning * into made;
    perform instructions.write_limit_down('set', made.raises, made.number, p_by, p_now);
    return made;
end
$$;

-- A second person agrees, of whichever of the three it is. Answers whether anything waited.
create function instructions.approve_limit(p_number bigint, p_by text, p_now timestamptz)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    asked_by text;
begin
    perform instructions.lock_rules();
    select w.asked_by into asked_by from instructions.limits_waiting() as w
    where w.number = p_number;
    if not found then
        return false;
    end if;
    if audit.same_person(asked_by, p_by) then
        raise exception 'whoever asked cannot approve: another person does'
        using errcode = 'check_violation';
    end if;
    update instructions.limit_rule set approved_by = p_by, approved_at = p_now
    where number = p_number;
    update instructions.legal_ceiling set approved_by = p_by, approved_at = p_now
    where number = p_number;
    update instructions.uit set approved_by = p_by, approved_at = p_now where number = p_number;
    perform instructions.write_limit_down('approved', false, p_number, p_by, p_now);
    return true;
end
$$;

create function instructions.write_limit_down(
    p_what text, p_raises boolean, p_number bigint, p_by text, p_now timestamptz
) returns void
language sql volatile
begin atomic
    select audit.write(
        'staff', p_by, case when p_raises then 'limit.asked' else 'limit.' || p_what end, null,
        jsonb_build_object('limit', p_number), p_now
    );
end;

-- ---- Looking --------------------------------------------------------------------------------------

-- What waits for a second person.
create function instructions.limits_waiting()
returns table (number bigint, what text, effective_on date, asked_by text, reason text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        r.number,
        format(
            '%s %s %s: %s an operation, %s a day, %s a month', r.operation, r.channel, r.level,
            coalesce(r.per_operation_centimos::text, '-'), coalesce(r.per_day_centimos::text, '-'),
            coalesce(r.per_month_centimos::text, '-')
        ),
        r.effective_on, r.asked_by, r.reason
    from instructions.limit_rule as r
    where not r.holds
    union all
    select
        c.number,
        format(
            '%s ceiling%s: %s UIT an operation, %s a day, %s a month', c.operation,
            case when c.binding then '' else ' off' end, coalesce(c.per_operation_uit::text, '-'),
            coalesce(c.per_day_uit::text, '-'), coalesce(c.per_month_uit::text, '-')
        ),
        c.effective_on, c.asked_by, c.source
    from instructions.legal_ceiling as c
    where not c.holds
    union all
    select u.number, format('UIT: %s', u.centimos), u.effective_on, u.asked_by, u.source
    from instructions.uit as u
    where not u.holds
    order by 1;
end;

-- What holds on a date, and the ceiling above it.
create function instructions.limits_on(p_on date)
returns table (
    operation text, channel text, level text, since date,
    per_operation_centimos bigint, per_day_centimos bigint, per_month_centimos bigint,
    ceiling_per_operation_centimos bigint, ceiling_per_day_centimos bigint,
    ceiling_per_month_centimos bigint, number bigint, reason text
)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select
        r.operation, r.channel, r.level, r.effective_on,
        r.per_operation_centimos, r.per_day_centimos, r.per_month_centimos,
        c.per_operation, c.per_day, c.per_month, r.number, r.reason
    from (
        select distinct on (e.operation, e.channel, e.level) e.*
        from instructions.limit_rule as e
        where e.effective_on <= p_on and e.holds
        order by e.operation, e.channel, e.level, e.effective_on desc, e.number desc
    ) as r
    cross join instructions.ceiling_on(r.operation, p_on) as c
    order by r.operation desc, r.level <> 'normal', r.channel <> 'any', r.level, r.channel;
end;

-- Days whose usage is not the sum of the orders that took it: there should be none.
create function instructions.usage_differing()
returns table (
    member_ref text, operation text, business_date date, used_centimos bigint, orders_centimos bigint
)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with taken as (
        select
            i.member_ref, i.operation, i.business_date, sum(i.amount_centimos) as centimos,
            coalesce(sum(i.amount_centimos) filter (where i.to_new_payee), 0) as new_payee_centimos
        from instructions.instruction as i
        where i.state in ('accepted', 'unknown', 'posted')
            and i.counterparty_ref is distinct from i.member_ref
        group by i.member_ref, i.operation, i.business_date
    )

    select
        coalesce(u.member_ref, t.member_ref), coalesce(u.operation, t.operation),
        coalesce(u.business_date, t.business_date), coalesce(u.used_centimos, 0),
        coalesce(t.centimos, 0)
    from taken as t
    full join instructions.usage as u using (member_ref, operation, business_date)
    where (coalesce(u.used_centimos, 0), coalesce(u.new_payee_centimos, 0))
        <> (coalesce(t.centimos, 0), coalesce(t.new_payee_centimos, 0))
    order by 1, 2, 3;
end;

revoke execute on all functions in schema instructions from public;
