-- What comes after a message was handed over: reports, opt-outs, costs; and what staff may do.
-- depends: notices-0002-drain

-- What is forgotten is looked for by its age; rows that have nothing to forget are not in it.
create index outbox_to_forget on notices.outbox (settled_at)
    where state in ('sent', 'quiet') and detail <> '{}';

create index submissions_taken on notices.submissions (taken_at);

-- Reports of what is not (yet) known here.
create index submissions_early on notices.submissions (reported_at) where notice_id is null;

-- A provider says how far a message got. Only a higher rank than the known one counts, so repeated
-- and reordered reports change nothing, and of two final ones the first stays. Answers whether
-- anything changed.
create function notices.reported(
    p_sender text, p_provider_id text, p_state text, p_rank smallint, p_reason text,
    p_opted_out boolean
) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with kept as (
        insert into notices.submissions as known
            (sender, provider_id, state, rank, reason, opted_out, reported_at)
        values (p_sender, p_provider_id, p_state, p_rank, p_reason, p_opted_out, now())
        on conflict (sender, provider_id) do update set
            state = case when excluded.rank > known.rank then excluded.state else known.state end,
            reason = case when excluded.rank > known.rank then excluded.reason else known.reason end,
            rank = greatest(excluded.rank, known.rank),
            opted_out = excluded.opted_out or known.opted_out,
            reported_at = excluded.reported_at
        where excluded.rank > known.rank or (excluded.opted_out and not known.opted_out)
        returning notice_id, opted_out
    ), refused as (
        insert into notices.opt_outs (member_ref, sender)
        select o.member_ref, p_sender
        from kept
        join notices.outbox o on o.id = kept.notice_id
        where kept.opted_out
        on conflict do nothing
    )
    select exists (select from kept);
end;

-- Which providers a member told to send nothing more, and since when.
create function notices.opt_outs_of(p_member_ref text)
returns table (sender text, opted_out_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select o.sender, o.opted_out_at
    from notices.opt_outs o
    where o.member_ref = p_member_ref
    order by o.sender;
end;

-- The member told the provider to begin again. Answers whether it was known to have stopped.
create function notices.opted_in(p_member_ref text, p_sender text) returns boolean
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with gone as (
        delete from notices.opt_outs where member_ref = p_member_ref and sender = p_sender
        returning 1
    )
    select exists (select from gone);
end;

-- What was given up, a page at a time: those after p_after, the oldest first. p_reason: only those
-- whose reason holds it, whatever the case; empty: all.
create function notices.dead_letters(p_after bigint, p_rows integer, p_reason text)
returns table (
    id bigint, created_at timestamptz, dead_at timestamptz, fact text, member_ref text,
    tries integer, reason text
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        o.id, o.created_at, o.settled_at, o.fact, o.member_ref,
        o.attempts - o.forgiven - o.excused, coalesce(o.reason, '')
    from notices.outbox o
    where o.state = 'dead' and o.id > p_after
        and (p_reason = '' or strpos(lower(coalesce(o.reason, '')), lower(p_reason)) > 0)
    order by o.id
    limit p_rows;
end;

-- Gives dead letters another chance, as if they were new: answers those that were dead.
create function notices.requeue(p_ids bigint[], p_by text) returns setof bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with dead as (
        select o.id, o.attempts - o.forgiven - o.excused as tries, o.reason
        from notices.outbox o
        where o.id = any (p_ids) and o.state = 'dead'
        order by o.id
        for update
    ), traced as (
        insert into notices.requeues (notice_id, requeued_by, tries, reason)
        select d.id, p_by, d.tries, d.reason from dead d
    ), revived as (
        update notices.outbox o
        set state = 'waiting', due_at = now(), settled_at = null,
            forgiven = o.attempts, excused = 0, put_back_since = null
        from dead
        where o.id = dead.id
        returning o.id
    )
    select r.id from revived r order by r.id;
end;

-- All that is known of one notice but its words and its number, which nobody keeps.
create function notices.story(p_id bigint)
returns table (
    id bigint, fact text, member_ref text, state text, tries integer, reason text,
    created_at timestamptz, due_at timestamptz, settled_at timestamptz,
    submissions jsonb, requeues jsonb
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        o.id, o.fact, o.member_ref, o.state, o.attempts - o.forgiven - o.excused, o.reason,
        o.created_at, o.due_at, o.settled_at,
        coalesce((
            select jsonb_agg(jsonb_build_object(
                'sender', s.sender, 'provider_id', s.provider_id, 'taken_at', s.taken_at,
                'segments', s.segments, 'cost_micros', s.cost_micros, 'currency', s.currency,
                'report', s.state, 'reported_at', s.reported_at, 'reason', s.reason
            ) order by s.taken_at)
            from notices.submissions s
            where s.notice_id = o.id
        ), '[]'),
        coalesce((
            select jsonb_agg(jsonb_build_object(
                'requeued_at', r.requeued_at, 'requeued_by', r.requeued_by,
                'tries', r.tries, 'reason', r.reason
            ) order by r.requeued_at)
            from notices.requeues r
            where r.notice_id = o.id
        ), '[]')
    from notices.outbox o
    where o.id = p_id;
end;

-- What was sent since p_since, by the month of the time zone p_zone. Where a provider does not say
-- the price, cost_micros leaves its messages out; `unpriced` counts them.
create function notices.costs(p_zone text, p_since timestamptz)
returns table (
    month text, sender text, fact text, currency text, messages bigint, segments bigint,
    cost_micros bigint, unpriced bigint
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        to_char(s.taken_at at time zone p_zone, 'YYYY-MM'), s.sender, o.fact,
        coalesce(s.currency, ''), count(*), sum(s.segments)::bigint,
        coalesce(sum(s.cost_micros), 0)::bigint, count(*) filter (where s.cost_micros is null)
    from notices.submissions s
    join notices.outbox o on o.id = s.notice_id
    where s.taken_at >= p_since
    group by 1, 2, 3, 4
    order by 1, 2, 3, 4;
end;

-- What a message said can be read from its detail: once it is told, that may go after a time. The
-- row stays, for the costs and for `once`. Answers how many rows were emptied, p_rows at the most.
create function notices.forget(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with old as (
        select o.id
        from notices.outbox o
        where o.state in ('sent', 'quiet') and o.detail <> '{}' and o.settled_at < p_before
        order by o.settled_at
        limit p_rows
        for update skip locked
    ), emptied as (
        update notices.outbox o set detail = '{}' from old where o.id = old.id
        returning 1
    )
    select count(*) from emptied;
end;

-- Reports of messages that never became known here.
create function notices.forget_reports(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with old as (
        select s.sender, s.provider_id
        from notices.submissions s
        where s.notice_id is null and s.reported_at < p_before
        order by s.reported_at
        limit p_rows
        for update skip locked
    ), gone as (
        delete from notices.submissions s
        using old
        where s.sender = old.sender and s.provider_id = old.provider_id
        returning 1
    )
    select count(*) from gone;
end;

revoke execute on function
    notices.reported, notices.opt_outs_of, notices.opted_in, notices.dead_letters, notices.requeue,
    notices.story, notices.costs, notices.forget, notices.forget_reports
from public;
-- Staff sign in as the application too: what they need shows no text and no number, and the owner's
-- password has no business at a desk.
grant execute on function
    notices.reported, notices.opt_outs_of, notices.opted_in, notices.dead_letters, notices.requeue,
    notices.story, notices.costs, notices.forget, notices.forget_reports
to chaski_app;
