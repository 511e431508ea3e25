-- Messages that the core's own campaigns send through us, each once for the core's id.
-- depends: core-news-0001-hints  notices-0005-sending

-- `refused`: why it is not sent; null where it is, and then its text lies in the outbox alone.
create table core_news.message (
    id bigint primary key, -- the core's
    notice_id bigint unique references notices.outbox,
    refused text,
    taken_at timestamptz not null,
    check (num_nonnulls(notice_id, refused) = 1)
);

-- What is forgotten is looked for by its age.
create index message_taken on core_news.message (taken_at);

-- Take a batch, all or nothing. Each row is {id, msisdn, text, purpose} or {id, refused}. Who is no
-- member gets nothing: nobody knows what they have agreed to, nor who would hear their STOP. Answers
-- how many are new.
create function core_news.take(p_messages jsonb, p_of_use_until timestamptz, p_now timestamptz)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    row record;
    addressee text;
    notice bigint;
    taken integer := 0;
begin
    -- In one order, so that a batch that comes twice at once waits and finds what the first did.
    for row in
        select * from jsonb_to_recordset(p_messages)
            as m (id bigint, msisdn text, text text, purpose text, refused text)
        order by m.id
    loop
        perform pg_advisory_xact_lock(hashtextextended('core_news.message ' || row.id, 0));
        continue when exists (select from core_news.message as k where k.id = row.id);
        taken := taken + 1;
        notice := null;
        addressee := null;
        if row.refused is null then
            select m.member_ref into addressee
            from bank.member as m
            join bank.pin_credential as c using (member_ref)
            where m.msisdn = row.msisdn;
        end if;
        if addressee is not null then
            insert into notices.outbox (fact, member_ref, detail)
            values ('campaign', addressee, jsonb_build_object(
                'text', row.text, 'msisdn', row.msisdn, 'purpose', row.purpose,
                'forgotten_at', p_of_use_until
            ))
            returning id into notice;
        end if;
        insert into core_news.message (id, notice_id, refused, taken_at)
        values (
            row.id, notice,
            case when notice is null then coalesce(row.refused, 'no_member') end, p_now
        );
    end loop;
    return taken;
end
$$;

-- What became of them. Where a network says no more of what it took before `p_silent_before`, it is
-- `sent` for good.
create function core_news.fates(p_ids bigint[], p_silent_before timestamptz)
returns table (id bigint, notice_id bigint, fate text, at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        m.id,
        m.notice_id,
        case
            when s.delivered then 'delivered'
            when m.refused is not null or o.state in ('quiet', 'dead') then 'failed'
            when o.state in ('waiting', 'sending') then 'under_way'
            when s.failed then 'failed'
            when o.settled_at < p_silent_before then 'sent'
            else 'under_way'
        end,
        s.reported_at
    from core_news.message as m
    left join notices.outbox as o on o.id = m.notice_id
    cross join lateral (
        select
            coalesce(bool_or(n.state = 'delivered'), false) as delivered,
            coalesce(bool_and(n.state is not distinct from 'failed'), false) as failed,
            max(n.reported_at) as reported_at
        from notices.submissions as n where n.notice_id = m.notice_id
    ) as s
    where m.id = any (p_ids)
    order by m.id;
end;

create function core_news.forget_messages(p_before timestamptz, p_rows integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    with gone as (
        delete from core_news.message as m
        where m.id in (
            select o.id from core_news.message as o where o.taken_at < p_before
            order by o.taken_at limit p_rows
        )
        returning 1
    )
    select count(*) from gone;
end;

revoke execute on function core_news.take, core_news.fates, core_news.forget_messages from public;
grant execute on function core_news.take, core_news.fates, core_news.forget_messages to chaski_app;
