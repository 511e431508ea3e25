-- Which screens a member saw: their names, from the events. What stood on them nobody keeps.
-- depends: console-0001-reading  events-0001-events

-- The last sessions of a member since a day, screen by screen. The events know members by a keyed
-- hash; whoever asks for one of them leaves a trace under their reference. A session's events are
-- looked for among those of its own minutes, by the key of the table.
create function console.screens(
    p_member_ref text, p_member bigint, p_by text, p_since date, p_within interval,
    p_sessions integer, p_now timestamptz
) returns table (
    session bigint, began_at timestamptz, at timestamptz, kind text, channel text, journey text,
    step text, misread boolean, operation text, outcome text, ended text, cause text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    perform audit.write('staff', p_by, 'screens.viewed', p_member_ref, '{}', p_now);
    return query
        with sessions as (
            select b.session, b.day, b.at
            from events.event as b
            where b.day >= p_since and b.kind = 'session.began' and b.member = p_member
            order by b.at desc
            limit p_sessions
        )

        select
            s.session, s.at, e.at, e.kind, e.channel, e.journey, e.step, e.misread, e.operation,
            e.outcome, e.ended, e.cause
        from sessions as s
        cross join lateral (
            select k.* from events.event as k
            where k.day between s.day and s.day + 1
                and k.at between s.at and s.at + p_within
                and k.session = s.session
        ) as e
        order by s.at desc, e.at, e.number;
end
$$;

revoke execute on function console.screens from public;
grant execute on function console.screens to chaski_staff;
