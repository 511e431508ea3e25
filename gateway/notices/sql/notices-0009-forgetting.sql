-- What messages leave behind is forgotten after a time, and on a member's wish.
-- depends: notices-0007-reminders  notices-0003-simulated

-- The detail of what was given up: longer than of what was told, since staff may requeue it.
create function notices.forget_given_up(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with old as (
        select o.id from notices.outbox as o
        where o.state = 'dead' and o.detail <> '{}' and o.settled_at < p_before
        limit p_rows
        for update skip locked
    ), emptied as (
        update notices.outbox as o set detail = '{}' from old where o.id = old.id
        returning 1
    )
    select count(*) from emptied;
end;

-- When, by whom and at what price a message went out.
create function notices.forget_submissions(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with old as (
        select s.sender, s.provider_id from notices.submissions as s
        where s.taken_at < p_before
        order by s.taken_at
        limit p_rows
        for update skip locked
    ), gone as (
        delete from notices.submissions as s using old
        where s.sender = old.sender and s.provider_id = old.provider_id
        returning 1
    )
    select count(*) from gone;
end;

-- The inboxes of a demo. Few rows: no index.
create function notices.forget_simulated(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with gone as (
        delete from notices.simulated_sms
        where id in (
            select s.id from notices.simulated_sms as s where s.at < p_before
            order by s.id limit p_rows
        )
        returning 1
    )
    select count(*) from gone;
end;

-- All that messages hold of a member, for themselves.
create function notices.all_of(p_member_ref text, p_msisdn text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select jsonb_build_object(
        'notices', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'fact', o.fact, 'detail', o.detail, 'at', o.created_at, 'state', o.state
            ) order by o.id), '[]')
            from notices.outbox as o where o.member_ref = p_member_ref
        ),
        'deliveries', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'sender', s.sender, 'taken_at', s.taken_at, 'state', s.state
            ) order by s.taken_at), '[]')
            from notices.submissions as s join notices.outbox as o on o.id = s.notice_id
            where o.member_ref = p_member_ref
        ),
        'opt_outs', (
            select coalesce(jsonb_agg(to_jsonb(t) order by t.opted_out_at), '[]')
            from notices.opt_outs as t where t.member_ref = p_member_ref
        ),
        'texts', (
            select coalesce(jsonb_agg(to_jsonb(t) order by t.at), '[]')
            from notices.text as t where t.msisdn = p_msisdn
        ),
        'simulated', (
            select coalesce(jsonb_agg(to_jsonb(s) order by s.id), '[]')
            from notices.simulated_sms as s where s.msisdn = p_msisdn
        )
    );
end;

-- For an erasure: nothing that was said, and nothing that was still to be said. That a message went
-- out, and what it cost, stays under the reference.
create function notices.erase(p_member_ref text, p_msisdn text, p_now timestamptz) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    update notices.outbox
    set detail = '{}', reason = null,
        settled_at = coalesce(settled_at, p_now),
        state = case when state in ('waiting', 'sending') then 'quiet' else state end
    where member_ref = p_member_ref or (detail ->> 'msisdn') = p_msisdn;
    delete from notices.opt_outs where member_ref = p_member_ref;
    delete from notices.text where msisdn = p_msisdn;
    delete from notices.simulated_sms where msisdn = p_msisdn;
end;

revoke execute on function notices.forget_given_up, notices.forget_submissions,
    notices.forget_simulated, notices.all_of, notices.erase
from public;
grant execute on function
    notices.forget_given_up, notices.forget_submissions, notices.forget_simulated
to chaski_app;
