-- chaski_auditor reads everything that is sealed, and the seals; no person's name, number or secret,
-- and it writes nothing. Who may sign in as it is the administrator's to say.
-- depends: audit-0003-seals  ledger-0007-verify

do $$
begin
    if not exists (select from pg_roles where rolname = 'chaski_auditor') then
        create role chaski_auditor login;
    end if;
exception
    -- Roles belong to the cluster: another database's migration may create it at the same moment.
    when duplicate_object or unique_violation then null;
end
$$;

grant usage on schema audit, ledger, instructions to chaski_auditor;

grant select on
    audit.entry, audit.seal, audit.part,
    audit.line_account, audit.line_allocation, audit.line_decision, audit.line_deed,
    audit.line_hold, audit.line_hold_end, audit.line_instalment, audit.line_order,
    audit.line_transfer,
    ledger.account, ledger.decision, ledger.transfer, ledger.hold, ledger.hold_resolution,
    ledger.instalment, ledger.allocation
to chaski_auditor;

-- Not from which phone and in which session an order came.
grant select (
    key, operation, member_ref, counterparty_ref, source, target, amount_centimos, mode,
    business_date, channel, state, code, reference, tax_centimos, target_tax_centimos,
    bound_centimos, owed_centimos, accepted_at, settled_at, ended_xact
) on instructions.instruction to chaski_auditor;

grant execute on function audit.text_of, audit.head, audit.kinds, ledger.verify to chaski_auditor;
