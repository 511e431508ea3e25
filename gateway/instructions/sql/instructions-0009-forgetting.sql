-- From which phone and session an order came is forgotten after a time; the order stays.
-- depends: instructions-0004-caution

-- Up to which end of orders this was done: what lies before is not looked at again.
create table instructions.origins_forgotten (
    only_one boolean primary key default true check (only_one),
    before timestamptz not null
);

-- Forget the origins of at most p_rows orders that ended before then, an hour of them at a time.
-- Answers how far it got, or null where there is no more to do.
create function instructions.forget_origins(p_before timestamptz, p_rows integer)
returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    begins timestamptz;
    ends timestamptz;
    forgotten bigint;
begin
    select o.before into begins from instructions.origins_forgotten as o for update;
    if not found then
        select min(settled_at) into begins from instructions.instruction;
        if begins is null or begins >= p_before then
            return null;
        end if;
        insert into instructions.origins_forgotten (before) values (begins) on conflict do nothing;
        perform from instructions.origins_forgotten for update;
    end if;
    if begins >= p_before then
        return null;
    end if;
    ends := least(p_before, begins + interval '1 hour');
    with old as (
        select key from instructions.instruction
        where settled_at >= begins and settled_at < ends and num_nonnulls(msisdn, session_id) > 0
        limit p_rows
        for no key update skip locked
    )
    update instructions.instruction as i
    set msisdn = null, session_id = null, provider_account = null
    from old
    where i.key = old.key;
    get diagnostics forgotten = row_count;
    if forgotten < p_rows then
        update instructions.origins_forgotten set before = ends;
    end if;
    return ends;
end
$$;

-- All that orders hold of a member, for themselves.
create function instructions.all_of(p_member_ref text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select jsonb_build_object(
        'orders', (
            select coalesce(jsonb_agg(to_jsonb(i) - 'ended_xact' order by i.accepted_at), '[]')
            from instructions.instruction as i where i.member_ref = p_member_ref
        ),
        'limits_used', (
            select coalesce(jsonb_agg(to_jsonb(u) order by u.business_date), '[]')
            from instructions.usage as u where u.member_ref = p_member_ref
        ),
        'cautions', (
            select coalesce(jsonb_agg(to_jsonb(c) order by c.id), '[]')
            from instructions.caution as c where c.member_ref = p_member_ref
        )
    );
end;

-- For an erasure: whether an order is still under way; and the origins of all that have ended.
create function instructions.any_open(p_member_ref text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select exists (
        select from instructions.instruction
        where member_ref = p_member_ref and state in ('accepted', 'unknown')
    );
end;

create function instructions.erase_origins(p_member_ref text) returns void
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    update instructions.instruction
    set msisdn = null, session_id = null, provider_account = null
    where member_ref = p_member_ref and settled_at is not null;
end;

revoke execute on function instructions.forget_origins, instructions.all_of,
    instructions.any_open, instructions.erase_origins, instructions.note_end
from public;
grant execute on function instructions.forget_origins to chaski_app;
