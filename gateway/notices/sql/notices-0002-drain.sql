-- The drain's side of the outbox: claim what is due, say what became of it.
-- depends: notices-0001-outbox

alter table notices.outbox
    -- Why the last attempt failed, for staff. Never the text, never the number.
    add column reason text,
    -- `attempts` counts every claim and never goes back, for it tells an old drain's mark from a new
    -- one's. Not all of them count against the message: those in which certainly nobody took it
    -- (night, a provider's limit, no way out) do not, nor do those before staff requeued it.
    add column excused integer not null default 0,
    add column forgiven integer not null default 0,
    -- Since when certainly nobody took it.
    add column put_back_since timestamptz;

-- Each time that a provider took a message, and what it reported of it. A message whose fate was
-- unknown may have been taken twice. A report may come before the mark of the drain that it is
-- about: then it waits here without a notice, and whoever comes second ties the two together.
create table notices.submissions (
    sender text not null,
    -- What the provider calls it; where it gives no name, ours of the attempt.
    provider_id text not null,
    notice_id bigint,
    taken_at timestamptz,
    segments integer not null default 0,
    -- Millionths of a currency; null where the provider does not say.
    cost_micros bigint,
    currency text,
    -- How far it got: a name and its rank, as in gateway/values/delivery.py.
    state text,
    rank smallint not null default 0,
    reason text,
    opted_out boolean not null default false,
    reported_at timestamptz,
    primary key (sender, provider_id)
);

create index submissions_notice on notices.submissions (notice_id);

-- Who told which provider to send them nothing more.
create table notices.opt_outs (
    member_ref text not null,
    sender text not null,
    opted_out_at timestamptz not null default now(),
    primary key (member_ref, sender)
);

-- What staff gave another chance: when, who, and why it had been given up.
create table notices.requeues (
    notice_id bigint not null,
    requeued_at timestamptz not null default now(),
    requeued_by text not null,
    tries integer not null,
    reason text,
    primary key (notice_id, requeued_at)
);

-- state() counts the dead, who should be few, without reading everything that was ever sent.
create index outbox_dead on notices.outbox (id) where state = 'dead';

-- Takes up to p_rows that are due, the longest due first, for p_lease_s seconds. A row whose lease
-- ends unmarked is due again: its drain is dead. One that outlived its last try this way takes its
-- drain with it each time: it dies here instead of being answered, so fewer rows may come back.
-- A row with `once` has one try, and nobody need look after it when that came to nothing.
-- Since it was told or requeued, tries: the claims that count against it, this one included;
-- put_back: those that do not.
-- now() and not clock_timestamp(): only a stable value lets the index answer `due_at <= …`.
create function notices.claim(p_rows integer, p_lease_s double precision, p_tries_max integer)
returns table (
    id bigint, attempt integer, tries integer, put_back integer,
    fact text, member_ref text, detail jsonb, created_at timestamptz
)
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with due as (
        select
            o.id,
            o.attempts - o.forgiven - o.excused
                >= case when o.once is null then p_tries_max else 1 end as worn_out
        from notices.outbox o
        where o.state in ('waiting', 'sending') and o.due_at <= now()
        order by o.due_at, o.id
        limit p_rows
        for update skip locked
    ), taken as (
        update notices.outbox o
        set state = case
                when not due.worn_out then 'sending'
                when o.once is null then 'dead'
                else 'quiet'
            end,
            attempts = case when due.worn_out then o.attempts else o.attempts + 1 end,
            due_at = now() + make_interval(secs => p_lease_s),
            settled_at = case when due.worn_out then now() end,
            -- The last failure says more than that no try was left.
            reason = case
                when due.worn_out then coalesce(o.reason, 'no attempt was finished')
                else o.reason
            end
        from due
        where o.id = due.id
        returning o.*, due.worn_out
    )
    select
        t.id, t.attempts, t.attempts - t.forgiven - t.excused, t.excused,
        t.fact, t.member_ref, t.detail, t.created_at
    from taken t
    where not t.worn_out
    order by t.id;
end;

-- The marks. Each names the attempt that it speaks for: a drain whose lease was taken over changes
-- nothing and is told false. Each may be repeated, because its answer may get lost.

-- Even a drain that was taken over had the message taken: that costs, and a report will come.
create function notices.sent(
    p_id bigint, p_attempt integer, p_sender text, p_provider_id text, p_segments integer,
    p_cost_micros bigint, p_currency text
) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with marked as (
        update notices.outbox
        set state = 'sent', settled_at = now(), reason = null
        where id = p_id and attempts = p_attempt and state in ('sending', 'sent')
        returning 1
    ), tied as (
        insert into notices.submissions
            (sender, provider_id, notice_id, taken_at, segments, cost_micros, currency)
        values (
            p_sender,
            coalesce(nullif(p_provider_id, ''), 'attempt ' || p_id || '.' || p_attempt),
            p_id, now(), p_segments, p_cost_micros, p_currency
        )
        on conflict (sender, provider_id) do update set
            notice_id = excluded.notice_id,
            taken_at = excluded.taken_at,
            segments = excluded.segments,
            cost_micros = excluded.cost_micros,
            currency = excluded.currency
        returning opted_out
    ), refused as (
        insert into notices.opt_outs (member_ref, sender)
        select o.member_ref, p_sender
        from notices.outbox o, tied
        where o.id = p_id and tied.opted_out
        on conflict do nothing
    )
    select exists (select from marked);
end;

create function notices.quiet(p_id bigint, p_attempt integer) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with marked as (
        update notices.outbox set state = 'quiet', settled_at = now(), reason = null
        where id = p_id and attempts = p_attempt and state in ('sending', 'quiet')
        returning 1
    )
    select exists (select from marked);
end;

-- The member told the provider to send nothing more. That is no fault, and nobody need mend it.
create function notices.opted_out(p_id bigint, p_attempt integer, p_sender text, p_reason text)
returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with marked as (
        update notices.outbox set state = 'quiet', settled_at = now(), reason = p_reason
        where id = p_id and attempts = p_attempt and state in ('sending', 'quiet')
        returning member_ref
    ), refused as (
        insert into notices.opt_outs (member_ref, sender)
        select m.member_ref, p_sender
        from marked m
        on conflict do nothing
    )
    select exists (select from marked);
end;

create function notices.retry(
    p_id bigint, p_attempt integer, p_delay_s double precision, p_reason text
) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with marked as (
        update notices.outbox
        set state = 'waiting', due_at = now() + make_interval(secs => p_delay_s), reason = p_reason
        where id = p_id and attempts = p_attempt and state in ('sending', 'waiting')
        returning 1
    )
    select exists (select from marked);
end;

-- As retry, where certainly nobody took it: the attempt does not count. Somebody must hear of a row
-- that nobody takes for p_patience_s seconds; one with `once` is no use any more by then.
create function notices.put_back(
    p_id bigint, p_attempt integer, p_delay_s double precision, p_reason text,
    p_patience_s double precision
) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with asked as (
        select
            o.id, o.put_back_since < now() - make_interval(secs => p_patience_s) is true as too_late
        from notices.outbox o
        where o.id = p_id
    ), marked as (
        update notices.outbox o
        set state = case
                when not asked.too_late then 'waiting'
                when o.once is null then 'dead'
                else 'quiet'
            end,
            excused = case when o.state = 'sending' then o.excused + 1 else o.excused end,
            put_back_since = coalesce(o.put_back_since, now()),
            due_at = now() + make_interval(secs => p_delay_s),
            settled_at = case when asked.too_late then now() end,
            reason = p_reason
        from asked
        where o.id = asked.id and o.attempts = p_attempt
            and (
                o.state in ('sending', 'waiting')
                or (asked.too_late and o.state in ('dead', 'quiet'))
            )
        returning 1
    )
    select exists (select from marked);
end;

create function notices.dead(p_id bigint, p_attempt integer, p_reason text) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with marked as (
        update notices.outbox set state = 'dead', settled_at = now(), reason = p_reason
        where id = p_id and attempts = p_attempt and state in ('sending', 'dead')
        returning 1
    )
    select exists (select from marked);
end;

-- For the metrics: how many are not settled, for how long the most overdue has been due (0 when
-- none is), how many need a person.
create function notices.state()
returns table (waiting bigint, oldest_due_s double precision, dead bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        count(*),
        greatest(0, coalesce(extract(epoch from now() - min(o.due_at)), 0))::double precision,
        (select count(*) from notices.outbox d where d.state = 'dead')
    from notices.outbox o
    where o.state in ('waiting', 'sending');
end;

revoke execute on function
    notices.claim, notices.sent, notices.quiet, notices.opted_out, notices.retry, notices.put_back,
    notices.dead, notices.state
from public;
grant execute on function
    notices.claim, notices.sent, notices.quiet, notices.opted_out, notices.retry, notices.put_back,
    notices.dead, notices.state
to chaski_app;
