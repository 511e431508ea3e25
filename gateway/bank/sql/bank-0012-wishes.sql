-- What a member signed at the branch, about the messages that they want.
-- depends: bank-0003-consents

-- For the cooperative's staff, not for the application. `p_paper` is which text was signed.
create function bank.agree_on_paper(
    p_member_ref text, p_purpose text, p_given boolean, p_paper text, p_by text, p_now timestamptz
) returns void
language sql volatile
begin atomic
    with kept as (
        insert into bank.consent (member_ref, purpose, given, channel, text_version, language, at)
        select m.member_ref, p_purpose, p_given, 'staff', p_paper, m.language, p_now
        from bank.member as m where m.member_ref = p_member_ref
        returning id
    )
    select audit.write(
        'staff', p_by, case when p_given then 'consent.given' else 'consent.withdrawn' end,
        p_member_ref, jsonb_build_object('consent', k.id, 'purpose', p_purpose), p_now
    )
    from kept as k;
end;

revoke execute on function bank.agree_on_paper from public;
