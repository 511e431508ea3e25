-- The right to be forgotten, as far as the books allow it. For the owner alone.
-- depends: ledger-0008-office

-- Forget a person who holds nothing and owes nothing any more: their name, DNI and birthday go, their
-- accounts and postings stay under the reference. Answers what became of it: forgotten, holds_money
-- (they are still a member, and the law asks a cooperative to know its members) or nobody.
create function ledger.forget_person(p_member_ref text, p_now timestamptz) returns text
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    perform from ledger.member where member_ref = p_member_ref for update;
    if not found then
        return 'nobody';
    end if;
    if exists (
        select from ledger.account as a
        join ledger.balance as b on b.account_id = a.id
        where a.member_ref = p_member_ref and (b.balance_centimos <> 0 or b.held_centimos <> 0)
    ) then
        return 'holds_money';
    end if;
    update ledger.account set closed_on = coalesce(closed_on, p_now::date)
    where member_ref = p_member_ref;
    update ledger.member
    set dni = null, first_names = null, last_names = null, birth_date = null, forgotten_at = p_now
    where member_ref = p_member_ref and forgotten_at is null;
    return 'forgotten';
end
$$;

-- All that the books hold of a person, for themselves.
create function ledger.all_of(p_member_ref text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select jsonb_build_object(
        'person', (
            select coalesce(jsonb_agg(to_jsonb(m)), '[]')
            from ledger.member as m where m.member_ref = p_member_ref
        ),
        'accounts', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'account', a.code, 'kind', a.kind, 'name', a.name, 'closed_on', a.closed_on,
                'balance_centimos', b.balance_centimos, 'held_centimos', b.held_centimos
            ) order by a.id), '[]')
            from ledger.account as a join ledger.balance as b on b.account_id = a.id
            where a.member_ref = p_member_ref
        ),
        'postings', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'account', a.code, 'reference', e.decision_id, 'on', d.business_date,
                'purpose', e.purpose, 'amount_centimos', e.amount_centimos
            ) order by e.decision_id, e.leg), '[]')
            from ledger.account as a
            join ledger.entry as e on e.account_id = a.id
            join ledger.decision as d on d.id = e.decision_id
            where a.member_ref = p_member_ref
        ),
        'instalments', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'account', a.code, 'number', i.number, 'due_on', i.due_on,
                'principal_centimos', i.principal_centimos,
                'interest_centimos', i.interest_centimos
            ) order by a.id, i.number), '[]')
            from ledger.account as a join ledger.instalment as i on i.loan_id = a.id
            where a.member_ref = p_member_ref
        )
    );
end;

revoke execute on function ledger.forget_person, ledger.all_of from public;
