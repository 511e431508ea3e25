-- What happened, for the programme's figures: appended by the gateway, read and summed by the owner.
-- depends: db-0001-roles

create schema events;

grant usage on schema events to chaski_app;

-- The columns are the fields of gateway/events/kinds.py: a kind fills those that it has. Partitioned
-- by the month of the cooperative's business day, so that a month is forgotten by dropping a table.
create table events.event (
    day date not null,
    at timestamptz not null,
    source bigint not null, -- the process that recorded it: a random number
    number bigint not null, -- which one it was there
    kind text not null,
    session bigint,
    member bigint,
    channel text,
    network text,
    language text,
    district text,
    journey text,
    step text,
    misread boolean,
    operation text,
    outcome text,
    band text,
    ended text,
    cause text,
    notice text,
    segments integer,
    -- The same event counts once. `at` is in it so that a stretch of a day is found by it too.
    primary key (day, at, source, number)
) partition by range (day);

-- Days about which something was heard, until they are summed. Appended to and emptied; two batches
-- never wait for one another.
create table events.touched (
    day date not null
);

-- A month's table, if it is not there yet.
create function events.make_month(p_day date) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    begins constant date := date_trunc('month', p_day);
    month_table constant text := 'event_' || to_char(begins, 'YYYY_MM');
begin
    if to_regclass('events.' || month_table) is null then
        -- Several processes may hear of a new month at the same moment.
        perform pg_advisory_xact_lock(hashtextextended('events.make_month', 0));
        execute format(
            'create table if not exists events.%I partition of events.event'
            ' for values from (%L) to (%L)',
            month_table, begins, (begins + interval '1 month')::date
        );
    end if;
end
$$;

-- Keep a batch; what came before with the same name is left as it is. Answers how many were new.
create function events.append(p_events jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    kept bigint;
begin
    perform events.make_month(m.month)
    from (
        select distinct date_trunc('month', (e ->> 'day')::date)::date as month
        from jsonb_array_elements(p_events) as e
    ) as m;
    with new as (
        insert into events.event
        select
            e.day, e.at, e.source, e.number, e.kind, e.session, e.member, e.channel, e.network,
            e.language, e.district, e.journey, e.step, e.misread, e.operation, e.outcome, e.band,
            e.ended, e.cause, e.notice, e.segments
        from jsonb_to_recordset(p_events) as e (
            day date, at timestamptz, source bigint, number bigint, kind text, session bigint,
            member bigint, channel text, network text, language text, district text, journey text,
            step text, misread boolean, operation text, outcome text, band text, ended text,
            cause text, notice text, segments integer
        )
        on conflict do nothing
        returning day
    ), days as (
        insert into events.touched select distinct day from new
    )
    select count(*) into kept from new;
    return kept;
end
$$;

-- Forget the oldest month, if all of it is too old. Answers 1, or 0 where there is none. `p_rows` is
-- what the duty gives every kind; a month is one step.
create function events.forget(p_before timestamptz, p_rows integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    oldest text;
begin
    select c.relname into oldest
    from pg_inherits as i join pg_class as c on c.oid = i.inhrelid
    where i.inhparent = 'events.event'::regclass and p_rows > 0
    order by c.relname limit 1;
    if oldest is null
        or to_date(oldest, '"event_"YYYY_MM') + interval '1 month' > p_before - interval '1 day'
    then
        return 0;
    end if;
    execute format('drop table events.%I', oldest);
    return 1;
end
$$;

revoke execute on all functions in schema events from public;
grant execute on function events.append, events.forget to chaski_app;
