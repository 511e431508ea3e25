-- The seals: what was written up to a point, counted and hashed, each seal over the one before it.
-- depends: audit-0002-lines

create table audit.seal (
    number bigint primary key check (number > 0),
    -- It covers the rows with from_xact <= xact < through_xact.
    from_xact bigint not null,
    through_xact bigint not null check (through_xact > from_xact),
    sealed_at timestamptz not null,
    previous bytea not null check (octet_length(previous) = 32),
    hash bytea not null check (octet_length(hash) = 32)
);

-- What a seal says of one kind of line.
create table audit.part (
    -- Deferred: a seal is written when its parts are there.
    number bigint not null references audit.seal deferrable initially deferred,
    kind text not null,
    lines bigint not null check (lines >= 0),
    -- SHA-256 over the lines in the order of (xact, line), bytes of UTF-8, each with a line break.
    digest bytea not null check (octet_length(digest) = 32),
    -- The first eight bytes of each line's own SHA-256, one after the other: so that it can be said
    -- which row it is.
    marks bytea not null,
    primary key (number, kind),
    check (octet_length(marks) = 8 * lines)
);

create trigger seal_stays before update or delete or truncate on audit.seal
for each statement execute function audit.refuse_change();

create trigger part_stays before update or delete or truncate on audit.part
for each statement execute function audit.refuse_change();

-- The text that a seal's hash is of, to which psql adds a line break when it prints it: that belongs
-- to it too.
create function audit.text_of(s audit.seal) returns text
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select concat_ws(
        E'\n', 'chaski seal 1', s.number, s.from_xact, s.through_xact,
        to_char(s.sealed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        encode(s.previous, 'hex'),
        (
            select string_agg(
                concat_ws(
                    ' ', p.kind, p.lines, encode(p.digest, 'hex'), encode(sha256(p.marks), 'hex')
                ),
                E'\n' order by p.kind collate "C"
            )
            from audit.part as p where p.number = s.number
        )
    );
end;

-- One kind's part of a seal.
create function audit.write_part(p_number bigint, p_kind text, p_from bigint, p_through bigint)
returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    counted bigint;
begin
    -- One statement, and so one snapshot: count, digest and marks are of the same lines.
    execute format(
        $q$
        insert into audit.part
        select
            $1, $2, count(*),
            sha256(convert_to(coalesce(string_agg(line || E'\n', '' order by xact, line), ''), 'UTF8')),
            coalesce(string_agg(
                substring(sha256(convert_to(line || E'\n', 'UTF8')) from 1 for 8), ''::bytea
                order by xact, line
            ), '')
        from audit.%I where xact >= $3 and xact < $4
        returning lines
        $q$, 'line_' || p_kind
    ) into counted using p_number, p_kind, p_from, p_through;
    return counted;
end
$$;

-- Whether a period is over: cheap, and asked before the patient work.
create function audit.seal_is_due(p_now timestamptz, p_period interval) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select coalesce(
        (select s.sealed_at from audit.seal as s order by s.number desc limit 1) <= p_now - p_period,
        true
    );
end;

-- How far the next seal goes: null where nothing was written since. A seal is bounded, so that the
-- days in which no worker ran are sealed piece by piece.
create function audit.next_through(p_from bigint, p_complete bigint, p_xacts_max bigint)
returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    first bigint;
    candidate bigint;
    k text;
begin
    foreach k in array audit.kinds() loop
        execute format('select min(xact) from audit.%I where xact >= $1 and xact < $2', 'line_' || k)
        into candidate using p_from, least(p_complete, p_from + p_xacts_max);
        first := least(first, candidate);
    end loop;
    if first is not null then
        return least(p_complete, p_from + p_xacts_max);
    end if;
    -- Nothing near: other databases of the server use up numbers too.
    foreach k in array audit.kinds() loop
        execute format('select min(xact) from audit.%I where xact >= $1 and xact < $2', 'line_' || k)
        into candidate using p_from, p_complete;
        first := least(first, candidate);
    end loop;
    return case when first is not null then least(p_complete, first + p_xacts_max) end;
end
$$;

-- Seal what is complete, at most p_xacts_max transactions of it, and answer the new seal; nothing
-- where nothing was written, or where another is sealing. Killed anywhere, it has sealed nothing.
--
-- Complete is what is below the oldest transaction that still runs: no row with such a number can
-- appear any more. A transaction that is held open holds the seals back, and never falls between
-- two. Nothing is locked but the right to seal: a posting neither waits for a seal nor sees it.
create function audit.seal(p_now timestamptz, p_xacts_max bigint)
returns table (number bigint, hash text, lines bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    last audit.seal;
    fresh audit.seal;
    addend bigint := audit.xact() - pg_current_xact_id()::text::bigint;
    complete bigint;
    sealed bigint := 0;
    k text;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('audit.seal', 0)) then
        return;
    end if;
    select * into last from audit.seal as s order by s.number desc limit 1;
    complete := pg_snapshot_xmin(pg_current_snapshot())::text::bigint + addend;
    if complete < last.through_xact then
        raise exception 'transactions are counted from anew: was a dump restored?'
            using hint = 'As the owner, before anything is written: chaski audit go-on.';
    end if;
    fresh.number := coalesce(last.number, 0) + 1;
    fresh.from_xact := coalesce(last.through_xact, 0);
    fresh.through_xact := audit.next_through(fresh.from_xact, complete, p_xacts_max);
    if fresh.through_xact is null then
        return;
    end if;
    fresh.sealed_at := p_now;
    fresh.previous := coalesce(last.hash, sha256(''));
    foreach k in array audit.kinds() loop
        sealed := sealed + audit.write_part(
            fresh.number, k, fresh.from_xact, fresh.through_xact
        );
    end loop;
    fresh.hash := sha256(convert_to(audit.text_of(fresh) || E'\n', 'UTF8'));
    insert into audit.seal select fresh.*;
    return query select fresh.number, encode(fresh.hash, 'hex'), sealed;
end
$$;

-- After a dump was restored into another server, which counts its transactions from its own
-- beginning: let `audit.xact` go on above every number that was ever written. For the owner, before
-- anything is written there.
create function audit.go_on_after_restore() returns bigint
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    highest bigint;
    candidate bigint;
    k text;
begin
    select max(s.through_xact) into highest from audit.seal as s;
    foreach k in array audit.kinds() loop
        execute format('select max(xact) + 1 from audit.%I', 'line_' || k) into candidate;
        highest := greatest(highest, candidate);
    end loop;
    highest := greatest(0, highest - pg_current_xact_id()::text::bigint);
    execute format(
        'create or replace function audit.xact() returns bigint language sql volatile begin atomic '
        'select pg_current_xact_id()::text::bigint + %s; end', highest
    );
    return highest;
end
$$;

-- The newest seal; nothing before the first.
create function audit.head() returns table (number bigint, hash text, sealed_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select s.number, encode(s.hash, 'hex'), s.sealed_at
    from audit.seal as s order by s.number desc limit 1;
end;

revoke execute on all functions in schema audit from public;
grant execute on function audit.seal, audit.seal_is_due, audit.head to chaski_app;
