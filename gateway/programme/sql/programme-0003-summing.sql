-- How the sums are made: a day at a time, whole, from events, orders and messages.
-- depends: programme-0002-sums  events-0001-events  instructions-0009-forgetting  notices-0009-forgetting

create function programme.day_starts(p_day date, p_zone text) returns timestamptz
language sql stable
return p_day::timestamp at time zone p_zone;

create function programme.rural_word(p_rural boolean) returns text
language sql immutable
return case p_rural when true then 'yes' when false then 'no' else 'unknown' end;

-- All sums of sessions of a day. A session may pass midnight, and counts where it began: half an hour
-- on either side is looked at, which is longer than any session. One of which no end is known has
-- timed out when nothing was heard for ten minutes; until then it is not counted.
create function programme.sum_sessions(p_day date, p_zone text, p_now timestamptz) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    starts constant timestamptz := programme.day_starts(p_day, p_zone);
    ends constant timestamptz := programme.day_starts(p_day + 1, p_zone);
begin
    delete from programme.session_day where day = p_day;
    delete from programme.caller_day where day = p_day;
    delete from programme.step_day where day = p_day;
    delete from programme.reached_day where day = p_day;
    with heard as materialized (
        select
            e.session, e.at, e.source, e.number, e.kind, e.member, e.channel, e.network, e.language,
            e.district, e.journey, e.step, e.misread, e.outcome, e.ended, e.cause,
            e.kind = 'step.reached' and e.step not in ('menu', 'told', 'over', 'resume') as steps,
            e.kind = 'operation.ended' and e.journey <> '' as carries_out
        from events.event as e
        where e.day between p_day - 1 and p_day + 1 and e.session is not null
            and e.at >= starts - interval '30 minutes' and e.at < ends + interval '30 minutes'
    ),
    talk as materialized (
        select
            h.session,
            max(h.channel) as channel,
            coalesce(max(h.network), '') as network,
            coalesce(max(h.language), '') as language,
            coalesce(max(h.district), '') as district,
            coalesce(max(h.member), 0) as member,
            count(*) filter (where h.kind = 'step.reached') as hops,
            extract(epoch from max(h.at) - min(h.at))::bigint as seconds,
            max(h.at) as last_at,
            min(h.ended) filter (where h.ended = 'failed') as failed,
            min(h.cause) filter (where h.ended = 'failed') as failed_by,
            min(h.ended) filter (where h.ended = 'finished') as finished,
            min(h.ended) filter (where h.ended = 'left') as hung_up,
            bool_or(h.steps or h.carries_out) as tried,
            bool_or(h.carries_out and h.outcome in ('done', 'pending')) as done,
            (array_agg(h.outcome order by h.at desc, h.source, h.number desc)
                filter (where h.carries_out))[1] as answer,
            (array_agg(h.misread order by h.at desc, h.source, h.number desc)
                filter (where h.kind = 'step.reached'))[1] as misread
        from heard as h
        group by h.session
        having min(h.at) >= starts and min(h.at) < ends
    ),
    judged as (
        select
            t.*,
            coalesce(t.finished, t.failed, t.hung_up, 'timed_out') as ended,
            case
                when coalesce(t.done, false) then 'done'
                when coalesce(t.tried, false) or t.failed is not null then 'failed'
                else 'looked'
            end as result,
            case
                when t.failed is not null then t.failed_by
                when t.answer not in ('done', 'pending') then t.answer
                when t.misread then 'not_understood'
                when t.finished is not null then 'gave_up'
                else 'silence'
            end as cause
        from talk as t
        where coalesce(t.finished, t.failed, t.hung_up) is not null
            or t.last_at < p_now - interval '10 minutes'
    ),
    sessions as (
        insert into programme.session_day
        select
            p_day, channel, network, ended, result, case when result = 'failed' then cause else '' end,
            count(*), sum(hops), sum(seconds)
        from judged
        group by 2, 3, 4, 5, 6
    ),
    callers as (
        insert into programme.caller_day
        select p_day, channel, language, district, count(*) from judged group by 2, 3, 4
    ),
    who as (
        insert into programme.reached_day
        select p_day, member, max(district) from talk where member > 0 group by member
    ),
    seen as (
        select
            h.session, h.channel, h.journey, case when h.steps then h.step else 'done' end as step,
            min(h.at) as first_at, max(h.at) as last_at
        from heard as h
        join talk as t on t.session = h.session
        where h.steps or (h.carries_out and h.outcome in ('done', 'pending'))
        group by 1, 2, 3, 4
    ),
    placed as (
        select
            s.*,
            row_number() over (
                partition by s.session, s.journey order by s.step = 'done', s.first_at, s.step
            ) as place,
            s.step <> 'done' and not bool_or(s.step = 'done') over through
                and s.last_at = max(s.last_at) over through as lost
        from seen as s
        window through as (partition by s.session, s.journey)
    )
    insert into programme.step_day
    select p_day, channel, journey, step, count(*), count(*) filter (where lost), sum(place)
    from placed
    group by 2, 3, 4;
end
$$;

create function programme.sum_requests(p_day date) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    delete from programme.request_day where day = p_day;
    insert into programme.request_day
    select p_day, e.channel, e.operation, e.outcome, count(*)
    from events.event as e
    where e.day = p_day and e.kind = 'operation.ended'
    group by e.channel, e.operation, e.outcome;
end;

create function programme.sum_orders(p_day date, p_zone text) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    starts constant timestamptz := programme.day_starts(p_day, p_zone);
    ends constant timestamptz := programme.day_starts(p_day + 1, p_zone);
begin
    delete from programme.order_day where day = p_day;
    insert into programme.order_day
    select
        p_day, coalesce(i.channel, ''), coalesce(m.district, ''), i.operation, i.state, count(*),
        sum(i.amount_centimos)
    from instructions.instruction as i
    left join bank.member as m on m.member_ref = i.member_ref
    where i.settled_at >= starts and i.settled_at < ends and i.operation is not null
    group by 2, 3, 4, 5;
    delete from programme.active_day where day = p_day;
    insert into programme.active_day
    select distinct p_day, i.member_ref
    from instructions.instruction as i
    where i.settled_at >= starts and i.settled_at < ends and i.state = 'posted';
end
$$;

create function programme.sum_messages(p_day date, p_zone text) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    starts constant timestamptz := programme.day_starts(p_day, p_zone);
    ends constant timestamptz := programme.day_starts(p_day + 1, p_zone);
begin
    delete from programme.message_day where day = p_day;
    insert into programme.message_day
    select p_day, o.fact, s.sender, count(*), sum(s.segments)
    from notices.submissions as s
    join notices.outbox as o on o.id = s.notice_id
    where s.taken_at >= starts and s.taken_at < ends
    group by o.fact, s.sender;
end
$$;

-- The members as of a day. `last_day` answers both windows at once.
create function programme.count_members(p_as_of date) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    delete from programme.activity_day where as_of = p_as_of;
    insert into programme.activity_day
    select
        p_as_of, coalesce(m.district, ''), programme.rural_word(m.rural), coalesce(m.language, ''),
        count(*) filter (where a.last_day > p_as_of - 30), count(*)
    from (
        select member_ref, max(day) as last_day
        from programme.active_day
        where day > p_as_of - 90 and day <= p_as_of
        group by member_ref
    ) as a
    left join bank.member as m on m.member_ref = a.member_ref
    group by 2, 3, 4;
    delete from programme.reach_day where as_of = p_as_of;
    insert into programme.reach_day
    select p_as_of, r.district, count(*) filter (where r.last_day > p_as_of - 30), count(*)
    from (
        select member, max(day) as last_day, (array_agg(district order by day desc))[1] as district
        from programme.reached_day
        where day > p_as_of - 90 and day <= p_as_of
        group by member
    ) as r
    group by r.district;
end;

create function programme.look_at_register(p_as_of date) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    delete from programme.register_day where as_of = p_as_of;
    insert into programme.register_day
    select
        p_as_of, m.district, programme.rural_word(m.rural), m.language, count(*), count(c.member_ref)
    from bank.member as m
    left join bank.pin_credential as c on c.member_ref = m.member_ref
    group by 2, 3, 4;
end;

-- The day, as the cooperative has it.
create function programme.today(p_zone text, p_now timestamptz) returns date
language sql stable
return (p_now at time zone p_zone)::date;

-- Whether nobody has looked for so long: several workers do it once.
create function programme.is_due(p_now timestamptz, p_every interval) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select not exists (
        select from programme.looked where until > p_now - p_every and until <= p_now
    );
end;

-- What has to be summed: days of which events were heard, each with the day before it, from which a
-- session may come; and those that the clock brings. The first time: all since the first order.
create function programme.note_due(p_zone text, p_now timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    today constant date := programme.today(p_zone, p_now);
    since timestamptz;
begin
    select l.until into since from programme.looked as l for update;
    if since is null then
        select min(i.settled_at) into since from instructions.instruction as i;
    end if;
    with gone as (
        delete from events.touched returning day
    ), days as (
        select day from gone
        union
        select day - 1 from gone
        union
        select generate_series(
            programme.today(p_zone, coalesce(since, p_now) - interval '1 hour'), today,
            interval '1 day'
        )::date
    )
    insert into programme.due select day from days where day <= today
    on conflict do nothing;
    insert into programme.count_due values (today) on conflict do nothing;
    insert into programme.looked (until) values (p_now)
    on conflict (only_one) do update set until = excluded.until;
end
$$;

-- Sum the oldest day that is due. Answers it, or null where none is.
create function programme.sum_next(p_zone text, p_now timestamptz) returns date
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    today constant date := programme.today(p_zone, p_now);
    found_day date;
begin
    -- One at a time: two that sum the same day would write the same rows.
    perform pg_advisory_xact_lock(hashtextextended('programme.sums', 0));
    delete from programme.due where day = (select min(d.day) from programme.due as d)
    returning day into found_day;
    if found_day is null then
        return null;
    end if;
    perform programme.sum_sessions(found_day, p_zone, p_now);
    perform programme.sum_requests(found_day);
    perform programme.sum_orders(found_day, p_zone);
    perform programme.sum_messages(found_day, p_zone);
    insert into programme.count_due
    select generate_series(found_day, least(found_day + 89, today), interval '1 day')::date
    on conflict do nothing;
    return found_day;
end
$$;

-- Count the members as of the oldest day that is due. Answers it, or null where none is.
create function programme.count_next(p_zone text, p_now timestamptz) returns date
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    found_day date;
begin
    perform pg_advisory_xact_lock(hashtextextended('programme.sums', 0));
    delete from programme.count_due where as_of = (select min(c.as_of) from programme.count_due as c)
    returning as_of into found_day;
    if found_day is null then
        return null;
    end if;
    perform programme.count_members(found_day);
    if found_day = programme.today(p_zone, p_now) then
        perform programme.look_at_register(found_day);
    end if;
    return found_day;
end
$$;

-- Have everything summed anew: after the register changed, or because somebody does not believe it.
create function programme.recount() returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    insert into programme.due
    select day from programme.session_day union select day from programme.order_day
    on conflict do nothing;
end;

-- The members' days, when no figure looks back so far.
create function programme.forget_days(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with old as (
        select day, member_ref from programme.active_day where day < p_before::date limit p_rows
    ), gone as (
        delete from programme.active_day as a using old
        where a.day = old.day and a.member_ref = old.member_ref
        returning 1
    ), older as (
        select day, member from programme.reached_day where day < p_before::date limit p_rows
    ), gone_too as (
        delete from programme.reached_day as r using older
        where r.day = older.day and r.member = older.member
        returning 1
    )
    select (select count(*) from gone) + (select count(*) from gone_too);
end;

revoke execute on all functions in schema programme from public;
grant execute on function programme.is_due, programme.note_due, programme.sum_next, programme.count_next,
    programme.forget_days to chaski_app;
