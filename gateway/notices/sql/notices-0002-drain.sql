-- The drain's side of the outbox: claim what is due, say what became of it.
-- depends: notices-0001-outbox

-- `quiet`: a fact that is told to nobody. It is neither sent nor a fault, so it is neither word.
alter table notices.outbox
    drop constraint outbox_state_check,
    add constraint outbox_state_check
        check (state in ('waiting', 'sending', 'sent', 'quiet', 'dead')),
    -- Why the last attempt failed, for staff. Never the text, never the number.
    add column reason text,
    -- What the provider calls the message; its delivery report comes back under this name.
    add column provider_id text;

-- state() counts the dead, who should be few, without reading everything that was ever sent.
create index outbox_dead on notices.outbox (id) where state = 'dead';

-- Takes up to p_rows that are due, the longest due first, for p_lease_s seconds. A row whose lease
-- ends unmarked is due again: its drain is dead. One that outlived its last attempt this way takes
-- its drain with it each time: it dies here instead of being answered, so fewer rows may come back.
-- A row with `once` has one attempt, and nobody need look after it when that came to nothing.
-- now() and not clock_timestamp(): only a stable value lets the index answer `due_at <= …`.
create function notices.claim(p_rows integer, p_lease_s double precision, p_attempts_max integer)
returns table (
    id bigint, attempt integer, fact text, member_ref text, detail jsonb, created_at timestamptz
)
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with due as (
        select
            o.id,
            o.attempts >= case when o.once is null then p_attempts_max else 1 end as worn_out
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
            reason = case when due.worn_out then 'no attempt was finished' else o.reason end
        from due
        where o.id = due.id
        returning o.id, o.attempts, o.fact, o.member_ref, o.detail, o.created_at, due.worn_out
    )
    select t.id, t.attempts, t.fact, t.member_ref, t.detail, t.created_at
    from taken t
    where not t.worn_out
    order by t.id;
end;

-- The four marks. Each names the attempt that it speaks for: a drain whose lease was taken over
-- changes nothing and is told false. Each may be repeated, because its answer may get lost.

create function notices.sent(p_id bigint, p_attempt integer, p_provider_id text) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with marked as (
        update notices.outbox
        set state = 'sent', sent_at = now(), provider_id = p_provider_id, reason = null
        where id = p_id and attempts = p_attempt and state in ('sending', 'sent')
        returning 1
    )
    select exists (select from marked);
end;

create function notices.quiet(p_id bigint, p_attempt integer) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with marked as (
        update notices.outbox set state = 'quiet'
        where id = p_id and attempts = p_attempt and state in ('sending', 'quiet')
        returning 1
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

create function notices.dead(p_id bigint, p_attempt integer, p_reason text) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with marked as (
        update notices.outbox set state = 'dead', reason = p_reason
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
    notices.claim, notices.sent, notices.quiet, notices.retry, notices.dead, notices.state
from public;
grant execute on function
    notices.claim, notices.sent, notices.quiet, notices.retry, notices.dead, notices.state
to chaski_app;
