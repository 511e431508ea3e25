-- What staff's pages show. Functions alone: chaski_staff reads no table. Whoever looks at a member or
-- an order leaves a trace, in the statement that shows it. Never here: a hash, a text that was typed
-- or sent, a DNI.
-- depends: signin-0003-administering  bank-0010-people  bank-0013-reversals  instructions-0006-rules  notices-0009-forgetting  audit-0003-seals  sim-0001-answers

create schema console;

grant usage on schema console to chaski_staff;

-- Finding a member by the beginning of their name.
create index member_name on bank.member (lower(short_name) text_pattern_ops);

-- A member's timeline, what is exported of them, and what an erasure looks for.
create index pin_attempt_member on bank.pin_attempt (member_ref, claimed_at);
create index outbox_member on notices.outbox (member_ref, id);

-- An order by the number that its member reads out.
create index instruction_reference on instructions.instruction (reference)
where reference is not null;

-- The last orders of some days, whoever's. It grows at its end alone: taking an order hardly pays.
create index instruction_accepted on instructions.instruction (accepted_at);

-- By the core's reference, or by the beginning of their name in the register.
create function console.find(p_text text, p_limit integer)
returns table (member_ref text, short_name text, msisdn text, enrolled boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        m.member_ref, m.short_name, m.msisdn,
        exists (select from bank.pin_credential as c where c.member_ref = m.member_ref)
    from bank.member as m
    where m.member_ref = p_text
        or lower(m.short_name) like
            replace(replace(replace(lower(p_text), '\', '\\'), '%', '\%'), '_', '\_') || '%'
    order by m.short_name, m.member_ref
    limit p_limit;
end;

-- What happened with a member before a moment, newest first: deeds, orders, messages, PINs.
create function console.timeline(p_member_ref text, p_before timestamptz, p_rows integer)
returns table (at timestamptz, kind text, what text, became text, who text, about jsonb)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    (
        select
            e.at, 'deed', e.action, '',
            case when e.actor_kind = 'member' then 'member' else e.actor end, e.about
        from audit.entry as e
        where e.member_ref = p_member_ref and e.at < p_before
            and e.action not in ('member.viewed', 'order.viewed', 'screens.viewed')
        order by e.id desc limit p_rows
    )
    union all
    (
        select
            i.accepted_at, 'order', i.operation, i.state, coalesce(i.channel, ''),
            jsonb_build_object(
                'key', i.key, 'amount', i.amount_centimos, 'code', i.code,
                'reference', i.reference
            )
        from instructions.instruction as i
        where i.member_ref = p_member_ref and i.accepted_at < p_before
        order by i.accepted_at desc limit p_rows
    )
    union all
    (
        select
            o.created_at, 'sms', o.fact, o.state,
            coalesce(s.sender, ''), jsonb_build_object('id', o.id, 'report', s.state)
        from notices.outbox as o
        left join lateral (
            select k.sender, k.state from notices.submissions as k
            where k.notice_id = o.id order by k.taken_at desc limit 1
        ) as s on true
        where o.member_ref = p_member_ref and o.created_at < p_before
        order by o.id desc limit p_rows
    )
    union all
    (
        select
            a.claimed_at, 'pin', 'pin.typed',
            case when a.right_pin then 'right' when not a.right_pin then 'wrong' else '' end,
            'member', jsonb_build_object('for_order', a.order_key is not null)
        from bank.pin_attempt as a
        where a.member_ref = p_member_ref and a.claimed_at < p_before
        order by a.claimed_at desc limit p_rows
    )
    order by 1 desc, 2, 3
    limit p_rows;
end;

-- A member as staff see them. Null: there is no such member.
create function console.member(
    p_member_ref text, p_by text, p_on date, p_before timestamptz, p_rows integer,
    p_now timestamptz
) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    known bank.member;
begin
    select * into known from bank.member as m where m.member_ref = p_member_ref;
    if not found then
        return null;
    end if;
    perform audit.write('staff', p_by, 'member.viewed', p_member_ref, '{}', p_now);
    return jsonb_build_object(
        'binding', to_jsonb(known),
        'access', (
            select to_jsonb(a) - 'requests' - 'deeds' from bank.access_of(p_member_ref, p_now, 0) as a
        ),
        'cautions', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'reason', c.reason, 'level', c.level, 'since', c.since, 'until', c.until
            ) order by c.id), '[]')
            from instructions.caution as c
            where c.member_ref = p_member_ref and c.lifted_at is null
                and (c.until is null or c.until > p_now)
        ),
        'consents', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'purpose', l.purpose, 'given', l.given, 'at', l.at, 'channel', l.channel
            ) order by l.purpose), '[]')
            from (
                select distinct on (c.purpose) c.* from bank.consent as c
                where c.member_ref = p_member_ref order by c.purpose, c.id desc
            ) as l
        ),
        'sim', (
            select jsonb_build_object(
                'changed', s.changed, 'changed_at', s.changed_at, 'asked_at', s.asked_at
            )
            from sim.answer as s where s.msisdn = known.msisdn
        ),
        'limits', (
            select coalesce(jsonb_agg(to_jsonb(s) order by s.operation desc), '[]')
            from instructions.standing(p_member_ref, 'any', p_on, p_now) as s
        ),
        'claims', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'id', c.id, 'state', c.state, 'opened_at', c.opened_at
            ) order by c.id desc), '[]')
            from bank.claim as c where c.member_ref = p_member_ref and c.state = 'open'
        ),
        'calls', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'id', c.id, 'doing', c.doing, 'asked_at', c.asked_at
            ) order by c.id), '[]')
            from bank.call as c where c.member_ref = p_member_ref and c.done_at is null
        ),
        'requests', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'id', r.id, 'kind', r.kind, 'asked_by', r.asked_by, 'asked_at', r.asked_at
            ) order by r.id), '[]')
            from bank.staff_request as r
            where r.member_ref = p_member_ref and r.state = 'waiting'
        ),
        'timeline', (
            select coalesce(jsonb_agg(to_jsonb(t)), '[]')
            from console.timeline(p_member_ref, p_before, p_rows) as t
        )
    );
end
$$;

-- What waits for a second person, and reversals that two agreed on and the core has not answered.
create function console.waiting()
returns table (
    id bigint, kind text, member_ref text, short_name text, asked_by text, asked_at timestamptz,
    state text, reason text, instruction_key uuid, amount_centimos bigint
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        r.id, r.kind, r.member_ref, m.short_name, r.asked_by, r.asked_at, r.state, v.reason,
        v.instruction_key, i.amount_centimos
    from bank.staff_request as r
    left join bank.member as m on m.member_ref = r.member_ref
    left join bank.reversal as v on v.request_id = r.id
    left join instructions.instruction as i on i.key = v.instruction_key
    where r.state = 'waiting'
    union all
    select
        r.id, r.kind, r.member_ref, m.short_name, r.asked_by, r.asked_at, r.state, v.reason,
        v.instruction_key, i.amount_centimos
    from bank.reversal as v
    join bank.staff_request as r on r.id = v.request_id and r.state = 'approved'
    left join bank.member as m on m.member_ref = r.member_ref
    left join instructions.instruction as i on i.key = v.instruction_key
    where v.state = 'waiting'
    order by 1;
end;

create function console.order_row(i instructions.instruction)
returns table (
    key uuid, operation text, member_ref text, short_name text, amount_centimos bigint, state text,
    code text, reference text, channel text, accepted_at timestamptz, settled_at timestamptz
)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select
        i.key, i.operation, i.member_ref, m.short_name, i.amount_centimos, i.state, i.code,
        i.reference, i.channel, i.accepted_at, i.settled_at
    from (select) as one
    left join bank.member as m on m.member_ref = i.member_ref;
end;

-- Orders, newest first. By reference, key or member, or all of some days; null: whichever.
create function console.orders(
    p_reference text, p_key uuid, p_member_ref text, p_state text, p_from timestamptz,
    p_until timestamptz, p_rows integer
) returns table (
    key uuid, operation text, member_ref text, short_name text, amount_centimos bigint, state text,
    code text, reference text, channel text, accepted_at timestamptz, settled_at timestamptz
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
-- With the values that were given: a plan for whichever of them would read every order.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
        select r.*
        from (
            select i.* from instructions.instruction as i
            where (p_reference is null or i.reference = p_reference)
                and (p_key is null or i.key = p_key)
                and (p_member_ref is null or i.member_ref = p_member_ref)
                and (p_state is null or i.state = p_state)
                and (p_from is null or i.accepted_at >= p_from)
                and (p_until is null or i.accepted_at < p_until)
                and i.operation is not null
            order by i.accepted_at desc
            limit p_rows
        ) as i
        cross join console.order_row(i) as r
        order by r.accepted_at desc;
end
$$;

-- Orders that have not ended, the oldest first: funds and limits are taken, and nobody can say yet.
create function console.open_orders(p_rows integer)
returns table (
    key uuid, operation text, member_ref text, short_name text, amount_centimos bigint, state text,
    code text, reference text, channel text, accepted_at timestamptz, settled_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select r.*
    from (
        select o.* from instructions.instruction as o
        where o.state in ('accepted', 'unknown')
        order by o.accepted_at
        limit p_rows
    ) as o
    cross join console.order_row(o) as r
    order by r.accepted_at;
end;

-- All of one order, and what became of giving it back. Null: there is no such order.
create function console.one_order(p_key uuid, p_by text, p_now timestamptz) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    known instructions.instruction;
begin
    select * into known from instructions.instruction as i
    where i.key = p_key and i.operation is not null;
    if not found then
        return null;
    end if;
    perform audit.write(
        'staff', p_by, 'order.viewed', known.member_ref,
        jsonb_build_object('instruction', p_key), p_now
    );
    return to_jsonb(known) - 'session_id' - 'msisdn' - 'ended_xact'
        || jsonb_build_object(
            'short_name', (
                select m.short_name from bank.member as m where m.member_ref = known.member_ref
            ),
            'counterparty', (
                select m.short_name from bank.member as m
                where m.member_ref = known.counterparty_ref
            ),
            'claim', (
                select jsonb_build_object('id', c.id, 'state', c.state)
                from bank.claim as c where c.instruction_key = p_key
            ),
            'reversals', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'request', v.request_id, 'reason', v.reason, 'state', v.state, 'code', v.code,
                    'reference', v.reference, 'asked_by', r.asked_by, 'asked_at', r.asked_at,
                    'decided_by', r.decided_by, 'decision', r.state
                ) order by v.request_id), '[]')
                from bank.reversal as v
                join bank.staff_request as r on r.id = v.request_id
                where v.instruction_key = p_key
            )
        );
end
$$;

-- One of staff wants open orders looked at now, without waiting for their next try. Answers nothing:
-- the worker does it.
create function console.note_retry(p_by text, p_now timestamptz) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
begin atomic
    update instructions.instruction set next_try_at = p_now
    where state in ('accepted', 'unknown') and next_try_at > p_now;
    select audit.write('staff', p_by, 'orders.retried', null, '{}', p_now);
end;

-- Requeued by name: the notice keeps a trace of its own, the trail has who and which.
create function console.requeue(p_ids bigint[], p_by text, p_now timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    requeued bigint[];
begin
    requeued := array(select r from notices.requeue(p_ids, p_by) as r);
    if cardinality(requeued) > 0 then
        perform audit.write(
            'staff', p_by, 'notice.requeued', null, jsonb_build_object('notices', requeued), p_now
        );
    end if;
    return cardinality(requeued);
end
$$;

-- Claims: the open ones, or the last that were settled.
create function console.claims(p_state text, p_rows integer)
returns table (
    id bigint, member_ref text, short_name text, payee_ref text, payee text, instruction_key uuid,
    amount_centimos bigint, state text, opened_at timestamptz, held_centimos bigint,
    held_until timestamptz, resolved_at timestamptz, resolved_by text, how text
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        c.id, c.member_ref, m.short_name, c.payee_ref, p.short_name, c.instruction_key,
        c.amount_centimos, c.state, c.opened_at, c.held_centimos, c.held_until, c.resolved_at,
        c.resolved_by, c.how
    from bank.claim as c
    left join bank.member as m on m.member_ref = c.member_ref
    left join bank.member as p on p.member_ref = c.payee_ref
    where c.state = p_state
    order by c.id desc
    limit p_rows;
end;

-- Who waits for a call, the longest first.
create function console.calls(p_rows integer)
returns table (
    id bigint, member_ref text, short_name text, msisdn text, language text, doing text,
    channel text, asked_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        c.id, c.member_ref, m.short_name, m.msisdn, m.language, c.doing, c.channel, c.asked_at
    from bank.call as c
    left join bank.member as m on m.member_ref = c.member_ref
    where c.done_at is null
    order by c.id
    limit p_rows;
end;

-- What each provider of messages did since a moment, and what waits.
create function console.sending(p_since timestamptz)
returns table (sender text, taken bigint, delivered bigint, failed bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        s.sender, count(*), count(*) filter (where s.state = 'delivered'),
        count(*) filter (where s.state = 'failed')
    from notices.submissions as s
    where s.taken_at >= p_since
    group by s.sender order by s.sender;
end;

create function console.backlog(p_now timestamptz)
returns table (
    waiting bigint, oldest_due_at timestamptz, dead bigint, open_orders bigint,
    oldest_order_at timestamptz
)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        (select count(*) from notices.outbox as o where o.state in ('waiting', 'sending')),
        (
            select min(o.due_at) from notices.outbox as o
            where o.state in ('waiting', 'sending') and o.due_at <= p_now
        ),
        (select count(*) from notices.outbox as o where o.state = 'dead'),
        (
            select count(*) from instructions.instruction as i
            where i.state in ('accepted', 'unknown')
        ),
        (
            select min(i.accepted_at) from instructions.instruction as i
            where i.state in ('accepted', 'unknown')
        );
end;

-- The trail, newest first, before an entry; null: whichever.
create function console.trail(
    p_before bigint, p_actor text, p_member_ref text, p_action text, p_rows integer
) returns table (
    id bigint, at timestamptz, actor_kind text, actor text, action text, member_ref text,
    about jsonb
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
        select e.id, e.at, e.actor_kind, e.actor, e.action, e.member_ref, e.about
        from audit.entry as e
        where (p_before is null or e.id < p_before)
            and (p_actor is null or e.actor = p_actor)
            and (p_member_ref is null or e.member_ref = p_member_ref)
            and (p_action is null or e.action = p_action)
        order by e.id desc
        limit p_rows;
end
$$;

-- The newest seals, and whether each stands: its hash is over its own numbers and parts, and it is
-- over the hash of the one before it. Whether the rows are as they were sealed `chaski audit verify`
-- recomputes outside the database.
create function console.seals(p_rows integer)
returns table (number bigint, sealed_at timestamptz, hash text, lines bigint, stands boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select
        s.number, s.sealed_at, encode(s.hash, 'hex'),
        (select sum(p.lines)::bigint from audit.part as p where p.number = s.number),
        s.hash = sha256(convert_to(audit.text_of(s) || E'\n', 'UTF8'))
        and coalesce(
            s.previous = (select b.hash from audit.seal as b where b.number = s.number - 1),
            s.number = 1
        )
    from audit.seal as s
    order by s.number desc
    limit p_rows;
end;

revoke execute on all functions in schema console from public;

grant execute on function
    console.find, console.member, console.waiting, console.orders, console.open_orders,
    console.one_order, console.note_retry, console.requeue, console.claims,
    console.calls, console.sending, console.backlog, console.trail, console.seals
to chaski_staff;
