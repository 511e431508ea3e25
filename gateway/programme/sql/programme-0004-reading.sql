-- What the figures are read by: from sums alone, a few rows each, whatever the number of events.
-- depends: programme-0003-summing

-- Each is of a period, both days included; what is counted as of a day is as of its last one.

-- The last day of a period as of which members were counted.
create function programme.counted(p_last date) returns date
language sql stable set search_path = pg_catalog, pg_temp
return (select max(as_of) from programme.activity_day where as_of <= p_last);

-- Who is registered, has a PIN and is active: by where they live, whether that is in the country, and
-- what they speak. The register has no memory: of days before it was first looked at nothing is said.
create function programme.members(p_last date)
returns table (
    district text, name text, department text, rural text, language text,
    registered bigint, enrolled bigint, active_30 bigint, active_90 bigint
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with register as (
        select r.* from programme.register_day as r
        where r.as_of = (select max(as_of) from programme.register_day where as_of <= p_last)
    ),
    activity as (
        select a.* from programme.activity_day as a where a.as_of = programme.counted(p_last)
    )
    select
        coalesce(r.district, a.district) as code,
        coalesce(d.name, ''),
        coalesce(d.department, ''),
        coalesce(r.rural, a.rural),
        coalesce(r.language, a.language),
        coalesce(r.registered, 0),
        coalesce(r.enrolled, 0),
        coalesce(a.active_30, 0),
        coalesce(a.active_90, 0)
    from register as r
    full join activity as a
        on a.district = r.district and a.rural = r.rural and a.language = r.language
    left join programme.district as d on d.code = coalesce(r.district, a.district);
end;

-- How many members were active and reached, week by week up to the last day.
create function programme.course(p_first date, p_last date)
returns table (as_of date, active_30 bigint, active_90 bigint, reached_30 bigint, reached_90 bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with active as (
        select a.as_of, sum(a.active_30)::bigint as days_30, sum(a.active_90)::bigint as days_90
        from programme.activity_day as a
        where a.as_of between p_first and p_last
            and (programme.counted(p_last) - a.as_of) % 7 = 0
        group by a.as_of
    )
    select
        c.as_of, c.days_30, c.days_90,
        coalesce(sum(r.reached_30), 0)::bigint, coalesce(sum(r.reached_90), 0)::bigint
    from active as c
    left join programme.reach_day as r on r.as_of = c.as_of
    group by c.as_of, c.days_30, c.days_90
    order by c.as_of;
end;

-- Money orders by channel, from the instructions.
create function programme.orders(p_first date, p_last date)
returns table (channel text, operation text, state text, orders bigint, centimos bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select o.channel, o.operation, o.state, sum(o.orders)::bigint, sum(o.centimos)::bigint
    from programme.order_day as o
    where o.day between p_first and p_last
    group by o.channel, o.operation, o.state
    order by 1, 2, 3;
end;

-- What was asked that moves no money, by channel.
create function programme.requests(p_first date, p_last date)
returns table (channel text, operation text, outcome text, requests bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select r.channel, r.operation, r.outcome, sum(r.requests)::bigint
    from programme.request_day as r
    where r.day between p_first and p_last
    group by r.channel, r.operation, r.outcome
    order by 1, 2, 3;
end;

-- The steps of each journey in their order: `done` is the bank's yes. `place`: tenths.
create function programme.steps(p_first date, p_last date)
returns table (journey text, step text, reached bigint, lost bigint, place bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        s.journey, s.step, sum(s.reached)::bigint, sum(s.lost)::bigint,
        (sum(s.places) * 10 / sum(s.reached))::bigint as place
    from programme.step_day as s
    where s.day between p_first and p_last
    group by s.journey, s.step
    order by s.journey, s.step = 'done', place, s.step;
end;

-- Sessions by channel, and what became of them.
create function programme.sessions(p_first date, p_last date)
returns table (
    channel text, network text, ended text, result text, cause text,
    sessions bigint, hops bigint, seconds bigint
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        s.channel, s.network, s.ended, s.result, s.cause,
        sum(s.sessions)::bigint, sum(s.hops)::bigint, sum(s.seconds)::bigint
    from programme.session_day as s
    where s.day between p_first and p_last
    group by s.channel, s.network, s.ended, s.result, s.cause
    order by 1, 2, 3, 4, 5;
end;

-- What a unit cost on a day; null: nobody has said.
create function programme.tariff_on(p_what text, p_day date) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (
    select micros from programme.tariff
    where what = p_what and effective_on <= p_day
    order by effective_on desc limit 1
);

-- What was used and what it cost, in millionths of a sol, by the tariff of each day. `unpriced`: units
-- of days of which no tariff says anything. An SMS to us is no session of USSD.
create function programme.costs(p_first date, p_last date)
returns table (what text, units bigint, micros bigint, unpriced bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with used as (
        select 'ussd_session' as what, s.day, sum(s.sessions)::bigint as units
        from programme.session_day as s
        where s.day between p_first and p_last and s.channel <> 'sms'
        group by s.day
        union all
        select 'sms_segment', m.day, sum(m.segments)::bigint
        from programme.message_day as m
        where m.day between p_first and p_last
        group by m.day
    ),
    priced as (
        select u.what, u.units, programme.tariff_on(u.what, u.day) as price from used as u
    )
    select
        p.what, sum(p.units)::bigint, coalesce(sum(p.units * p.price), 0)::bigint,
        coalesce(sum(p.units) filter (where p.price is null), 0)::bigint
    from priced as p
    group by p.what
    order by p.what desc;
end;

-- Money orders carried out by phone, by where the member lives, and the visits that they stand for: by
-- what was said of the district as of that day, and without a word of its own, of everywhere.
create function programme.travel_avoided(p_first date, p_last date)
returns table (
    district text, name text, department text, orders bigint, centimos_moved bigint,
    minutes bigint, centimos bigint, unknown bigint
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with done as (
        select o.district, o.day, sum(o.orders)::bigint as orders, sum(o.centimos)::bigint as moved
        from programme.order_day as o
        where o.day between p_first and p_last and o.state = 'posted'
        group by o.district, o.day
    ),
    span as (
        select
            t.district, t.effective_on, t.minutes, t.centimos,
            lead(t.effective_on, 1, 'infinity') over (
                partition by t.district order by t.effective_on
            ) as until
        from programme.travel as t
    ),
    trip as (
        select
            d.*, coalesce(own.minutes, everywhere.minutes) as minutes,
            coalesce(own.centimos, everywhere.centimos) as centimos
        from done as d
        left join span as own
            on own.district = d.district and d.day >= own.effective_on and d.day < own.until
        left join span as everywhere
            on everywhere.district = ''
            and d.day >= everywhere.effective_on and d.day < everywhere.until
    )
    select
        t.district, coalesce(n.name, ''), coalesce(n.department, ''),
        sum(t.orders)::bigint, sum(t.moved)::bigint,
        coalesce(sum(t.orders * t.minutes), 0)::bigint,
        coalesce(sum(t.orders * t.centimos), 0)::bigint,
        coalesce(sum(t.orders) filter (where t.minutes is null), 0)::bigint
    from trip as t
    left join programme.district as n on n.code = t.district
    group by t.district, n.name, n.department
    order by 4 desc, 1;
end;

-- The assumptions that hold on a day, to stand beside the figure.
create function programme.assumptions(p_last date)
returns table (
    kind text, what text, name text, effective_on date, minutes integer, amount bigint, source text
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from (
        select distinct on (t.district)
            'travel' as kind, t.district as what, coalesce(d.name, '') as name, t.effective_on,
            t.minutes, t.centimos as amount, t.source
        from programme.travel as t left join programme.district as d on d.code = t.district
        where t.effective_on <= p_last
        order by t.district, t.effective_on desc
    ) as travel
    union all
    select * from (
        select distinct on (f.what)
            'tariff', f.what, '', f.effective_on, null::integer, f.micros, f.source
        from programme.tariff as f
        where f.effective_on <= p_last
        order by f.what, f.effective_on desc
    ) as tariff
    order by 1, 2;
end;

-- The targets, the next ones first.
create function programme.targets()
returns table (indicator text, due_on date, value bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select t.indicator, t.due_on, t.value from programme.target as t order by t.due_on, t.indicator;
end;

-- Up to when the sums were kept; null: never.
create function programme.summed_until() returns timestamptz
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select until from programme.looked);

revoke execute on all functions in schema programme from public;
